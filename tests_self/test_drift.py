"""How a live object differs from its manifest."""

import copy
from typing import Any

from noxgate.clients.drift import drift

CONTAINER: dict[str, Any] = {"name": "api", "image": "v8", "env": [{"name": "A", "value": "1"}]}
MANIFEST: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "green"},
    "spec": {"template": {"spec": {"containers": [CONTAINER]}}},
}


def live(**metadata: Any) -> dict[str, Any]:
    """What the server keeps: the manifest, its own fields, and a default."""
    found = copy.deepcopy(MANIFEST)
    found["metadata"] |= {"resourceVersion": "7", "uid": "u", "generation": 2, **metadata}
    found["spec"]["progressDeadlineSeconds"] = 600
    found["status"] = {"replicas": 3}
    return found


def container(thing: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = thing["spec"]["template"]["spec"]["containers"][0]
    return found


def test_no_drift() -> None:
    """Nothing that the server, its controllers or an apply write is drift, nor a restart."""
    found = live(annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"})
    found["spec"]["replicas"] = 5  # an autoscaler's
    found["spec"]["clusterIP"] = "10.0.0.7"
    found["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}
    fresh = live(name="green-noxgate")
    fresh["spec"]["template"]["metadata"] = {"annotations": {}}

    assert drift(MANIFEST, found, copy.deepcopy(found), fresh) == []


def test_what_an_apply_would_change() -> None:
    found = live()
    container(found)["image"] = "v7"
    found["spec"]["paused"] = True

    assert drift(MANIFEST, found, live(), live()) == [
        "spec.paused: is true, the manifest says absent",
        "spec.template.spec.containers[api].image: is 'v7', the manifest says 'v8'",
    ]


def test_what_an_apply_would_leave() -> None:
    """Added by hand, whoever did it, or by a manifest that has it no longer: only a fresh object shows it."""
    found = live()
    container(found)["env"].append({"name": "DEBUG", "value": "1"})

    assert drift(MANIFEST, found, copy.deepcopy(found), live()) == [
        "spec.template.spec.containers[api].env[DEBUG]: is 2 entries, the manifest says absent"
    ]
    assert drift(MANIFEST, found, copy.deepcopy(found), None) == []


def test_values_are_not_shown() -> None:
    """Somebody may have typed a password into the live object: a variable, an argument, a whole list."""
    found = live()
    container(found)["env"][0]["value"] = "hunter2"
    container(found)["args"] = ["--token=hunter2"]
    container(found)["env"].append({"name": "B", "value": "hunter2"})

    lines = drift(MANIFEST, found, live(), live())
    assert len(lines) == 3
    assert [line for line in lines if "hunter2" in line] == []


def test_replicas_that_the_manifest_says_are_compared() -> None:
    manifest = copy.deepcopy(MANIFEST)
    manifest["spec"]["replicas"] = 3
    found, fresh = live(), live()
    found["spec"]["replicas"], fresh["spec"]["replicas"] = 5, 3

    assert drift(manifest, found, fresh, fresh) == ["spec.replicas: is 5, the manifest says 3"]
