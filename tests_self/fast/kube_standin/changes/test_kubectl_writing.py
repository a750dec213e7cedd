"""The real kubectl writes to the stand-in: apply, diff, patch, delete, and what a manifest has no longer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.kubectl import Kubectl

from noxgate.systems.kubernetes.api_server.applying import change

NAIVE = {"http": {"paths": [{"backend": {"service": {"name": "green", "port": {"number": 80}}}}]}}


def test_apply(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    """Create and update; what the file says no more goes, what it never said stays."""
    objects = [examples.deployment("other"), examples.ingress()]
    dry = kubectl("apply", "-f", manifest(*objects), "--dry-run=server")
    nothing = kubectl("get", "ingress")
    created = kubectl("apply", "-f", manifest(*objects))
    same = kubectl("apply", "-f", manifest(*objects))
    kubectl("scale", "deployment", "other", "--replicas=5")
    del objects[0]["spec"]["replicas"]
    container = objects[0]["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "C", "value": "3"}, {"name": "A", "value": "1"}]
    kubectl("apply", "-f", manifest(*objects))
    read = json.loads(kubectl("get", "deployment", "other", "-o", "json"))["spec"]

    assert [line.split()[1:] for line in dry.splitlines()] == [["created", "(server", "dry", "run)"]] * 2
    assert nothing.startswith("No resources found")
    assert [line.split()[1] for line in created.splitlines()] == ["created", "created"]
    assert [line.split()[1] for line in same.splitlines()] == ["unchanged", "unchanged"]
    assert read["template"]["spec"]["containers"][0]["env"] == container["env"]


def test_apply_refuses_an_unknown_field(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    output = kubectl("apply", "-f", manifest(examples.deployment("other", replica=3)), fails=True)

    assert 'strict decoding error: unknown field "spec.replica"' in output


def test_apply_by_the_server(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    kubectl("apply", "--server-side", "-f", manifest(examples.config_map(a="1")))
    path = manifest(examples.config_map(a="2"))
    refused = kubectl("apply", "--server-side", "--field-manager=gate", "-f", path, fails=True)

    assert 'conflict with "kubectl": .data.a' in refused


def test_apply_by_the_server_after_apply_by_the_client(
    kubectl: Kubectl, manifest: Callable[..., str]
) -> None:
    """Its fields are handed over, so what the file says no more goes."""
    kubectl("apply", "-f", manifest(examples.config_map(a="1", b="2")))
    kubectl("apply", "--server-side", "-f", manifest(examples.config_map(a="1")))
    kubectl("apply", "--server-side", "-f", manifest(examples.config_map(a="3")))

    assert json.loads(kubectl("get", "cm", "settings", "-o", "json"))["data"] == {"a": "3"}


def test_diff(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    kubectl("apply", "-f", manifest(examples.config_map(a="1")))
    same = kubectl("diff", "-f", manifest(examples.config_map(a="1")))
    changed = kubectl("diff", "-f", manifest(examples.config_map(a="2")), fails=True)

    assert same == ""
    assert {'-  a: "1"', '+  a: "2"'} <= set(changed.splitlines())


def test_patch(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    """The runbook's switch is refused; a JSON patch with a test keeps the host and the paths."""
    kubectl("apply", "-f", manifest(examples.ingress()))
    patch = ("patch", "ingress", "nox-api-ingress")
    name = "/spec/rules/0/http/paths/0/backend/service/name"
    refused = kubectl(*patch, "-p", json.dumps({"spec": {"rules": [NAIVE]}}), fails=True)
    safe = [
        {"op": "test", "path": name, "value": "blue"},
        {"op": "replace", "path": name, "value": "green"},
    ]
    kubectl(*patch, "--type=json", "-p", json.dumps(safe))
    again = kubectl(*patch, "--type=json", "-p", json.dumps(safe), fails=True)
    kubectl(*patch, "--type=merge", "-p", json.dumps({"metadata": {"labels": {"a": "b"}}}))
    read = json.loads(kubectl("get", "ingress", "nox-api-ingress", "-o", "json"))

    assert refused == (
        'The Ingress "nox-api-ingress" is invalid: spec.rules[0].http.paths[0].pathType: '
        "Required value: pathType must be specified\n"
    )
    assert "The request is invalid: the server rejected our request" in again
    assert read["metadata"]["labels"] == {"a": "b"}
    assert [path["backend"]["service"]["name"] for path in read["spec"]["rules"][0]["http"]["paths"]] == [
        "green",
        "blue",
    ]


def test_replaying_what_was_saved(kubectl: Kubectl, tmp_path: Path) -> None:
    """The runbook's rollback file: it is refused as soon as anything has changed since."""
    saved = tmp_path / "saved.yaml"
    saved.write_text(kubectl("get", "all", "-o", "yaml"))
    kubectl("scale", "deployment", "nox-api", "--replicas=5")
    output = kubectl("replace", "-f", str(saved), fails=True)

    assert "the object has been modified" in output


def test_delete(kubectl: Kubectl) -> None:
    printed = kubectl("delete", "pod", "nox-api-0")
    missing = kubectl("get", "pod", "nox-api-0", fails=True)
    again = kubectl("delete", "pod", "nox-api-0", "--ignore-not-found")

    assert printed == 'pod "nox-api-0" deleted\n' or printed.startswith('pod "nox-api-0" deleted from')
    assert missing == 'Error from server (NotFound): pods "nox-api-0" not found\n'
    assert again == ""


def pod_of(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a Deployment's pod."""
    return lambda made: made["spec"]["template"]["spec"].update(fields)


def first(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a Deployment's first container; None takes a field away."""

    def change_it(made: dict[str, Any]) -> None:
        container = made["spec"]["template"]["spec"]["containers"][0]
        container.update(fields)
        for name in [name for name, value in container.items() if value is None]:
            del container[name]

    return change_it


def without_sidecar(made: dict[str, Any]) -> None:
    made["spec"]["template"]["spec"]["containers"].pop()


FROM = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}}
KEPT = {"name": "data", "emptyDir": {}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            first(), lambda made: made["spec"]["template"]["spec"]["containers"].pop(), id="container"
        ),
        pytest.param(first(), first(env=[{"name": "B", "value": "2"}]), id="variable"),
        pytest.param(first(), first(env=None), id="variables"),
        pytest.param(first(env=[FROM]), first(env=[{"name": "A", "value": "1"}]), id="variable's source"),
        pytest.param(first(), first(ports=[{"containerPort": 3001}]), id="port"),
        pytest.param(first(), first(ports=[{"containerPort": 3002, "name": "http"}]), id="other port"),
        pytest.param(
            first(volumeMounts=[{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}]),
            first(volumeMounts=[{"name": "data", "mountPath": "/b", "readOnly": True}]),
            id="mount",
        ),
        pytest.param(
            pod_of(initContainers=[{"name": "one", "image": "a"}, {"name": "two", "image": "b"}]),
            pod_of(initContainers=[{"name": "two", "image": "c"}]),
            id="init container",
        ),
        pytest.param(pod_of(initContainers=[{"name": "one", "image": "a"}]), first(), id="init containers"),
        pytest.param(
            pod_of(imagePullSecrets=[{"name": "a"}, {"name": "b"}]),
            pod_of(imagePullSecrets=[{"name": "b"}]),
            id="pull secret",
        ),
        pytest.param(first(args=["a", "b"]), first(args=["b"]), id="a list without names"),
    ],
)
def test_what_a_manifest_has_no_longer_goes_as_kubectl_lets_it_go(
    before: Callable[[dict[str, Any]], None],
    after: Callable[[dict[str, Any]], None],
    kubectl: Kubectl,
    manifest: Callable[..., str],
    admin: httpx.Client,
) -> None:
    """The gate's patch leaves what kubectl's leaves; an old source beside a new value would be refused."""
    made: list[dict[str, Any]] = []
    for edit in (before, after):
        one = examples.deployment("changing")
        one["spec"]["template"]["spec"]["volumes"] = [KEPT]
        edit(one)
        made.append(one)
    kubectl("apply", "-f", manifest(made[0]))
    path = f"/apis/apps/v1/namespaces/{kubectl.namespace}/deployments/changing"
    sent = change(made[1], kubectl.namespace, "apps", admin.get(path).json())

    ours = admin.request(
        sent.method, path, params={"dryRun": "All"}, json=sent.body, headers={"content-type": sent.media_type}
    )
    theirs = json.loads(kubectl("apply", "--dry-run=server", "-o", "json", "-f", manifest(made[1])))
    assert ours.json()["spec"] == theirs["spec"]
