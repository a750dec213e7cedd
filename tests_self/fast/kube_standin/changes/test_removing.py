"""Deleting: grace, finalizers, preconditions, dependents, collections, namespaces, evictions."""

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.workload import MERGE

from noxgate.look.waiting import eventually


def test_a_pod_that_no_node_runs_is_deleted_at_once(admin: httpx.Client, core: str) -> None:
    admin.post(f"{core}/pods", json=examples.pod())
    answer = admin.delete(f"{core}/pods/nox-api-0")

    assert (answer.json()["kind"], admin.get(f"{core}/pods/nox-api-0").status_code) == ("Pod", 404)


def test_a_pod_on_a_node_ends_with_grace(admin: httpx.Client, core: str) -> None:
    """Until the rehearsal, in the place of the kubelet, deletes it with no grace left."""
    body = examples.pod()
    body["spec"]["nodeName"] = "here"
    admin.post(f"{core}/pods", json=body)
    going = admin.delete(f"{core}/pods/nox-api-0").json()["metadata"]
    still = admin.get(f"{core}/pods/nox-api-0")
    admin.delete(f"{core}/pods/nox-api-0", params={"gracePeriodSeconds": 0})

    assert (going["deletionGracePeriodSeconds"], "deletionTimestamp" in going) == (30, True)
    assert (still.status_code, admin.get(f"{core}/pods/nox-api-0").status_code) == (200, 404)


def test_finalizers_hold_an_object(admin: httpx.Client, core: str) -> None:
    path = f"{core}/configmaps/settings"
    body = {**examples.config_map(), "metadata": {"name": "settings", "finalizers": ["a.example/x"]}}
    admin.post(f"{core}/configmaps", json=body)
    admin.delete(path)
    held = admin.get(path)
    admin.patch(path, json={"metadata": {"finalizers": None}}, headers=MERGE)

    assert "deletionTimestamp" in held.json()["metadata"]
    assert admin.get(path).status_code == 404


def test_preconditions(admin: httpx.Client, core: str) -> None:
    path = f"{core}/configmaps/settings"
    uid = admin.post(f"{core}/configmaps", json=examples.config_map()).json()["metadata"]["uid"]
    wrong = admin.request("DELETE", path, json={"preconditions": {"uid": "else"}})
    right = admin.request("DELETE", path, json={"preconditions": {"uid": uid}})

    assert (wrong.status_code, wrong.json()["reason"]) == (409, "Conflict")
    assert right.status_code == 200


@pytest.mark.parametrize(("policy", "left"), [("Background", 404), ("Foreground", 404), ("Orphan", 200)])
def test_dependents(admin: httpx.Client, core: str, policy: str, left: int) -> None:
    owner = admin.post(f"{core}/configmaps", json=examples.config_map("owner")).json()
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    body = examples.config_map("dependent")
    body["metadata"]["ownerReferences"] = [reference]
    admin.post(f"{core}/configmaps", json=body)
    admin.delete(f"{core}/configmaps/owner", params={"propagationPolicy": policy})

    assert admin.get(f"{core}/configmaps/dependent").status_code == left


def test_collections_are_deleted_by_selector(admin: httpx.Client, core: str) -> None:
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        body = examples.config_map(name)
        body["metadata"]["labels"] = {"l": label}
        admin.post(f"{core}/configmaps", json=body)
    admin.delete(f"{core}/configmaps", params={"labelSelector": "l=x"})

    items = admin.get(f"{core}/configmaps").json()["items"]
    assert [item["metadata"]["name"] for item in items] == ["b"]


def test_a_namespace_goes_with_all_that_is_in_it(admin: httpx.Client, core: str, apps: str) -> None:
    admin.post(f"{core}/pods", json=examples.pod())
    admin.post(f"{apps}/deployments", json=examples.deployment())
    answer = admin.delete(core)

    assert answer.json()["status"] == {"phase": "Terminating"}
    eventually(lambda: _gone(admin, core), within=30, every=0.05)
    assert admin.get(f"{core}/pods").json()["items"] == []
    assert admin.get(f"{apps}/deployments").json()["items"] == []


def _gone(admin: httpx.Client, path: str) -> None:
    assert admin.get(path).status_code == 404


def test_eviction_heeds_the_budget(admin: httpx.Client, core: str, namespace: str) -> None:
    admin.post(f"{core}/pods", json=examples.pod())
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "nox-api"}}},
    }
    admin.post(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", json=budget)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "nox-api-0"}}
    refused = admin.post(f"{core}/pods/nox-api-0/eviction", json=eviction)
    admin.delete(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/b")
    evicted = admin.post(f"{core}/pods/nox-api-0/eviction", json=eviction)

    assert (refused.status_code, evicted.status_code) == (429, 201)
