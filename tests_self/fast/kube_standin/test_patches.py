"""Patches that the contract did not record: how the real server merges, and what it refuses."""

from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples

Json = dict[str, Any]

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@pytest.fixture
def deployment(admin: httpx.Client, namespace: str) -> str:
    """The path of a deployment."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert admin.post(path, json=examples.deployment()).status_code == 201
    return f"{path}/nox-api"


@pytest.fixture
def ingress(admin: httpx.Client, namespace: str) -> str:
    """The path of an ingress."""
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    assert admin.post(path, json=examples.ingress()).status_code == 201
    return f"{path}/nox-api-ingress"


def patch(client: httpx.Client, path: str, body: Any, kind: str = STRATEGIC) -> httpx.Response:
    return client.patch(path, json=body, headers={"content-type": kind})


def containers(patch_of: Json | list[Json]) -> Json:
    return {"spec": {"template": {"spec": {"containers": patch_of}}}}


def seen(answer: httpx.Response) -> list[Json]:
    """The containers of a patched deployment."""
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["spec"]["template"]["spec"]["containers"]
    return found


def test_strategic_merges_containers_by_name(admin: httpx.Client, deployment: str) -> None:
    found = seen(patch(admin, deployment, containers([{"name": "nox-api", "image": "nox-api:v8.0.1"}])))

    assert [(each["name"], each["image"]) for each in found] == [
        ("nox-api", "nox-api:v8.0.1"),
        ("sidecar", "sidecar:1"),
    ]


def test_strategic_adds_a_new_item_at_the_end(admin: httpx.Client, deployment: str) -> None:
    found = seen(patch(admin, deployment, containers([{"name": "third", "image": "third:1"}])))

    assert [each["name"] for each in found] == ["nox-api", "sidecar", "third"]


def test_strategic_merges_env_by_name_and_ports_by_number(admin: httpx.Client, deployment: str) -> None:
    change = {
        "name": "nox-api",
        "env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}],
        "ports": [{"containerPort": 3001, "name": "ws"}],
    }
    found = seen(patch(admin, deployment, containers([change])))[0]

    assert found["env"] == [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "3"},
        {"name": "C", "value": "4"},
    ]
    assert found["ports"] == [
        {"containerPort": 3000, "protocol": "TCP"},
        {"name": "ws", "containerPort": 3001, "protocol": "TCP"},
    ]


def test_strategic_deletes_an_item(admin: httpx.Client, deployment: str) -> None:
    found = seen(patch(admin, deployment, containers([{"name": "sidecar", "$patch": "delete"}])))

    assert [each["name"] for each in found] == ["nox-api"]


def test_strategic_replaces_a_list(admin: httpx.Client, deployment: str) -> None:
    change = [{"name": "only", "image": "only:1"}, {"$patch": "replace"}]
    found = seen(patch(admin, deployment, containers(change)))

    assert [each["name"] for each in found] == ["only"]


def test_strategic_sets_the_order(admin: httpx.Client, deployment: str) -> None:
    change = {"$setElementOrder/containers": [{"name": "sidecar"}, {"name": "nox-api"}]}
    found = seen(patch(admin, deployment, {"spec": {"template": {"spec": change}}}))

    assert [each["name"] for each in found] == ["sidecar", "nox-api"]


def test_strategic_removes_a_field_by_null(admin: httpx.Client, deployment: str) -> None:
    answer = patch(admin, deployment, {"metadata": {"labels": {"app": None, "new": "x"}}})

    assert answer.json()["metadata"]["labels"] == {"new": "x"}


def test_strategic_retains_only_the_keys_it_names(admin: httpx.Client, deployment: str) -> None:
    change = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    answer = patch(admin, deployment, change)

    assert answer.json()["spec"]["strategy"] == {"type": "Recreate"}


def test_strategic_deletes_from_a_list_of_values(admin: httpx.Client, deployment: str) -> None:
    patch(admin, deployment, {"metadata": {"finalizers": ["a.example/x", "a.example/y"]}})
    change = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.example/x"]}}
    answer = patch(admin, deployment, change)
    last = patch(admin, deployment, {"metadata": {"finalizers": None}}, MERGE)

    assert answer.json()["metadata"]["finalizers"] == ["a.example/y"]
    assert "finalizers" not in last.json()["metadata"]


def test_merge_patch_replaces_lists(admin: httpx.Client, deployment: str) -> None:
    found = seen(patch(admin, deployment, containers([{"name": "x", "image": "x:1"}]), MERGE))

    assert [each["name"] for each in found] == ["x"]


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE])
def test_ingress_rules_are_atomic(admin: httpx.Client, ingress: str, kind: str) -> None:
    rules = [{"host": "other.example.com", "http": {"paths": [examples.ingress_path("/", "green")]}}]
    answer = patch(admin, ingress, {"spec": {"rules": rules}}, kind)

    assert answer.json()["spec"]["rules"] == rules


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}], {"a": "b"}),
        (
            [
                {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
                {"op": "add", "path": "/metadata/labels/example.com~1c", "value": "d"},
                {"op": "move", "from": "/metadata/labels/a", "path": "/metadata/labels/e"},
                {"op": "copy", "from": "/metadata/labels/e", "path": "/metadata/labels/f"},
                {"op": "test", "path": "/metadata/labels/f", "value": "b"},
                {"op": "replace", "path": "/metadata/labels/f", "value": "g"},
            ],
            {"example.com/c": "d", "e": "b", "f": "g"},
        ),
    ],
)
def test_json_patch(
    admin: httpx.Client, ingress: str, operations: list[Json], expected: dict[str, str]
) -> None:
    answer = patch(admin, ingress, operations, JSON_PATCH)

    assert answer.json()["metadata"]["labels"] == expected


def test_json_patch_inserts_and_removes_items(admin: httpx.Client, ingress: str) -> None:
    paths = "/spec/rules/0/http/paths"
    operations = [
        {"op": "add", "path": f"{paths}/0", "value": examples.ingress_path("/first", "green")},
        {"op": "add", "path": f"{paths}/-", "value": examples.ingress_path("/last", "green")},
        {"op": "remove", "path": f"{paths}/1"},
    ]
    answer = patch(admin, ingress, operations, JSON_PATCH)

    found = answer.json()["spec"]["rules"][0]["http"]["paths"]
    assert [each["path"] for each in found] == ["/first", "/", "/last"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/spec/no-such"},
        {"op": "replace", "path": "/spec/rules/9", "value": {}},
        {"op": "replace", "path": "/spec/no/such", "value": 1},
        {"op": "test", "path": "/spec/rules/0/host", "value": "else"},
        {"op": "test", "path": "/spec/rules/9", "value": {}},
        {"op": "add", "path": "/spec/no/such", "value": 1},
        {"op": "add", "path": "/spec/rules/7", "value": {}},
        {"op": "add", "path": "no-slash", "value": {}},
        {"op": "fly", "path": "/spec"},
    ],
)
def test_json_patch_that_does_not_fit(admin: httpx.Client, ingress: str, operation: Json) -> None:
    answer = patch(admin, ingress, [operation], JSON_PATCH)

    assert answer.status_code == 422
    assert answer.json()["message"] == "the server rejected our request due to an error in our request"


def test_patch_with_an_old_resource_version_is_a_conflict(admin: httpx.Client, ingress: str) -> None:
    answer = patch(admin, ingress, {"metadata": {"resourceVersion": "1"}}, MERGE)

    assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict")


def test_unknown_field_in_a_patch(admin: httpx.Client, deployment: str) -> None:
    warned = patch(admin, deployment, {"spec": {"replica": 3}})
    strict = patch(admin, f"{deployment}?fieldValidation=Strict", {"spec": {"replica": 3}})

    assert warned.headers["warning"] == r'299 - "unknown field \"spec.replica\""'
    assert strict.status_code == 422
    assert strict.json()["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": 'Invalid value: "map[spec:map[replica:3]]": strict decoding error: '
            'unknown field "spec.replica"',
            "field": "patch",
        }
    ]


def test_generation_follows_the_spec_alone(admin: httpx.Client, ingress: str) -> None:
    steps = [
        {"metadata": {"labels": {"a": "b"}}},
        {"spec": {"ingressClassName": "nginx"}},
        {"spec": {"ingressClassName": "nginx"}},
    ]
    answers = [patch(admin, ingress, step, MERGE).json()["metadata"] for step in steps]

    assert [meta["generation"] for meta in answers] == [1, 2, 2]
    assert answers[1]["resourceVersion"] == answers[2]["resourceVersion"]


def test_status_is_changed_by_its_own_path_alone(admin: httpx.Client, deployment: str) -> None:
    by_main = patch(admin, deployment, {"status": {"replicas": 3}}, MERGE).json()
    by_status = patch(
        admin, f"{deployment}/status", {"spec": {"replicas": 9}, "status": {"replicas": 3}}, MERGE
    )

    assert by_main["status"] == {}
    assert (by_status.json()["spec"]["replicas"], by_status.json()["status"]) == (3, {"replicas": 3})


def test_scale(admin: httpx.Client, deployment: str) -> None:
    patched = patch(admin, f"{deployment}/scale", {"spec": {"replicas": 0}}, MERGE)
    negative = patch(admin, f"{deployment}/scale", {"spec": {"replicas": -1}}, MERGE)

    assert patched.json()["spec"] == {}
    assert admin.get(deployment).json()["spec"]["replicas"] == 0
    assert negative.status_code == 422
