"""Which other Ingresses take requests of ours: by host, path, class, annotations and namespace."""

import copy
from typing import TYPE_CHECKING

import httpx
import pytest
from tests_self.fast.blue_green.traffic.given import Green3, Json, ingress, seen_as
from tests_self.kubernetes.servers import Server
from tests_self.service import GREEN

from noxgate.blue_green.traffic import ingresses_of, rivals
from noxgate.systems.kubernetes.kube import Kube

if TYPE_CHECKING:
    from noxgate.look.observation import Observation


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        (ingress("other", **{"/": "x"}), ["api.nox.example/"]),
        (ingress("other", **{"/api/v1": "x"}), ["api.nox.example/api/v1"]),
        (
            ingress("other", **{"/docs": "x", "/ws/deep": "x"}),
            ["api.nox.example/docs", "api.nox.example/ws/deep"],
        ),
        (ingress("other", host="www.nox.example"), []),
        (ingress("other", **{"/.well-known/acme-challenge/token": "x"}), []),
    ],
)
def test_another_ingress(other: Json, taken: list[str]) -> None:
    ours = ingress() | {"metadata": {"name": "nox-api-ingress", "namespace": "nox-production"}}
    other = copy.deepcopy(other)
    other["metadata"]["namespace"] = "shop"

    assert rivals(ours, [ours, other]) == ({"shop/other": taken} if taken else {})


def test_an_ingress_of_another_class_or_beside_our_paths_is_none() -> None:
    ours = ingress(**{"/api": GREEN}) | {"metadata": {"name": "nox-api-ingress", "namespace": "nox"}}
    ours["spec"]["ingressClassName"] = "public"
    inside = ingress("inside", **{"/api/v1": "x"}) | {"metadata": {"name": "inside", "namespace": "nox"}}
    inside["spec"]["ingressClassName"] = "internal"
    beside = ingress("beside", **{"/apiary": "x", "/": "y"}) | {
        "metadata": {"name": "beside", "namespace": "nox"}
    }

    assert rivals(ours, [inside, beside]) == {}


CLASS, CANARY = "kubernetes.io/ingress.class", "nginx.ingress.kubernetes.io/canary"


@pytest.mark.parametrize(
    ("named", "notes", "is_rival"),
    [
        ("public", {CLASS: "alb"}, False),
        ("public", {CLASS: "public"}, True),
        (None, {CLASS: "alb"}, True),  # ours is of the default class: which one is not known
        ("public", {}, True),
        ("public", {CANARY: "true", f"{CANARY}-weight": "0"}, False),
        ("public", {CANARY: "true", f"{CANARY}-by-header": "x-tester"}, False),
        ("public", {CANARY: "true", f"{CANARY}-weight": "5"}, True),
        ("public", {CANARY: "true", f"{CANARY}-by-cookie": "chosen"}, True),
        ("public", {CANARY: "false", f"{CANARY}-weight": "0"}, True),
    ],
)
def test_what_annotations_say_of_a_rival(named: str | None, notes: dict[str, str], *, is_rival: bool) -> None:
    """A class by the older way, and a canary to which no share of the requests goes."""
    ours = ingress(**{"/": GREEN}) | {"metadata": {"name": "nox-api-ingress", "namespace": "nox"}}
    ours["spec"] |= {"ingressClassName": named} if named else {}
    other = ingress("other", **{"/": "x"})
    other["metadata"] = {"name": "other", "namespace": "nox", "annotations": notes}

    assert bool(rivals(ours, [other])) is is_rival


def test_namespaces_that_cannot_be_looked_at_are_said(
    admin: httpx.Client, server: Server, kube: Kube, green: Green3
) -> None:
    green.make(admin)
    role = {"metadata": {"name": "r"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list"]}]}
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{green.namespace}"
    admin.post(f"{rbac}/roles", json=role)
    subjects = [{"kind": "User", "name": "release-gate", "apiGroup": "rbac.authorization.k8s.io"}]
    reference = {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
    admin.post(
        f"{rbac}/rolebindings", json={"metadata": {"name": "b"}, "subjects": subjects, "roleRef": reference}
    )
    said: list[Observation] = []
    everywhere = ingresses_of(kube, [green.namespace], said.append)
    assert said == []
    for narrow in seen_as(server, "reader"):
        there = ingresses_of(narrow, [green.namespace], said.append)

    assert len(there) == 1 <= len(everywhere)
    assert [each.seen for each in said] == [
        f"not looked at: Ingresses of other namespaces than {green.namespace}"
    ]
