"""HorizontalPodAutoscalers: the least number of pods, and what their status says.

They raise a Deployment to its minimum and go no further: the world has only that many processes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from nox_rehearsal.cluster import workloads
from nox_rehearsal.cluster.pod_status import Condition, conditions

Json = dict[str, Any]
Object = Mapping[str, Any]
_KINDS = ("AbleToScale", "ScalingActive", "ScalingLimited")
_MEASURED = (
    "the HPA was able to successfully calculate a replica count from cpu resource utilization "
    "(percentage of request)"
)


def minimum_of(hpa: Object) -> int:
    return int(hpa["spec"].get("minReplicas", 1))


def scales(hpa: Object, deployment: Object) -> bool:
    """Whether this Deployment is the one that the HPA scales."""
    target, metadata = hpa["spec"]["scaleTargetRef"], deployment["metadata"]
    return (target["kind"], target["name"], hpa["metadata"]["namespace"]) == (
        "Deployment",
        metadata["name"],
        metadata["namespace"],
    )


def autoscaler_status(hpa: Object, deployment: Object | None, pods: Sequence[Object], now: str) -> Json:
    """The status of an HPA: its conditions in the real order, AbleToScale first."""
    before = (hpa.get("status") or {}).get("conditions") or []
    current = 0 if deployment is None else int((deployment.get("status") or {}).get("replicas", 0))
    wished = _wished(hpa, deployment, pods, current)
    new = {wish.kind for wish in wished}
    return {
        "observedGeneration": hpa["metadata"].get("generation"),
        "currentReplicas": current,
        "desiredReplicas": max(current, minimum_of(hpa)) if current else 0,
        # what could not be found out now stays as it was found last
        "conditions": [
            *conditions(before, wished, now),
            *(each for each in before if each["type"] in _KINDS and each["type"] not in new),
        ],
    }


def _wished(hpa: Object, deployment: Object | None, pods: Sequence[Object], current: int) -> list[Condition]:
    if deployment is None:
        name = hpa["spec"]["scaleTargetRef"]["name"]
        why = f'the HPA controller was unable to get the target\'s current scale: "{name}" not found'
        return [_is_not("AbleToScale", "FailedGetScale", why)]
    got = _is(
        "AbleToScale", "SucceededGetScale", "the HPA controller was able to get the target's current scale"
    )
    if workloads.replicas_of(deployment) == 0:
        why = "scaling is disabled since the replica count of the target is zero"
        return [got, _is_not("ScalingActive", "ScalingDisabled", why)]
    problem = _unmeasurable(pods)
    if problem is not None:
        why = f"the HPA was unable to compute the replica count: failed to get cpu utilization: {problem}"
        return [got, _is_not("ScalingActive", "FailedGetResourceMetric", why)]
    if current <= minimum_of(hpa):
        why = "the desired replica count is less than the minimum replica count"
        limited = _is("ScalingLimited", "TooFewReplicas", why)
    else:
        why = "the desired count is within the acceptable range"
        limited = _is_not("ScalingLimited", "DesiredWithinRange", why)
    return [
        _is("AbleToScale", "ReadyForNewScale", "recommended size matches current size"),
        _is("ScalingActive", "ValidMetricFound", _MEASURED),
        limited,
    ]


def _is(kind: str, reason: str, message: str) -> Condition:
    return Condition(kind, is_true=True, reason=reason, message=message)


def _is_not(kind: str, reason: str, message: str) -> Condition:
    return Condition(kind, is_true=False, reason=reason, message=message)


def _unmeasurable(pods: Sequence[Object]) -> str | None:
    """Why the pods' CPU is not a percentage of what they ask for."""
    for pod in pods:
        for container in pod["spec"]["containers"]:
            if "cpu" not in ((container.get("resources") or {}).get("requests") or {}):
                where = f"container {container['name']} of Pod {pod['metadata']['name']}"
                return f"missing request for cpu in {where}"
    if not any(map(workloads.ready_of, pods)):
        return "did not receive metrics for targeted pods (pods might be unready)"
    return None
