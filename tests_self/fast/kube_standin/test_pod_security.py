"""Pod Security Admission: what each level refuses, what is only warned of, in a real server's words."""

from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples

Json = dict[str, Any]
MERGE = {"content-type": "application/merge-patch+json"}
DRY = {"dryRun": "All"}
LABEL = "pod-security.kubernetes.io/"
RESTRICTED: Json = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
# As kubectl shows it in the Kubernetes documentation's own tutorial.
NOTHING_SAID = (
    'allowPrivilegeEscalation != false (container "c" must set '
    "securityContext.allowPrivilegeEscalation=false), "
    'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
    'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
    'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" '
    'or "Localhost")'
)


def container(name: str = "c", context: Json | None = None, **more: Any) -> Json:
    return {"name": name, "image": "i", "securityContext": context or {}, **more}


def pod(*containers: Json, annotations: Json | None = None, **spec: Any) -> Json:
    metadata = {"name": "p", "annotations": annotations or {}}
    return {"metadata": metadata, "spec": {"containers": list(containers) or [container()], **spec}}


def label(admin: httpx.Client, namespace: str, **labels: str) -> httpx.Response:
    named = {LABEL + name.replace("_", "-"): value for name, value in labels.items()}
    body = {"metadata": {"labels": named}}
    return admin.patch(f"/api/v1/namespaces/{namespace}", json=body, headers=MERGE)


def tried(admin: httpx.Client, namespace: str, body: Json) -> tuple[int, str, list[str]]:
    """Status, message and warnings of a pod's dry run."""
    answer = admin.post(f"/api/v1/namespaces/{namespace}/pods", json=body, params=DRY)
    return answer.status_code, answer.json().get("message", ""), said(answer)


def said(answer: httpx.Response) -> list[str]:
    texts = answer.headers.get_list("warning")
    return [text.partition(' - "')[2][:-1].replace('\\"', '"') for text in texts]


PRIVILEGES = RESTRICTED | {"privileged": True, "allowPrivilegeEscalation": True}
VIOLATE = "violate the new PodSecurity enforce level"
SELINUX = "securityContext.seLinuxOptions"
ADDING = "in securityContext.capabilities.add)"
PRIVILEGED = 'privileged (container "{}" must not set securityContext.privileged=true)'
ESCALATES = (
    'allowPrivilegeEscalation != false (container "b" must set '
    "securityContext.allowPrivilegeEscalation=false)"
)
BASELINE = [
    (pod(container(context={"privileged": True})), PRIVILEGED.format("c")),
    (pod(hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
    (pod(volumes=[{"name": "v", "hostPath": {"path": "/etc"}}]), 'hostPath volumes (volume "v")'),
    (
        pod(container(ports=[{"containerPort": 80, "hostPort": 80}, {"containerPort": 90, "hostPort": 90}])),
        'hostPort (container "c" uses hostPorts 80, 90)',
    ),
    (
        pod(container("a", {"capabilities": {"add": ["NET_RAW", "CHOWN"]}}), container("b")),
        f'non-default capabilities (container "a" must not include "NET_RAW" {ADDING}',
    ),
    (
        pod(securityContext={"seccompProfile": {"type": "Unconfined"}}),
        'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ),
    (
        pod(container(context={"appArmorProfile": {"type": "Unconfined"}})),
        'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
    ),
    (
        pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        "forbidden sysctls (kernel.msgmax)",
    ),
    (
        pod(container(context={"procMount": "Unmasked"})),
        'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ),
    (
        pod(securityContext={"seLinuxOptions": {"type": "spc_t", "role": "r"}}),
        f'seLinuxOptions (pod set forbidden {SELINUX}: type "spc_t"; role may not be set)',
    ),
    (
        pod(container(livenessProbe={"httpGet": {"port": 80, "host": "10.0.0.1"}})),
        'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")',
    ),
]


@pytest.mark.parametrize(("body", "why"), BASELINE)
def test_baseline(admin: httpx.Client, namespace: str, body: Json, why: str) -> None:
    label(admin, namespace, enforce="baseline")
    assert tried(admin, namespace, body)[:2] == (
        403,
        f'pods "p" is forbidden: violates PodSecurity "baseline:latest": {why}',
    )


@pytest.mark.parametrize(
    "body",
    [
        pod(),
        pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "nfs": {"server": "s", "path": "/"}}]),
        pod(container(context={"capabilities": {"add": ["CHOWN"]}})),
        pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}),
        pod(container(context={"runAsUser": 0})),
    ],
)
def test_baseline_takes(admin: httpx.Client, namespace: str, body: Json) -> None:
    label(admin, namespace, enforce="baseline")
    assert tried(admin, namespace, body) == (201, "", [])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (pod(), NOTHING_SAID),
        (
            pod(container(context=RESTRICTED | {"runAsUser": 0})),
            'runAsUser=0 (container "c" must not set runAsUser=0)',
        ),
        (
            pod(
                container(context=RESTRICTED | {"runAsNonRoot": False}),
                securityContext={"runAsNonRoot": True},
            ),
            'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)',
        ),
        (
            pod(
                container(context=RESTRICTED),
                volumes=[
                    {"name": "v", "hostPath": {"path": "/etc"}},
                    {"name": "w", "nfs": {"server": "s", "path": "/"}},
                ],
            ),
            'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
        ),
        (
            pod(container(context=RESTRICTED | {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}})),
            f'unrestricted capabilities (container "c" must not include "CHOWN" {ADDING}',
        ),
        (
            pod(container("a", RESTRICTED), initContainers=[container("b", PRIVILEGES)]),
            f"{PRIVILEGED.format('b')}, {ESCALATES}",
        ),
    ],
)
def test_restricted(admin: httpx.Client, namespace: str, body: Json, why: str) -> None:
    label(admin, namespace, enforce="restricted")
    assert tried(admin, namespace, body)[:2] == (
        403,
        f'pods "p" is forbidden: violates PodSecurity "restricted:latest": {why}',
    )


OF_THE_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
OF_CONTAINERS = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


@pytest.mark.parametrize(
    "body",
    [
        pod(container(context=RESTRICTED)),
        pod(container(context=OF_CONTAINERS), securityContext=OF_THE_POD),
        pod(container(context=RESTRICTED | {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}})),
        pod(
            container(context=OF_CONTAINERS),
            securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}},
            hostUsers=False,
        ),
    ],
)
def test_restricted_takes(admin: httpx.Client, namespace: str, body: Json) -> None:
    label(admin, namespace, enforce="restricted")
    assert tried(admin, namespace, body) == (201, "", [])


@pytest.mark.parametrize(
    ("labels", "status", "level"),
    [
        ({"warn": "restricted"}, 201, "restricted"),
        ({"audit": "restricted"}, 201, None),
        ({"enforce": "baseline", "warn": "restricted"}, 201, "restricted"),
        ({"enforce": "baseline"}, 201, None),
        ({"enforce": "privileged", "warn": "baseline"}, 201, None),
        ({"enforce": "restricted", "warn": "privileged"}, 403, None),
        ({"enforce": "restricted"}, 403, None),  # what is refused is not warned of, too
        ({}, 201, None),
    ],
)
def test_pods_are_refused_by_what_is_enforced(
    admin: httpx.Client, namespace: str, labels: dict[str, str], status: int, level: str | None
) -> None:
    label(admin, namespace, **labels)
    warned = [] if level is None else [f'would violate PodSecurity "{level}:latest": {NOTHING_SAID}']
    seen = tried(admin, namespace, pod(container()))
    assert (seen[0], seen[2]) == (status, warned)


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        ({"enforce": "restricted"}, "restricted"),  # without a word of its own, what is warned of is this
        ({"enforce": "restricted", "warn": "privileged"}, None),
        ({"warn": "restricted"}, "restricted"),
        ({"enforce": "baseline"}, None),
    ],
)
def test_workload_is_warned_of_and_never_refused(
    admin: httpx.Client, namespace: str, labels: dict[str, str], level: str | None
) -> None:
    label(admin, namespace, **labels)
    body = examples.deployment()
    body["spec"]["template"]["spec"]["containers"] = [container()]
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    made = admin.post(path, json=body)
    warned = [] if level is None else [f'would violate PodSecurity "{level}:latest": {NOTHING_SAID}']
    patched = admin.patch(f"{path}/nox-api", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)

    assert (made.status_code, said(made)) == (201, warned)
    assert said(patched) == warned
    scaled = admin.patch(f"{path}/nox-api/scale", json={"spec": {"replicas": 2}}, headers=MERGE)
    assert (scaled.status_code, said(scaled)) == (200, [])


def test_labels_that_name_no_level(admin: httpx.Client, namespace: str) -> None:
    refused = label(admin, namespace, enforce="strict", warn_version="1.30")
    assert refused.status_code == 422
    assert refused.json()["message"] == (
        f'Namespace "{namespace}" is invalid: [metadata.labels[{LABEL}enforce]: Invalid value: "strict": '
        f"must be one of privileged, baseline, restricted, metadata.labels[{LABEL}warn-version]: "
        'Invalid value: "1.30": must be "latest" or "v1.x"]'
    )


def test_stricter_level_warns_of_the_pods_that_are_there(admin: httpx.Client, namespace: str) -> None:
    for name in ("b", "a", "c"):
        body = pod() | {"metadata": {"name": name}}
        admin.post(f"/api/v1/namespaces/{namespace}/pods", json=body).raise_for_status()
    reasons = (
        "allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile"
    )
    assert said(label(admin, namespace, enforce="restricted")) == [
        f'existing pods in namespace "{namespace}" {VIOLATE} "restricted:latest"',
        f"a (and 2 other pods): {reasons}",
    ]
    assert said(label(admin, namespace, enforce="baseline")) == []
    changed = {"metadata": {"labels": {"x": "y"}}}
    assert admin.patch(f"/api/v1/namespaces/{namespace}/pods/a", json=changed, headers=MERGE).is_success
    image = {"spec": {"containers": [{"name": "c", "image": "j"}]}}
    label(admin, namespace, enforce="restricted")
    strategic = {"content-type": "application/strategic-merge-patch+json"}
    other = admin.patch(f"/api/v1/namespaces/{namespace}/pods/a", json=image, headers=strategic)
    assert other.status_code == 403, other.text


def test_level_of_an_earlier_version_is_not_known(admin: httpx.Client, namespace: str) -> None:
    label(admin, namespace, enforce="baseline", enforce_version="v1.20")
    assert tried(admin, namespace, pod())[0] == 501
