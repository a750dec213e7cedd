"""Whether a pod of a manifest's template would start."""

from typing import Any

import httpx
import pytest
from tests_self.building.drifted import NAMESPACE, Seen
from tests_self.building.kube_clients import Scripted
from tests_self.fast.systems.kubernetes.api_server.given import refusals, status
from tests_self.kubernetes import examples

from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document

WARNING = 'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
NO_RIGHT = 'pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "n"'


def tried(pod: KubeAnswer, seen: Seen, *more: KubeAnswer, warnings: tuple[str, ...] = ()) -> list[str]:
    """The refusals of a Deployment that the server accepts, where it says so of a pod."""
    missing = KubeAnswer(404, {"kind": "Status", "message": "not found", "details": {"name": "nox-api"}})
    accepted = KubeAnswer(200, {"kind": "Deployment", "metadata": {"name": "nox-api"}}, warnings)
    session = Scripted([missing, accepted, accepted, pod, *more])
    document = Document("a.yaml", 1, "Deployment", "nox-api", None, examples.deployment())
    return list(Kube(session, session, seen.append).refusals([document], "n").values())


@pytest.mark.parametrize(
    ("message", "is_refused"),
    [
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', True),
        ('pods "a" is forbidden: maximum cpu usage per Container is 1, but limit is 2', True),
        ('admission webhook "policy.example" denied the request: no limits', True),
        ('pods "a" is forbidden: exceeded quota: pods, requested: 1, used: 3, limited: 3', False),
        (
            'pods "a" is forbidden: error looking up service account n/nox: serviceaccount "nox" not found',
            False,
        ),
        ('admission webhook "old.example" does not support dry run', False),
    ],
)
def test_pod_that_would_not_start(message: str, is_refused: bool, seen: Seen) -> None:  # noqa: FBT001
    """What the other manifests, or the rollout's end, may change is said and not charged."""
    found = tried(status(403, message), seen)

    assert [line.endswith(f"no pod of it would start: {message}") for line in found] == [True] * is_refused
    assert is_refused or message in seen[-1].seen


@pytest.mark.parametrize(
    ("level", "version", "warned", "is_refused"),
    [
        ("restricted", "latest", "restricted:latest", True),
        ("restricted", "latest", "baseline:latest", True),  # restricted holds all of baseline
        ("restricted", "v1.30", "restricted:v1.30", True),
        ("restricted", "v1.20", "restricted:latest", False),  # it may be a control that came later
        ("baseline", "latest", "restricted:latest", False),
        ("privileged", "latest", "baseline:latest", False),
        (None, "latest", "restricted:latest", False),
    ],
)
def test_warning_counts_where_the_namespace_enforces_it(
    level: str | None, version: str, warned: str, *, is_refused: bool, seen: Seen
) -> None:
    """Without the right to create pods. A level that is only warned of refuses no pod."""
    labels = {"pod-security.kubernetes.io/enforce-version": version}
    labels |= {} if level is None else {"pod-security.kubernetes.io/enforce": level}
    namespace = KubeAnswer(200, {"kind": "Namespace", "metadata": {"name": "n", "labels": labels}})
    warning = WARNING.replace("restricted:latest", warned)
    found = tried(status(403, NO_RIGHT), seen, namespace, warnings=("a label is deprecated", warning))

    assert [warning in line for line in found] == [True] * is_refused
    assert f"the server warns: {warning}" in [each.seen for each in seen]
    assert is_refused or "not tried: a pod of its template" in seen[-1].seen


def test_pod_that_may_not_be_tried_is_said(seen: Seen) -> None:
    namespace = KubeAnswer(200, {"kind": "Namespace", "metadata": {"name": "n"}})
    assert tried(status(403, NO_RIGHT), seen, namespace) == []
    assert seen[-1].seen.startswith("not tried: a pod of its template")


POD_SECURITY = "pod-security.kubernetes.io/"
SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.mark.parametrize(
    ("labels", "context", "is_refused", "is_shown"),
    [
        ({"enforce": "restricted"}, {}, True, True),
        ({"enforce": "restricted", "warn": "privileged"}, {}, True, False),
        ({"enforce": "baseline"}, {"privileged": True}, True, True),
        ({"warn": "restricted"}, {}, False, True),
        ({"enforce": "baseline", "warn": "restricted"}, {}, False, True),
        ({"enforce": "baseline"}, {}, False, False),
        ({"enforce": "restricted"}, SAFE, False, False),
        ({"audit": "restricted"}, {}, False, False),
    ],
)
def test_pods_that_the_namespace_refuses(
    labels: dict[str, str],
    context: dict[str, Any],
    *,
    is_refused: bool,
    is_shown: bool,
    admin: httpx.Client,
    kube: Kube,
    seen: Seen,
) -> None:
    """By a server that enforces the standards: what it only warns of is shown, and not refused."""
    path = f"/api/v1/namespaces/{NAMESPACE}"
    headers = {"content-type": "application/merge-patch+json"}
    named = {f"{POD_SECURITY}{mode}": level for mode, level in labels.items()}
    admin.patch(path, json={"metadata": {"labels": named}}, headers=headers).raise_for_status()
    manifest = examples.deployment()
    for container in manifest["spec"]["template"]["spec"]["containers"]:
        container["securityContext"] = context
    try:
        found = refusals(kube, manifest)
    finally:
        none = dict.fromkeys(named)
        admin.patch(path, json={"metadata": {"labels": none}}, headers=headers).raise_for_status()

    assert ["no pod of it would start" in line and "violates PodSecurity" in line for line in found] == (
        [True] * is_refused
    )
    assert any("the server warns: would violate PodSecurity" in each.seen for each in seen) == is_shown
