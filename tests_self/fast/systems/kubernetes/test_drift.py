"""How a live object differs from its manifest."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from noxgate.systems.kubernetes.api_server.written import CONTROLLERS
from noxgate.systems.kubernetes.drift import drift
from noxgate.systems.kubernetes.secret_values import hidden

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


def wrote(manager: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    """An entry of managedFields."""
    return {"manager": manager, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": fields, **more}


@pytest.mark.parametrize(
    ("note", "manager", "is_drift"),
    [
        ("field.cattle.io/publicEndpoints", "agent", False),  # Rancher's
        ("ingress.kubernetes.io/url-map", "glbc", False),
        ("ingress.kubernetes.io/rewrite-target", "agent", True),
    ],
)
def test_who_noted_something(note: str, manager: str, *, is_drift: bool) -> None:
    """What a program notes of itself is not a change, under any name of its binary."""
    written: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{note}": {}}}}
    found = live(annotations={note: "[]"}, managedFields=[wrote(manager, written)])

    assert bool(drift(MANIFEST, found, copy.deepcopy(found), live())) is is_drift


def test_restart_of_a_template_without_annotations() -> None:
    """Then the restart brings the annotations' map, and even the template's metadata."""
    found = live()
    found["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}

    assert drift(MANIFEST, found, copy.deepcopy(found), live()) == []


def test_restart_that_the_manifest_says_is_compared() -> None:
    manifest = copy.deepcopy(MANIFEST)
    manifest["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "then"}}
    wished = live()
    wished["spec"]["template"] = manifest["spec"]["template"]

    assert len(drift(manifest, live(), wished, wished)) == 1


ADDED: dict[str, Any] = {
    "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"side"}': {".": {}, "f:image": {}}}}}}
}
LABEL: dict[str, Any] = {"f:metadata": {"f:labels": {"f:x": {}}}}
SIDECAR = "spec.template.spec.containers[side]: is 2 entries, the manifest says absent"


@pytest.mark.parametrize("is_fresh", [True, False])
@pytest.mark.parametrize(
    ("manager", "is_drift"),
    [
        ("kubectl-edit", True),
        ("kubectl-patch", True),
        ("kubectl-client-side-apply", True),
        ("curl", True),
        ("istiod", False),
        ("kube-controller-manager", False),
    ],
)
def test_who_added_a_sidecar(manager: str, is_drift: bool, is_fresh: bool) -> None:  # noqa: FBT001
    """Also where the dry run under a second name is refused: defaults of the server are not edits by hand."""
    found = live(managedFields=[wrote(manager, ADDED | LABEL)], labels={"x": "y"})
    found["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "proxy"})

    lines = drift(MANIFEST, found, copy.deepcopy(found), live() if is_fresh else None)
    label = "metadata.labels.x: is another text, the manifest says absent"
    assert lines == ([SIDECAR, label] if is_drift else [])


def test_status_is_the_controllers_whoever_writes_it() -> None:
    fields: dict[str, Any] = {"f:status": {"f:replicas": {}}}
    found = live(managedFields=[wrote("curl", fields, subresource="status")])

    assert drift(MANIFEST, found, copy.deepcopy(found), live()) == []


def test_what_the_server_wrote_has_no_manager() -> None:
    """An address that it chose, or a default of the day on which the object was made."""
    found = live(managedFields=[wrote("kubectl-client-side-apply", LABEL)])
    found["spec"]["revisionHistoryLimit"] = 10

    assert drift(MANIFEST, found, copy.deepcopy(found), live()) == []


def test_default_and_addition_are_not_told_apart_without_a_dry_run() -> None:
    """It is said, and no drift: whoever applies owns the defaults of that moment, too."""
    paths: dict[str, Any] = {"f:template": {"f:spec": {"f:containers": {}}}, "f:progressDeadlineSeconds": {}}
    found = live(managedFields=[wrote("kubectl-client-side-apply", {"f:spec": paths})])
    said: list[str] = []

    assert drift(MANIFEST, found, copy.deepcopy(found), None, said.append) == []
    assert said == ["spec.progressDeadlineSeconds: no dry run shows the defaults"]


def test_service_account_of_a_cluster_that_adds_to_it() -> None:
    """OpenShift's controllers write secrets and a note; here, without managedFields, it is said."""
    manifest = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nox-api"}}
    note = {"openshift.io/internal-registry-pull-secret-ref": "d"}
    found = {**manifest, "metadata": {"name": "nox-api", "annotations": note}, "secrets": [{"name": "d"}]}
    found["imagePullSecrets"] = [{"name": "d"}]
    said: list[str] = []

    assert drift(manifest, found, copy.deepcopy(found), manifest, said.append) == []
    assert "imagePullSecrets, secrets, metadata.annotations.openshift.io" in said[0]
    assert "has no managedFields" in said[0]


@pytest.mark.parametrize("kind", ["ValidatingWebhookConfiguration", "CustomResourceDefinition"])
@pytest.mark.parametrize("fields", [None, [{"manager": "cainjector"}], [{"manager": "kubectl-edit"}]])
def test_ca_bundle(kind: str, fields: list[dict[str, Any]] | None) -> None:
    manifest = {"kind": kind, "metadata": {"name": "a"}, "webhooks": [{"name": "w", "clientConfig": {}}]}
    found = copy.deepcopy(manifest)
    found["webhooks"][0]["clientConfig"]["caBundle"] = "YQ=="  # type: ignore[index]
    if fields is not None:
        path: dict[str, Any] = {"f:webhooks": {'k:{"name":"w"}': {"f:clientConfig": {"f:caBundle": {}}}}}
        found["metadata"]["managedFields"] = [wrote(**each, fields=path) for each in fields]  # type: ignore[index]

    lines = drift(manifest, found, copy.deepcopy(found), manifest)
    assert bool(lines) == (fields == [{"manager": "kubectl-edit"}])


def test_what_the_server_makes_of_a_name_is_no_drift() -> None:
    """A Job's selector and labels, from its uid; a Namespace's label, from its name."""
    uid = {"batch.kubernetes.io/controller-uid": "u", "controller-uid": "u", "job-name": "a"}
    job = {"kind": "Job", "metadata": {"name": "a"}, "spec": {"template": {"spec": {}}}}
    made = {
        **job,
        "spec": {"selector": {"matchLabels": uid}, "template": {"metadata": {"labels": uid}, "spec": {}}},
    }
    fresh = copy.deepcopy(made)
    fresh["spec"]["selector"]["matchLabels"] = uid | {"controller-uid": "v"}  # type: ignore[index]
    name = {"kind": "Namespace", "metadata": {"name": "n"}}
    labels = {"kubernetes.io/metadata.name": "n"}
    there = {**name, "metadata": {"name": "n", "labels": labels}, "spec": {"finalizers": ["kubernetes"]}}

    assert drift(job, made, copy.deepcopy(made), fresh) == []
    assert drift(job, made, copy.deepcopy(made), None) == []
    assert drift(name, there, copy.deepcopy(there), None) == []


def test_secrets_differ_without_being_shown() -> None:
    """By key; stringData is data that the server encodes."""
    manifest = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "one", "b": "two"}}
    found = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "b25l", "b": "dGhyZWU=", "c": "eA=="}}
    wished = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "b25l", "b": "dHdv", "c": "eA=="}}
    fresh = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "b25l", "b": "dHdv"}}

    assert drift(hidden(manifest), hidden(found), hidden(wished), hidden(fresh)) == [
        "data.b: is another text, the manifest says another text",
        "data.c: is another text, the manifest says absent",
    ]


def test_list_of_controllers_is_the_one_of_the_page() -> None:
    page = (Path(__file__).parents[4] / "docs" / "ROLES.md").read_text()
    listed = page.split("<!-- controllers -->")[1]

    assert sorted(re.findall(r"`([\w-]+)`", listed)) == sorted(CONTROLLERS)
