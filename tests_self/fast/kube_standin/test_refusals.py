"""What a real server refuses, warns of or does not do, beside what was recorded: by Kubernetes' own rules."""

import copy
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.refused import causes

Json = dict[str, Any]
MERGE = {"content-type": "application/merge-patch+json"}
DRY = {"dryRun": "All"}
CONTAINER: Json = {"name": "c", "image": "i"}


FIELDS = (
    'Unsupported value: "spec.restartPolicy": supported values: "metadata.name", "metadata.namespace", '
    '"metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", '
    '"status.podIP", "status.podIPs"'
)
DUPLICATE = (
    "spec.template.spec.containers[0].ports[1]: duplicate port definition with "
    "spec.template.spec.containers[0].ports[0]"
)
FRACTION = (
    "spec.template.spec.containers[0].resources.limits[memory]: fractional byte value "
    '\\"1500m\\" is invalid, must be an integer'
)
TAKEN = 'Invalid value: ["10.96.200.7"]: failed to allocate IP 10.96.200.7: provided IP is already allocated'
OUT_OF_RANGE = (
    "Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"
)
TOO_MUCH = (
    'pods "p" is forbidden: [maximum memory usage per Container is 1Gi, but limit is 2Gi, '
    "maximum memory usage per Container is 1Gi, but request is 2Gi]"
)


def deployment(spec: Json | None = None, **container: Any) -> Json:
    """A deployment with something more in its pod's spec, or in its one container."""
    made = copy.deepcopy(examples.deployment())
    template = made["spec"]["template"]["spec"]
    template["containers"] = [CONTAINER | container]
    template.update(spec or {})
    return made


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        (
            deployment(livenessProbe={"httpGet": {"port": "No"}}),
            "containers[0].livenessProbe.httpGet.port",
            'Invalid value: "No": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        ),
        (
            deployment(readinessProbe={}),
            "containers[0].readinessProbe",
            "Required value: must specify a handler type",
        ),
        (
            deployment(startupProbe={"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}}),
            "containers[0].startupProbe.tcpSocket",
            "Forbidden: may not specify more than 1 handler type",
        ),
        (
            deployment(lifecycle={"preStop": {"sleep": {"seconds": 31}}}),
            "containers[0].lifecycle.preStop.sleep",
            "Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
        (
            deployment(ports=[{"containerPort": 80, "hostPort": 1}, {"containerPort": 81, "hostPort": 1}]),
            "containers[0].ports[1].hostPort",
            'Duplicate value: "TCP//1"',
        ),
        (
            deployment(securityContext={"allowPrivilegeEscalation": False, "runAsUser": -1}),
            "containers[0].securityContext.runAsUser",
            "Invalid value: -1: must be between 0 and 4294967295, inclusive",
        ),
        (
            deployment(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.restartPolicy"}}}]),
            "containers[0].env[0].valueFrom.fieldRef.fieldPath",
            FIELDS,
        ),
        (
            deployment(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            "containers[0].resources.requests",
            'Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        (
            deployment({"volumes": [{"name": "v", "secret": {}, "hostPath": {"path": "/"}}]}),
            "volumes[0].hostPath",
            "Forbidden: may not specify more than 1 volume type",
        ),
        (
            deployment(
                {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}}
            ),
            "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
            "Required value: can not be empty",
        ),
        (
            deployment({"dnsPolicy": "None"}),
            "dnsConfig",
            "Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
        (
            deployment({"hostAliases": [{"ip": "1.2.3"}]}),
            "hostAliases[0].ip",
            'Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
    ],
)
def test_a_pods_spec(admin: httpx.Client, namespace: str, body: Json, where: str, message: str) -> None:
    answer = admin.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", json=body, params=DRY)

    assert (f"spec.template.spec.{where}", message) in causes(answer)


@pytest.mark.parametrize(
    ("resource", "spec", "expected"),
    [
        (
            "apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
            {"podSelector": {}, "ingress": [{"ports": [{"port": 90, "endPort": 80}]}]},
            (
                "spec.ingress[0].ports[0].endPort",
                "Invalid value: 80: must be greater than or equal to `port`",
            ),
        ),
        (
            "apis/networking.k8s.io/v1/namespaces/{}/ingresses",
            {"rules": [{"host": "a.b", "http": {"paths": [{"path": "/..", "pathType": "Prefix"}]}}]},
            ("spec.rules[0].http.paths[0].path", "Invalid value: \"/..\": cannot end with '/..'"),
        ),
        (
            "apis/batch/v1/namespaces/{}/cronjobs",
            {"schedule": "61 * * * *", "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}},
            ("spec.schedule", 'Invalid value: "61 * * * *": end of range (61) above maximum (59): 61'),
        ),
        (
            "api/v1/namespaces/{}/services",
            {"ports": [{"port": 80}], "clusterIP": "10.96.0"},
            (
                "spec.clusterIPs[0]",
                'Invalid value: "10.96.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            ),
        ),
        (
            "api/v1/namespaces/{}/limitranges",
            {"limits": [{"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}}]},
            (
                "spec.limits[0].min[cpu]",
                'Invalid value: "2": min value 2 is greater than max value 1',
            ),
        ),
        (
            "apis/apps/v1/namespaces/{}/statefulsets",
            {"serviceName": "s", "selector": {}, "template": {"spec": {"containers": [CONTAINER]}}},
            ("spec.selector", "Invalid value: {}: empty selector is invalid for statefulset"),
        ),
        (
            "apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
            {"maxReplicas": 1, "scaleTargetRef": {"kind": "D", "name": "d"}, "metrics": [{"type": "Pods"}]},
            ("spec.metrics[0].pods", "Required value: must populate information for the given metric source"),
        ),
    ],
)
def test_other_specs(
    admin: httpx.Client, namespace: str, resource: str, spec: Json, expected: tuple[str, str]
) -> None:
    body = {"metadata": {"name": "x"}, "spec": spec}
    answer = admin.post(f"/{resource.format(namespace)}", json=body, params=DRY)

    assert expected in causes(answer)


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        (
            deployment(ports=[{"containerPort": 80, "name": "a"}, {"containerPort": 80, "name": "b"}]),
            DUPLICATE,
        ),
        (
            deployment(resources={"limits": {"memory": "1500m"}}),
            FRACTION,
        ),
        (
            deployment({"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}),
            'spec.template.spec.imagePullSecrets[1].name: duplicate name \\"a\\"',
        ),
    ],
)
def test_warnings(admin: httpx.Client, namespace: str, body: Json, warning: str) -> None:
    answer = admin.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", json=body, params=DRY)

    assert (answer.status_code, answer.headers.get_list("warning")) == (201, [f'299 - "{warning}"'])


def test_a_variable_that_builds_on_itself_is_no_warning(admin: httpx.Client, namespace: str) -> None:
    body = deployment(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}])
    answer = admin.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", json=body, params=DRY)

    assert (answer.status_code, answer.headers.get_list("warning")) == (201, [])


def test_a_dry_run_sees_no_address_that_is_taken(admin: httpx.Client, namespace: str) -> None:
    """As a real one: it allocates nothing. The real write is refused."""
    path = f"/api/v1/namespaces/{namespace}/services"
    first = {"metadata": {"name": "a"}, "spec": {"clusterIP": "10.96.200.7", "ports": [{"port": 80}]}}
    second = first | {"metadata": {"name": "b"}}
    low = {"metadata": {"name": "c"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}}

    assert admin.post(path, json=first).status_code == 201
    assert [admin.post(path, json=each, params=DRY).status_code for each in (second, low)] == [201, 201]
    assert causes(admin.post(path, json=second)) == [
        (
            "spec.clusterIPs",
            TAKEN,
        )
    ]
    assert causes(admin.post(path, json=low)) == [
        (
            "spec.ports[0].nodePort",
            OUT_OF_RANGE,
        )
    ]


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_a_dry_run_sees_a_node_port_that_is_taken(protocol: str, admin: httpx.Client, namespace: str) -> None:
    """Of whichever protocol: the port is one Service's. Its own Service keeps it."""
    path = f"/api/v1/namespaces/{namespace}/services"
    port = {"port": 80, "nodePort": 30999}
    first = {"metadata": {"name": "a"}, "spec": {"type": "NodePort", "ports": [port]}}
    second = {
        "metadata": {"name": "b"},
        "spec": {"type": "NodePort", "ports": [port | {"protocol": protocol}]},
    }
    assert admin.post(path, json=first).status_code == 201
    said = ("spec.ports[0].nodePort", "Invalid value: 30999: provided port is already allocated")

    try:
        assert causes(admin.post(path, json=second, params=DRY)) == [said]
        label = {"metadata": {"labels": {"a": "b"}}}
        assert admin.patch(f"{path}/a", json=label, params=DRY, headers=MERGE).status_code == 200
    finally:
        admin.delete(f"{path}/a")


def test_an_autoscaler_in_its_old_version(admin: httpx.Client, namespace: str) -> None:
    """Two versions of one object: what the old one cannot say, it keeps in annotations."""
    old = f"/apis/autoscaling/v1/namespaces/{namespace}/horizontalpodautoscalers"
    new = old.replace("/v1/", "/v2/")
    spec = {
        "maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
        "targetCPUUtilizationPercentage": 70,
    }
    made = admin.post(old, json={"metadata": {"name": "h"}, "spec": spec})
    read = admin.get(f"{new}/h").json()
    admin.patch(
        f"{new}/h", json={"spec": {"behavior": {"scaleDown": {"selectPolicy": "Min"}}}}, headers=MERGE
    )
    again = admin.get(f"{old}/h").json()

    assert (made.status_code, made.json()["spec"]) == (201, spec | {"minReplicas": 1})
    assert read["spec"]["metrics"] == [
        {
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
        }
    ]
    assert "autoscaling.alpha.kubernetes.io/behavior" in again["metadata"]["annotations"]


def test_impersonation(admin: httpx.Client, namespace: str) -> None:
    """Whoever may, counts as somebody else, with that one's rights alone."""
    role = examples.role("reads", {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]})
    admin.post(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles", json=role)
    binding = examples.binding("b", "reads")
    binding["subjects"] = [{"kind": "Group", "name": "readers", "apiGroup": "rbac.authorization.k8s.io"}]
    admin.post(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", json=binding)
    reader = {"Impersonate-User": "bob", "Impersonate-Group": "readers"}
    core = f"/api/v1/namespaces/{namespace}"

    assert admin.get(f"{core}/pods", headers=reader).status_code == 200
    assert admin.get(f"{core}/secrets", headers=reader).status_code == 403
    assert admin.get(f"{core}/pods", headers={"Impersonate-Group": "readers"}).status_code == 501


def test_a_limit_range_refuses_pods_and_fills_them(admin: httpx.Client, namespace: str) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    limits = [{"type": "Container", "max": {"memory": "1Gi"}}]
    admin.post(f"{core}/limitranges", json={"metadata": {"name": "l"}, "spec": {"limits": limits}})
    pod: Json = {"metadata": {"name": "p"}, "spec": {"containers": [copy.deepcopy(CONTAINER)]}}
    filled = admin.post(f"{core}/pods", json=pod, params=DRY)
    pod["spec"]["containers"][0]["resources"] = {"limits": {"memory": "2Gi"}}
    refused = admin.post(f"{core}/pods", json=pod, params=DRY)

    assert filled.json()["spec"]["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        TOO_MUCH,
    )


def test_a_quota_without_a_status_and_one_that_is_full(admin: httpx.Client, namespace: str) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"services": "1"}}}
    admin.post(f"{core}/resourcequotas", json=quota)
    unknown = admin.post(f"{core}/services", json=examples.service(), params=DRY)
    status = {"status": {"hard": {"services": "1"}, "used": {"services": "1"}}}
    admin.patch(f"{core}/resourcequotas/q/status", json=status, headers=MERGE)
    full = admin.post(f"{core}/services", json=examples.service(), params=DRY)

    assert unknown.json()["message"].endswith(
        "is forbidden: status unknown for quota: q, resources: services"
    )
    assert full.json()["message"].endswith(
        "is forbidden: exceeded quota: q, requested: services=1, used: services=1, limited: services=1"
    )
    assert (unknown.status_code, full.status_code) == (403, 403)
