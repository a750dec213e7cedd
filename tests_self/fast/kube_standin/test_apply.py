"""Server-side apply: who owns which field, and what follows from it."""

import json
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples

Json = dict[str, Any]


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/settings"


def apply(client: httpx.Client, path: str, body: Json, manager: str, **query: str) -> httpx.Response:
    return client.patch(
        path,
        params={"fieldManager": manager, **query},
        content=json.dumps(body),
        headers={"content-type": "application/apply-patch+yaml"},
    )


def owned(answer: httpx.Response) -> dict[str, Json]:
    """Manager -> what it owns."""
    entries = answer.json()["metadata"]["managedFields"]
    return {entry["manager"]: entry["fieldsV1"] for entry in entries}


def test_two_managers_share_an_object(admin: httpx.Client, path: str) -> None:
    apply(admin, path, examples.config_map(a="1"), "ops")
    both = apply(admin, path, examples.config_map(b="2"), "gate")

    assert both.json()["data"] == {"a": "1", "b": "2"}
    assert owned(both) == {"ops": {"f:data": {"f:a": {}}}, "gate": {"f:data": {"f:b": {}}}}


def test_a_field_that_is_no_longer_applied_goes(admin: httpx.Client, path: str) -> None:
    apply(admin, path, examples.config_map(a="1", b="2"), "ops")
    answer = apply(admin, path, examples.config_map(a="1"), "ops")

    assert answer.json()["data"] == {"a": "1"}


def test_a_field_that_another_owns_too_stays(admin: httpx.Client, path: str) -> None:
    apply(admin, path, examples.config_map(a="1", b="2"), "ops")
    apply(admin, path, examples.config_map(b="2"), "gate")
    answer = apply(admin, path, examples.config_map(a="1"), "ops")

    assert answer.json()["data"] == {"a": "1", "b": "2"}
    assert owned(answer)["gate"] == {"f:data": {"f:b": {}}}


def test_force_takes_a_field_over(admin: httpx.Client, path: str) -> None:
    apply(admin, path, examples.config_map(a="1"), "ops")
    refused = apply(admin, path, examples.config_map(a="2"), "gate")
    forced = apply(admin, path, examples.config_map(a="2"), "gate", force="true")

    assert refused.status_code == 409
    assert forced.json()["data"] == {"a": "2"}
    assert owned(forced) == {"gate": {"f:data": {"f:a": {}}}}


def test_conflicts_are_listed_by_manager(admin: httpx.Client, path: str) -> None:
    apply(admin, path, examples.config_map(a="1", b="1"), "ops")
    answer = apply(admin, path, examples.config_map(a="2", b="2"), "gate")

    assert answer.json()["message"] == (
        'Apply failed with 2 conflicts: conflicts with "ops":\n- .data.a\n- .data.b'
    )


def test_an_update_owns_what_it_changed(admin: httpx.Client, path: str) -> None:
    apply(admin, path, examples.config_map(a="1"), "ops")
    admin.patch(
        path,
        params={"fieldManager": "editor"},
        json={"data": {"a": "2"}},
        headers={"content-type": "application/merge-patch+json"},
    )
    answer = apply(admin, path, examples.config_map(a="3"), "ops")

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "editor" using v1: .data.a'
    )


def test_lists_with_keys_are_merged_item_by_item(admin: httpx.Client, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/nox-api"
    first = examples.deployment()
    second = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "nox-api"},
        "spec": {
            "selector": first["spec"]["selector"],
            "template": {"spec": {"containers": [{"name": "nox-api", "env": [{"name": "C", "value": "3"}]}]}},
        },
    }
    apply(admin, path, first, "ops")
    both = apply(admin, path, second, "gate")
    without = examples.deployment()
    del without["spec"]["template"]["spec"]["containers"][1]
    fewer = apply(admin, path, without, "ops")

    containers = both.json()["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in containers[0]["env"]] == ["A", "B", "C"]
    assert [each["name"] for each in fewer.json()["spec"]["template"]["spec"]["containers"]] == ["nox-api"]


def test_conflict_in_a_list_names_the_item(admin: httpx.Client, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/nox-api"
    apply(admin, path, examples.deployment(), "ops")
    other = examples.deployment()
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "nox-api:v8.0.1"
    answer = apply(admin, path, other, "gate")

    assert answer.json()["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "ops"',
            "field": '.spec.template.spec.containers[name="nox-api"].image',
        }
    ]


@pytest.mark.parametrize(
    ("body", "query", "code", "message"),
    [
        (
            examples.config_map(a="1"),
            {},
            422,
            (
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: '
                "Required value: is required for apply patch"
            ),
        ),
        (
            {**examples.config_map(), "metadata": {"name": "else"}},
            {"fieldManager": "ops"},
            400,
            "the name of the object (else) does not match the name on the URL (settings)",
        ),
    ],
)
def test_refused(
    admin: httpx.Client, path: str, body: Json, query: dict[str, str], code: int, message: str
) -> None:
    answer = admin.patch(
        path,
        params=query,
        content=json.dumps(body),
        headers={"content-type": "application/apply-patch+yaml"},
    )

    assert (answer.status_code, answer.json()["message"]) == (code, message)


def test_unknown_field(admin: httpx.Client, path: str) -> None:
    answer = apply(admin, path, {**examples.config_map(), "dater": {}}, "ops")

    assert answer.status_code == 500
    assert answer.json()["message"] == (
        "failed to create typed patch object (/settings; /v1, Kind=ConfigMap): "
        ".dater: field not declared in schema"
    )


def test_yaml(admin: httpx.Client, path: str) -> None:
    text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  day: "2026-01-01"\n'
    answer = admin.patch(
        path,
        params={"fieldManager": "ops"},
        content=text,
        headers={"content-type": "application/apply-patch+yaml"},
    )

    assert (answer.status_code, answer.json()["data"]) == (201, {"day": "2026-01-01"})
