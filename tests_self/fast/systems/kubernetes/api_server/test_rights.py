"""Roles and what gathers them: compared with the cluster's, and not applied as a dry run."""

from typing import Any

import httpx
import pytest
from tests_self.building.drifted import NAMESPACE, Seen, found
from tests_self.fast.systems.kubernetes.api_server.given import refusals

from noxgate.systems.kubernetes.kube import Kube


def test_rights_are_compared_and_never_tried(admin: httpx.Client, kube: Kube, seen: Seen) -> None:
    """The gate may write none, not even as a dry run; the line says how they were judged."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "nox"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    assert refusals(kube, role) == []
    assert [each.seen for each in seen if "there is none yet" in each.seen] != []
    assert found(kube, role) == ["is not there"]

    where = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles"
    assert admin.post(where, json=role, params={"fieldManager": "kubectl-create"}).status_code == 201
    assert found(kube, role) == []
    assert [each.seen for each in seen if each.seen.startswith("compared with its manifest alone")] != []

    more = {**role, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}]}
    assert [line.startswith("rules") for line in found(kube, more)] == [True]
    admin.delete(f"{where}/nox")


@pytest.mark.usefixtures("admin")
def test_role_that_gathers_others(admin: httpx.Client, kube: Kube, seen: Seen) -> None:
    """The cluster fills its rules in: those of the manifest do not count; what gathers them is compared."""
    role: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "gathers"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"nox": "view"}}]},
        "rules": [],
    }
    where = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    admin.post(where, json=role, params={"fieldManager": "kubectl-create"}).raise_for_status()
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    headers = {"content-type": "application/merge-patch+json"}
    admin.patch(f"{where}/gathers", json={"rules": rules}, headers=headers).raise_for_status()
    try:
        assert (found(kube, role), refusals(kube, role)) == ([], [])
        assert [each.seen for each in seen if each.seen.endswith("the live one is the same")] != []
        bare = {key: each for key, each in role.items() if key != "rules"}
        assert found(kube, bare) == []
        other = {**role, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"nox": "edit"}}]}}
        assert [line.startswith("aggregationRule") for line in found(kube, other)] == [True]
    finally:
        admin.delete(f"{where}/gathers")
