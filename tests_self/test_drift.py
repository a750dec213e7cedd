"""How a live object differs from its manifest."""

import copy
from typing import Any

from noxgate.clients.drift import drift

MANIFEST: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "green"},
    "spec": {
        "template": {
            "spec": {"containers": [{"name": "api", "image": "v8", "env": [{"name": "A", "value": "1"}]}]}
        }
    },
}


def live(**metadata: Any) -> dict[str, Any]:
    """What the server keeps: the manifest, its own fields, and a default."""
    found = copy.deepcopy(MANIFEST)
    found["metadata"] |= {"resourceVersion": "7", "uid": "u", "generation": 2, **metadata}
    found["spec"]["progressDeadlineSeconds"] = 600
    found["status"] = {"replicas": 3}
    return found


def managed(manager: str, fields: dict[str, Any], operation: str = "Update", **more: str) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "time": "2026-01-01T00:00:00Z",
        "fieldsV1": fields,
        **more,
    }


def env(name: str) -> dict[str, Any]:
    value: dict[str, Any] = {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, "f:value": {}}}
    container = {'k:{"name":"api"}': {"f:env": value}}
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": container}}}}


def test_no_drift() -> None:
    """Nothing that the server, its controllers or an apply write is drift."""
    found = live(
        managedFields=[managed("kubectl-edit", env("A")), managed("kubectl", env("A"), "Apply")],
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"},
    )

    assert drift(MANIFEST, found, live(resourceVersion="8", managedFields=[])) == []


def test_what_an_apply_would_change() -> None:
    found = live()
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "v7"
    found["spec"]["paused"] = True

    assert drift(MANIFEST, found, live()) == [
        "spec.paused: is true, the manifest says absent",
        'spec.template.spec.containers[api].image: is "v7", the manifest says "v8"',
    ]


def test_values_of_variables_are_not_shown() -> None:
    """Somebody may have typed a password into the live object."""
    found = live()
    found["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "hunter2"

    (line,) = drift(MANIFEST, found, live())
    assert "env[A].value" in line
    assert "hunter2" not in line


def test_what_was_added_by_hand() -> None:
    """An apply keeps what it does not know."""
    found = live(managedFields=[managed("kubectl-edit", env("DEBUG"))])

    lines = drift(MANIFEST, found, found)
    assert [line.partition(":")[0] for line in lines] == [
        "spec.template.spec.containers[api].env[DEBUG].name",
        "spec.template.spec.containers[api].env[DEBUG].value",
    ]
    assert "kubectl-edit" in lines[0]


def test_what_an_earlier_apply_left() -> None:
    """The file no longer says it; another manager's apply does not take it away."""
    found = live(managedFields=[managed("kubectl", env("OLD"), "Apply")])

    assert drift(MANIFEST, found, found) != []


def test_controllers_and_restarts_are_no_edits() -> None:
    entries = [
        managed("kube-controller-manager", {"f:spec": {"f:replicas": {}}}),
        managed("kubectl-edit", {"f:status": {"f:replicas": {}}}, subresource="status"),
        managed(
            "kubectl-rollout", {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:x": {}}}}}}
        ),
    ]
    found = live(managedFields=entries)

    assert drift(MANIFEST, found, found) == []
