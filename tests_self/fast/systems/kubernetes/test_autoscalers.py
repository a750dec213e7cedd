"""What scales a Deployment, what holds that back, and whether it has room for more pods."""

from typing import Any

import pytest

from noxgate.systems.kubernetes import workload


def scaling(kind: str, called: str, of: str = "green", **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": called}, "spec": {"scaleTargetRef": {"name": of}, **spec}}


OF_DEPLOYMENT: dict[str, Any] = {"scaleTargetRef": {"kind": "Deployment", "name": "green"}}
NAMED: dict[str, Any] = {"advanced": {"horizontalPodAutoscalerConfig": {"name": "mine"}}}


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([scaling("HorizontalPodAutoscaler", "hpa", **OF_DEPLOYMENT)], ["hpa"]),
        ([scaling("ScaledObject", "nox")], ["keda-hpa-nox"]),
        ([scaling("ScaledObject", "nox", **NAMED)], ["mine"]),
        ([scaling("ScaledObject", "nox", advanced={})], ["keda-hpa-nox"]),
        ([scaling("ScaledObject", "nox", "blue")], []),
        ([scaling("ScaledObject", "nox", scaleTargetRef={"kind": "Rollout", "name": "green"})], []),
        ([{"kind": "Service", "metadata": {"name": "green"}, "spec": {}}], []),
        (  # which would fight
            [scaling("HorizontalPodAutoscaler", "hpa", **OF_DEPLOYMENT), scaling("ScaledObject", "nox")],
            ["hpa", "keda-hpa-nox"],
        ),
    ],
)
def test_what_scales_a_deployment(things: list[dict[str, Any]], expected: list[str]) -> None:
    assert workload.autoscalers(things, "green") == expected


def keda(notes: dict[str, str] | None = None, **conditions: str) -> dict[str, Any]:
    """A ScaledObject with these annotations and conditions."""
    said = [{"type": kind, "status": status, "reason": "R"} for kind, status in conditions.items()]
    thing = scaling("ScaledObject", "nox")
    return {**thing, "metadata": {"name": "nox", "annotations": notes}, "status": {"conditions": said}}


PAUSED = "autoscaling.keda.sh/paused"


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (keda(Ready="True", Active="False", Fallback="False", Paused="Unknown"), []),
        (keda(), []),
        (keda({PAUSED: "false"}), []),
        (keda({PAUSED: "False"}), []),  # as Helm and people write it
        (keda({PAUSED: "0", f"{PAUSED}-scale-out": "f"}), []),
        (keda({PAUSED: ""}), [f"is paused by {PAUSED}: "]),  # what is not a bool pauses
        (keda({PAUSED: "no"}), [f"is paused by {PAUSED}: no"]),
        (keda({f"{PAUSED}-replicas": "0"}), [f"is paused by {PAUSED}-replicas: 0"]),
        (keda({f"{PAUSED}-scale-in": "False"}, Paused="True"), ["Paused=True: R: "]),
        (keda({f"{PAUSED}-scale-in": "true"}, Paused="True"), []),  # it still adds pods
        (keda(Fallback="True"), ["Fallback=True: R: "]),
        (keda(Ready="False"), ["Ready=False: R: "]),
        (keda(Paused="True"), ["Paused=True: R: "]),
        (keda({f"{PAUSED}-replicas": "3"}, Paused="True"), [f"is paused by {PAUSED}-replicas: 3"]),
        (keda({PAUSED: "true"}), [f"is paused by {PAUSED}: true"]),
        (keda({f"{PAUSED}-scale-out": "true"}), [f"is paused by {PAUSED}-scale-out: true"]),
    ],
)
def test_what_keda_holds_back(thing: dict[str, Any], said: list[str]) -> None:
    found = workload.held_back(thing)

    assert [one.partition("ScaledObject nox")[2].lstrip(": ") for one in found] == said


@pytest.mark.parametrize(
    ("hpa", "idle", "expected"),
    [({"minReplicas": 3}, [], 3), ({}, [], 1), ({"minReplicas": 3}, [None], 3), ({"minReplicas": 3}, [0], 0)],
)
def test_the_least_pods(hpa: dict[str, Any], idle: list[int | None], expected: int) -> None:
    objects = [scaling("ScaledObject", "nox") for _ in idle]
    for each, count in zip(objects, idle, strict=True):
        each["spec"] |= {} if count is None else {"idleReplicaCount": count}

    assert workload.least_pods({"spec": hpa}, objects) == expected


@pytest.mark.parametrize(
    ("reason", "has_room"),
    [("TooFewReplicas", True), ("ScaleDownLimit", True), ("TooManyReplicas", False), ("ScaleUpLimit", False)],
)
def test_what_limits_an_autoscaler(reason: str, *, has_room: bool) -> None:
    """Without requests it wants less than its minimum, and may add pods all the same."""
    limited = {"type": "ScalingLimited", "status": "True", "reason": reason}
    hpa = {"spec": {"minReplicas": 3, "maxReplicas": 9}, "status": {"conditions": [limited]}}

    assert (workload.without_room(hpa) is None) is has_room


def test_an_autoscaler_that_may_add_no_pod() -> None:
    spec = {"minReplicas": 3, "maxReplicas": 9}
    up, down = ({"behavior": {which: {"selectPolicy": "Disabled"}}} for which in ("scaleUp", "scaleDown"))

    assert "scaleUp is Disabled" in (workload.without_room({"spec": {**spec, **up}}) or "")
    assert workload.without_room({"spec": {**spec, **down}}) is None


CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}
IN_ONE = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "nox-api"}}
JOBS = {"type": "External", "external": {"metric": {"name": "jobs_waiting"}}}


@pytest.mark.parametrize(
    ("metrics", "read", "unread"),
    [
        ([CPU, JOBS], [{"type": "Resource"}, {"type": ""}], ["External jobs_waiting"]),
        ([IN_ONE, JOBS], [{"type": ""}, {"type": "External"}], ["ContainerResource cpu"]),
        ([CPU, JOBS], [{"type": "Resource"}, {"type": "External"}], []),
        ([CPU], None, []),  # not looked at yet: it is not active either
        ([CPU, JOBS], [{"type": "Resource"}], []),  # the second is new
        (None, None, []),
    ],
)
def test_a_metric_that_is_not_read(metrics: object, read: object, unread: list[str]) -> None:
    """As long as the others ask for no fewer pods, its conditions say that all is well."""
    hpa = {"spec": {"metrics": metrics}, "status": {"currentMetrics": read}}

    assert workload.unread_metrics(hpa) == unread


@pytest.mark.parametrize(
    ("spec", "conditions", "said"),
    [
        ({"minReplicas": 3, "maxReplicas": 3}, [], "no room: minReplicas and maxReplicas are both 3"),
        ({"maxReplicas": 1}, [], "no room"),
        (
            {"minReplicas": 3, "maxReplicas": 9},
            [{"type": "ScalingLimited", "status": "True"}],
            "at its limit",
        ),
    ],
)
def test_an_autoscaler_without_room(
    spec: dict[str, Any], conditions: list[dict[str, Any]], said: str
) -> None:
    assert (workload.without_room({"spec": spec, "status": {"conditions": conditions}}) or "").startswith(
        said
    )


def test_an_autoscaler_with_room() -> None:
    conditions = [{"type": "ScalingLimited", "status": "False"}]

    assert (
        workload.without_room(
            {"spec": {"minReplicas": 3, "maxReplicas": 9}, "status": {"conditions": conditions}}
        )
        is None
    )
