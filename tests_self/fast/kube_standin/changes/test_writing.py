"""Creating and updating: dry runs, conflicts, defaults, what is refused and in which words."""

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.examples import Json
from tests_self.kubernetes.refused import causes
from tests_self.kubernetes.workload import MERGE


def test_a_dry_run_stores_nothing(admin: httpx.Client, core: str) -> None:
    path = f"{core}/configmaps"
    dry = {"dryRun": "All"}
    admin.post(path, json=examples.config_map("kept", a="1"))
    before = admin.get(path).json()
    answers = [
        admin.post(path, json=examples.config_map("new"), params=dry),
        admin.put(f"{path}/kept", json=examples.config_map("kept", a="2"), params=dry),
        admin.patch(f"{path}/kept", json={"data": {"a": "3"}}, params=dry, headers=MERGE),
        admin.patch(
            f"{path}/applied",
            json=examples.config_map("applied"),
            params={**dry, "fieldManager": "ops"},
            headers={"content-type": "application/apply-patch+yaml"},
        ),
        admin.delete(f"{path}/kept", params=dry),
        admin.request("DELETE", f"{path}/kept", json={"dryRun": ["All"]}),
        admin.delete(path, params=dry),
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 201, 200, 200, 200]
    assert answers[1].json()["data"] == {"a": "2"}
    assert admin.get(path).json()["items"] == before["items"]
    assert admin.get(path).json()["metadata"] == before["metadata"]


def test_of_two_updates_of_one_version_the_second_conflicts(admin: httpx.Client, core: str) -> None:
    path = f"{core}/configmaps"
    read = admin.post(path, json=examples.config_map(a="1")).json()
    first = admin.put(f"{path}/settings", json={**read, "data": {"a": "2"}})
    second = admin.put(f"{path}/settings", json={**read, "data": {"a": "3"}})

    assert (first.status_code, second.status_code) == (200, 409)
    assert admin.get(f"{path}/settings").json()["data"] == {"a": "2"}


def test_an_update_that_names_no_version_is_unconditional(admin: httpx.Client, core: str) -> None:
    path = f"{core}/configmaps"
    admin.post(path, json=examples.config_map(a="1"))
    answer = admin.put(f"{path}/settings", json=examples.config_map(a="2"))

    assert (answer.status_code, answer.json()["data"]) == (200, {"a": "2"})


def test_replaying_what_was_read_conflicts_after_a_change(admin: httpx.Client, core: str) -> None:
    """Why `kubectl get -o yaml` does not make a rollback file: it carries the resourceVersion."""
    path = f"{core}/services"
    read = admin.post(path, json=examples.service()).json()
    admin.patch(f"{path}/nox-api", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
    answer = admin.put(f"{path}/nox-api", json=read)
    again = admin.post(path, json=read)

    assert answer.status_code == 409
    assert (again.status_code, again.json()["message"]) == (
        400,
        "resourceVersion should not be set on objects to be created",
    )


def test_create_in_a_missing_namespace(admin: httpx.Client) -> None:
    answer = admin.post("/api/v1/namespaces/no-such/pods", json=examples.pod())

    assert (answer.status_code, answer.json()["message"]) == (404, 'namespaces "no-such" not found')


def test_generated_names(admin: httpx.Client, core: str) -> None:
    body = {**examples.config_map(), "metadata": {"generateName": "settings-"}}
    found = {admin.post(f"{core}/configmaps", json=body).json()["metadata"]["name"] for _ in range(2)}

    assert len(found) == 2
    assert {name[:9] for name in found} == {"settings-"}


@pytest.mark.parametrize(
    ("metadata", "field", "start"),
    [
        ({}, "metadata.name", "Required value: name or generateName is required"),
        ({"name": "Not_Good"}, "metadata.name", 'Invalid value: "Not_Good": a lowercase RFC 1123 subdomain'),
        (
            {"name": "x", "labels": {"a": "not good"}},
            "metadata.labels",
            'Invalid value: "not good": a valid label',
        ),
    ],
)
def test_bad_metadata(admin: httpx.Client, core: str, metadata: Json, field: str, start: str) -> None:
    answer = admin.post(f"{core}/configmaps", json={**examples.config_map(), "metadata": metadata})
    ((where, message),) = causes(answer)

    assert where == field
    assert message.startswith(start)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"replicas": -1},
            [("spec.replicas", "Invalid value: -1: must be greater than or equal to 0")],
        ),
        (
            {"selector": {}},
            [("spec.selector", "Invalid value: {}: empty selector is invalid for deployment")],
        ),
        (
            {
                "template": {
                    "metadata": {"labels": {"app": "nox-api"}},
                    "spec": {"containers": [{"name": "a"}]},
                }
            },
            [("spec.template.spec.containers[0].image", "Required value")],
        ),
        (
            {"template": {"metadata": {"labels": {"app": "nox-api"}}, "spec": {"containers": []}}},
            [("spec.template.spec.containers", "Required value")],
        ),
        (
            {
                "template": {
                    "metadata": {"labels": {"app": "nox-api"}},
                    "spec": {
                        "containers": [
                            {
                                "name": "a",
                                "image": "a",
                                "volumeMounts": [{"name": "x", "mountPath": "/x"}],
                                "ports": [{"containerPort": 99999}],
                                "imagePullPolicy": "Sometimes",
                            }
                        ]
                    },
                }
            },
            [
                (
                    "spec.template.spec.containers[0].imagePullPolicy",
                    'Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
                ),
                (
                    "spec.template.spec.containers[0].ports[0].containerPort",
                    "Invalid value: 99999: must be between 1 and 65535, inclusive",
                ),
                ("spec.template.spec.containers[0].volumeMounts[0].name", 'Not found: "x"'),
            ],
        ),
    ],
)
def test_bad_deployment(
    admin: httpx.Client, apps: str, change: Json, expected: list[tuple[str, str]]
) -> None:
    answer = admin.post(f"{apps}/deployments", json=examples.deployment(**change))

    assert sorted(causes(answer)) == sorted(expected)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"replicas": "3"}, "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        (
            {"template": []},
            "array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec",
        ),
    ],
)
def test_wrong_type(admin: httpx.Client, apps: str, spec: Json, message: str) -> None:
    answer = admin.post(f"{apps}/deployments", json=examples.deployment(**spec))

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        f'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal {message}'
    )


def test_number_where_an_environment_variable_wants_text(admin: httpx.Client, apps: str) -> None:
    body = examples.deployment()
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": 1}]
    answer = admin.post(f"{apps}/deployments", json=body)

    assert answer.json()["message"].endswith(
        "json: cannot unmarshal number into Go struct field "
        "EnvVar.spec.template.spec.containers.env.value of type string"
    )


def test_field_that_comes_twice(admin: httpx.Client, core: str) -> None:
    text = '{"metadata": {"name": "x"}, "data": {"a": "1", "a": "2"}}'
    headers = {"content-type": "application/json"}
    strict = admin.post(
        f"{core}/configmaps", content=text, headers=headers, params={"fieldValidation": "Strict"}
    )
    warned = admin.post(f"{core}/configmaps", content=text, headers=headers)

    assert strict.json()["message"].endswith('strict decoding error: duplicate field "data.a"')
    assert (warned.status_code, warned.headers["warning"]) == (201, r'299 - "duplicate field \"data.a\""')


def test_quantities_are_stored_in_their_shortest_form(admin: httpx.Client, apps: str) -> None:
    body = examples.deployment()
    given = {"requests": {"cpu": 0.5, "memory": "1024Mi"}, "limits": {"cpu": "1000m", "memory": "1.5Gi"}}
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = given
    stored = admin.post(f"{apps}/deployments", json=body).json()
    bad = examples.deployment("bad")
    bad["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "much"}}
    refused = admin.post(f"{apps}/deployments", json=bad)

    assert stored["spec"]["template"]["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "500m", "memory": "1Gi"},
        "limits": {"cpu": "1", "memory": "1536Mi"},
    }
    assert "quantities must match the regular expression" in refused.json()["message"]


def test_selector_of_a_deployment_cannot_change(admin: httpx.Client, apps: str) -> None:
    admin.post(f"{apps}/deployments", json=examples.deployment())
    other = {"matchLabels": {"app": "nox-api", "x": "y"}}
    body = examples.deployment(selector=other)
    body["spec"]["template"]["metadata"]["labels"] = other["matchLabels"]
    answer = admin.put(f"{apps}/deployments/nox-api", json=body)

    assert causes(answer) == [
        ("spec.selector", 'Invalid value: {"matchLabels":{"app":"nox-api","x":"y"}}: field is immutable')
    ]


def test_address_of_a_service_is_kept_and_cannot_change(admin: httpx.Client, core: str) -> None:
    created = admin.post(f"{core}/services", json=examples.service()).json()
    kept = admin.put(f"{core}/services/nox-api", json=examples.service(sessionAffinity="ClientIP")).json()
    changed = admin.patch(
        f"{core}/services/nox-api",
        json={"spec": {"clusterIP": "10.96.9.9", "clusterIPs": ["10.96.9.9"]}},
        headers=MERGE,
    )

    assert kept["spec"]["clusterIP"] == created["spec"]["clusterIP"]
    assert kept["spec"]["sessionAffinity"] == "ClientIP"
    assert causes(changed) == [
        ("spec.clusterIPs[0]", 'Invalid value: ["10.96.9.9"]: may not change once set')
    ]


@pytest.mark.parametrize(
    ("kind", "group", "plural", "body", "change", "field"),
    [
        ("Pod", "api/v1", "pods", examples.pod(), {"spec": {"hostname": "x"}}, "spec"),
        (
            "Secret",
            "api/v1",
            "secrets",
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "x"},
                "immutable": True,
                "data": {"a": "YQ=="},
            },
            {"data": {"a": "Yg=="}},
            "data",
        ),
    ],
)
def test_what_cannot_change(
    admin: httpx.Client,
    namespace: str,
    kind: str,
    group: str,
    plural: str,
    body: Json,
    change: Json,
    field: str,
) -> None:
    path = f"/{group}/namespaces/{namespace}/{plural}"
    created = admin.post(path, json=body).json()
    answer = admin.patch(f"{path}/{created['metadata']['name']}", json=change, headers=MERGE)

    assert created["kind"] == kind
    assert [where for where, _ in causes(answer)] == [field]


def test_a_role_binding_keeps_its_role(admin: httpx.Client, namespace: str) -> None:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    admin.post(path, json=examples.binding("b", "one"))
    answer = admin.put(f"{path}/b", json=examples.binding("b", "two"))

    assert [message.rpartition(": ")[2] for _, message in causes(answer)] == ["cannot change roleRef"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            {"path": "/", "backend": {"service": {"name": "a", "port": {"number": 80}}}},
            [("pathType", "Required value: pathType must be specified")],
        ),
        (
            {
                "path": "/",
                "pathType": "prefix",
                "backend": {"service": {"name": "a", "port": {"number": 80}}},
            },
            [
                (
                    "pathType",
                    (
                        'Unsupported value: "prefix": supported values: '
                        '"Exact", "ImplementationSpecific", "Prefix"'
                    ),
                )
            ],
        ),
        (
            {
                "path": "api",
                "pathType": "Prefix",
                "backend": {"service": {"name": "a", "port": {"number": 80}}},
            },
            [("path", 'Invalid value: "api": must be an absolute path')],
        ),
        (
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "a"}}},
            [("backend", "Required value: port name or number is required")],
        ),
    ],
)
def test_bad_ingress(
    admin: httpx.Client, namespace: str, path: Json, expected: list[tuple[str, str]]
) -> None:
    body = examples.ingress()
    body["spec"]["rules"][0]["http"]["paths"] = [path]
    answer = admin.post(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", json=body)

    assert causes(answer) == [(f"spec.rules[0].http.paths[0].{field}", why) for field, why in expected]


def test_secrets(admin: httpx.Client, core: str) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "not base64!"}}
    answer = admin.post(f"{core}/secrets", json=body)

    assert (answer.status_code, answer.json()["message"]) == (
        400,
        'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    )
