"""Manifests are applied as the runbook's kubectl does it: client side, as a dry run."""

from typing import Any

import httpx
import pytest
from tests_self.building.drifted import NAMESPACE, Seen, applied
from tests_self.building.kube_clients import Scripted
from tests_self.fast.systems.kubernetes.api_server.given import refusals, status
from tests_self.kubernetes import examples

from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.api_server.applying import LAST_APPLIED, change
from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube


def large(size: int) -> dict[str, Any]:
    return examples.config_map("large", data="x" * size)


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(("size", "is_refused"), [(300_000, True), (261_900, False)])
def test_note_of_what_was_applied_has_a_limit(size: int, is_refused: bool, kube: Kube, seen: Seen) -> None:  # noqa: FBT001
    """Kubectl keeps the whole manifest in an annotation; a server-side apply keeps none."""
    found = refusals(kube, large(size))

    assert ["metadata.annotations: Too long" in line for line in found] == [True] * is_refused
    said = [each.seen for each in seen if "with --server-side it would be accepted" in each.seen]
    assert len(said) == is_refused


@pytest.mark.usefixtures("admin")
def test_signs_that_the_note_writes_longer(kube: Kube) -> None:
    """Go escapes < and its like, six bytes for one."""
    assert refusals(kube, examples.config_map("large", data="<" * 50_000)) != []


@pytest.mark.usefixtures("admin")
def test_limit_counts_for_what_is_there_already(admin: httpx.Client, kube: Kube) -> None:
    applied(admin, examples.config_map("large"))

    assert ["Too long" in line for line in refusals(kube, large(300_000))] == [True]


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    "more",
    [
        {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
        {"ports": [{"containerPort": 80}, {"containerPort": 80, "name": "again"}]},
    ],
)
def test_name_that_stands_twice(more: dict[str, Any], kube: Kube, seen: Seen) -> None:
    """Accepted, with a warning; and it is said that a server-side apply would end in an error."""
    manifest = examples.deployment()
    manifest["spec"]["template"]["spec"]["containers"][0] |= more

    assert refusals(kube, manifest) == []
    assert [each.seen for each in seen if each.seen.startswith("kubectl apply is accepted; with")] != []


def test_what_is_refused_either_way(admin: httpx.Client, kube: Kube) -> None:
    """New and there already: a field that is unknown, a value of another type."""
    unknown, wrong = examples.deployment(), examples.config_map("b", key=True)  # type: ignore[arg-type]
    unknown["spec"]["stratgy"] = {}
    assert [len(refusals(kube, each)) for each in (unknown, wrong)] == [1, 1]

    applied(admin, examples.deployment())
    applied(admin, examples.config_map("b"))
    assert [len(refusals(kube, each)) for each in (unknown, wrong)] == [1, 1]


def test_strategy_that_is_another(admin: httpx.Client, kube: Kube) -> None:
    """Kubectl lets the old one's fields go; to leave them would be refused."""
    applied(admin, examples.deployment())
    manifest = examples.deployment()
    manifest["spec"]["strategy"] = {"type": "Recreate"}

    assert refusals(kube, manifest) == []


def test_nothing_is_left_of_it(admin: httpx.Client, kube: Kube) -> None:
    refusals(kube, examples.config_map("b"))

    assert admin.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/b").status_code == 404


def test_what_the_last_manifest_said_and_this_does_not_goes() -> None:
    note = '{"spec": {"paused": true, "replicas": 2}}'
    live = {
        "metadata": {"name": "a", "annotations": {LAST_APPLIED: note}},
        "spec": {"paused": True, "replicas": 3},
    }
    sent = change(
        {"kind": "Deployment", "metadata": {"name": "a"}, "spec": {"replicas": 3}}, "n", "apps", live
    )

    assert sent.method == "PATCH"
    assert sent.body["spec"] == {"replicas": 3, "paused": None}
    assert sent.body["metadata"]["annotations"][LAST_APPLIED] == (
        '{"kind":"Deployment","metadata":{"annotations":{},"name":"a","namespace":"n"},"spec":{"replicas":3}}\n'
    )


def test_what_is_not_there_and_may_not_be_made() -> None:
    """A staging Ingress that is missing does not ask for a role to be bound."""
    message = (
        'ingresses is forbidden: User "x" cannot create resource "ingresses" in API group "networking.k8s.io"'
    )
    missing = {"kind": "Status", "message": "not found", "details": {"name": "nox-api-ingress"}}
    session = Scripted([KubeAnswer(404, missing), KubeAnswer(403, {"kind": "Status", "message": message})])
    with pytest.raises(UnreachableError, match=r"nox-api-ingress is not there in n, .* may make none"):
        Kube(session, session, lambda _: None).try_apply(examples.ingress(), "n")


def test_webhook_that_knows_no_dry_run_is_not_looked_at() -> None:
    missing = KubeAnswer(404, {"kind": "Status", "message": "not found", "details": {"name": "a"}})
    refused = status(400, 'admission webhook "old.example" does not support dry run')
    session = Scripted([missing, refused])
    with pytest.raises(UnreachableError, match=r"cannot try it: .*does not support dry run"):
        Kube(session, session, lambda _: None).try_apply(examples.config_map("a"), "n")
