"""Objects of a custom kind: served, held against their schema, pruned."""

from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.examples import Json
from tests_self.kubernetes.refused import causes


@pytest.fixture
def monitors(admin: httpx.Client, namespace: str) -> str:
    """The path of a custom kind's objects."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert admin.post(definitions, json=examples.definition()).status_code in {201, 409}
    return f"/apis/monitoring.coreos.com/v1/namespaces/{namespace}/podmonitors"


def monitor(**spec: Any) -> Json:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "m"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, **spec},
    }


def test_a_custom_kind_is_served(admin: httpx.Client, monitors: str) -> None:
    created = admin.post(monitors, json=monitor(jobLabel="job"))
    listed = admin.get(monitors).json()
    groups = [each["name"] for each in admin.get("/apis").json()["groups"]]
    found = admin.get("/apis/monitoring.coreos.com/v1").json()["resources"]

    assert created.json()["spec"] == {
        "selector": {"matchLabels": {"a": "b"}},
        "jobLabel": "job",
        "interval": "30s",
    }
    assert (listed["kind"], listed["items"][0]["kind"]) == ("PodMonitorList", "PodMonitor")
    assert "monitoring.coreos.com" in groups
    assert [(each["name"], each["shortNames"]) for each in found] == [("podmonitors", ["pmon"])]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"jobLabel": 3},
            (
                "spec.jobLabel",
                'Invalid value: "integer": spec.jobLabel in body must be of type string: "integer"',
            ),
        ),
        (
            {"limit": 0},
            ("spec.limit", "Invalid value: 0: spec.limit in body should be greater than or equal to 1"),
        ),
    ],
)
def test_a_custom_object_must_fit_its_schema(
    admin: httpx.Client, monitors: str, spec: Json, expected: tuple[str, str]
) -> None:
    assert causes(admin.post(monitors, json=monitor(**spec))) == [expected]


def test_a_custom_object_is_pruned(admin: httpx.Client, monitors: str) -> None:
    strict = admin.post(monitors, json=monitor(other=1), params={"fieldValidation": "Strict"})
    pruned = admin.post(monitors, json=monitor(other=1))

    assert strict.json()["message"] == (
        'PodMonitor in version "v1" cannot be handled as a PodMonitor: '
        'strict decoding error: unknown field "spec.other"'
    )
    assert "other" not in pruned.json()["spec"]


def test_a_custom_kind_knows_no_strategic_merge(admin: httpx.Client, monitors: str) -> None:
    admin.post(monitors, json=monitor())
    headers = {"content-type": "application/strategic-merge-patch+json"}

    assert admin.patch(f"{monitors}/m", json={}, headers=headers).status_code == 415
