"""Deployments and pods by what they mean."""

from typing import Any

import pytest
from tests_self.service import CONTAINER

from noxgate.systems.kubernetes import workload

IMAGE = "registry.nox.example/nox-api:v8.0.0"


def pod(
    name: str, image: str = IMAGE, digest: str = "sha256:aa", ready: str = "True", restarts: int = 0
) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "nox-api", "image": image}]},
        "status": {
            "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "nox-api", "imageID": digest, "restartCount": restarts}],
        },
    }


def deployment(**status: Any) -> dict[str, Any]:
    settled = {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3}
    template = {"metadata": {"labels": {}}, "spec": {"containers": [{"name": "nox-api", "image": IMAGE}]}}
    return {
        "metadata": {"name": "green", "generation": 4},
        "spec": {"replicas": 3, "template": template, "selector": {"matchLabels": {"app": "nox-api"}}},
        "status": {**settled, "availableReplicas": 3, **status},
    }


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, {}),
        ({"observedGeneration": 3}, {"observedGeneration": "3, not 4"}),
        ({"replicas": 4}, {"replicas": "4, not 3"}),  # one of the old version is still there
        ({"updatedReplicas": 2}, {"updatedReplicas": "2, not 3"}),
        ({"readyReplicas": 0}, {"readyReplicas": "0, not 3"}),
    ],
)
def test_a_rollout_that_is_not_finished(status: dict[str, int], said: dict[str, str]) -> None:
    assert workload.unsettled(deployment(**status)) == said


def test_a_status_that_says_nothing_is_not_finished() -> None:
    """A Deployment that no controller has seen yet."""
    assert set(workload.unsettled({**deployment(), "status": {}})) == {
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
    }


def test_conditions_are_looked_up_by_type() -> None:
    thing = pod("a", ready="False")

    assert workload.condition(thing, "Ready") == "False"
    assert workload.condition(thing, "Initialized") == "True"
    assert workload.condition(thing, "Disrupted") == "absent"
    assert workload.condition({"status": None}, "Ready") == "absent"
    assert workload.unready([pod("a"), thing, {"metadata": {"name": "b"}}]) == {
        "a": "Ready=False: : ",
        "b": "Ready is absent",
    }


def test_restarts_of_any_container() -> None:
    """A status that does not say how often does not prove that it never restarted."""
    silent = pod("c")
    del silent["status"]["containerStatuses"][0]["restartCount"]

    assert workload.restarts([pod("a"), pod("b", restarts=2), silent]) == {"b/nox-api": 2, "c/nox-api": None}
    assert workload.restarts([pod("b", restarts=2), silent], most=2) == {"c/nox-api": None}


def test_strangers() -> None:
    """Another image, the same tag with other bytes, and a pod that does not say."""
    pods = [
        pod("a"),
        pod("b", image=IMAGE.replace("8.0.0", "7.9.3")),
        pod("c", digest="sha256:bb"),
        pod("d", digest=""),
    ]

    assert workload.strangers([pod("a"), pod("b")], deployment()) == {}
    assert workload.strangers(pods, deployment()) == {
        "b": "runs registry.nox.example/nox-api:v7.9.3",
        "c": "runs sha256:bb, unlike a",
        "d": "does not say which image it runs",
    }


def test_sidecars_and_mirrors_are_no_strangers() -> None:
    """A mesh injects its own container; a mirror gives the same digest under another name."""
    meshed = pod("a", digest="mirror/nox-api@sha256:aa")
    meshed["spec"]["containers"].append({"name": "istio-proxy", "image": "istio/proxyv2:1"})

    assert workload.strangers([pod("b", digest="registry/nox-api@sha256:aa"), meshed], deployment()) == {}


@pytest.mark.parametrize("policy", ["Always", None])
def test_containers_that_start_before_the_others(policy: str | None) -> None:
    """A sidecar of an older image, or a migration's: as much the release's as the application."""

    def beside(image: str, digest: str) -> dict[str, Any]:
        found = pod("a")
        made = {"name": "beside", "image": image} | ({"restartPolicy": policy} if policy else {})
        found["spec"]["initContainers"] = [made]
        statuses = [{"name": "beside", "imageID": f"proxy@{digest}", "restartCount": 0}]
        found["status"]["initContainerStatuses"] = statuses
        return found

    wanted = deployment()
    wanted["spec"]["template"]["spec"]["initContainers"] = [{"name": "beside", "image": "proxy:2"}]

    assert workload.strangers([beside("proxy:2", "sha256:cc")], wanted) == {}
    assert workload.strangers([beside("proxy:1", "sha256:cc")], wanted) == {"a": f"runs proxy:1, {IMAGE}"}
    assert workload.strangers([beside("proxy:2", "")], wanted) == {"a": "does not say which image it runs"}
    assert workload.strangers([pod("a")], wanted) == {"a": f"runs nothing, {IMAGE}"}
    assert workload.strangers([beside("proxy:2", "sha256:cc")], deployment()) == {}  # a mesh's own


def test_pods_that_have_ended_do_not_count() -> None:
    """A finished job's, or an evicted one."""
    ended = [{"metadata": {"name": phase}, "status": {"phase": phase}} for phase in ("Succeeded", "Failed")]
    ending = {"metadata": {"name": "c", "deletionTimestamp": "2026-01-01T00:00:00Z"}}

    assert workload.living([*ended, ending, pod("a")]) == [pod("a")]


@pytest.mark.parametrize(
    ("image", "labels", "versions"),
    [
        (IMAGE, {}, ["8.0.0"]),
        (f"{IMAGE}@sha256:aa", {"version": "8.0.0"}, ["8.0.0", "8.0.0"]),
        ("host:5000/nox-api", {"app.kubernetes.io/version": "8.0.0"}, ["8.0.0"]),
        ("host:5000/nox-api@sha256:aa", {}, []),
        ("nox-api:latest", {"version": "8.0.0"}, ["latest", "8.0.0"]),
        (f"{IMAGE}-rc1", {"version": "green"}, ["8.0.0-rc1"]),
    ],
)
def test_versions(image: str, labels: dict[str, str], versions: list[str]) -> None:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "x", "image": image}]}}

    assert workload.versions(template, CONTAINER) == versions


def test_selector_text() -> None:
    rules = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "colour", "operator": "NotIn", "values": ["blue"]},
        {"key": "app", "operator": "Exists"},
        {"key": "canary", "operator": "DoesNotExist"},
    ]

    assert workload.selector_text({"matchLabels": {"app": "x", "colour": "green"}}) == "app=x,colour=green"
    assert (
        workload.selector_text({"matchExpressions": rules}) == "tier in (a,b),colour notin (blue),app,!canary"
    )
    assert workload.selector_text({}) == ""
