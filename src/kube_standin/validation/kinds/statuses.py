"""What the server checks of a status that is written."""

from collections.abc import Callable, Iterator

from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, invalid, not_negative

COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")
OF_A_SET = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
OF_A_STATEFUL_SET = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")


def _deployment(status: Json) -> Iterator[Cause]:
    yield from _counts(status, (*COUNTS[:-1], COUNTS[-1], "observedGeneration", "collisionCount"))
    yield from _at_most_all(status, ("updatedReplicas", "readyReplicas", "availableReplicas"))
    yield from _available(status)


def _replica_set(status: Json) -> Iterator[Cause]:
    yield from _counts(status, (*OF_A_SET, "observedGeneration"))
    yield from _at_most_all(status, OF_A_SET[1:])
    yield from _available(status)


def _stateful_set(status: Json) -> Iterator[Cause]:
    yield from _counts(status, (*OF_A_STATEFUL_SET, "observedGeneration", "collisionCount"))
    yield from _at_most_all(status, OF_A_STATEFUL_SET[1:])
    yield from _available(status)


def _job(status: Json) -> Iterator[Cause]:
    yield from _counts(status, ("active", "succeeded", "failed"))


def _autoscaler(status: Json) -> Iterator[Cause]:
    yield from not_negative(status.get("currentReplicas"), "status.currentReplicas")
    yield from not_negative(status.get("desiredReplicas"), "status.desiredReplicas")


def _counts(status: Json, names: tuple[str, ...]) -> Iterator[Cause]:
    for name in names:
        yield from not_negative(status.get(name), f"status.{name}")


def _at_most_all(status: Json, names: tuple[str, ...]) -> Iterator[Cause]:
    most = status.get("replicas") or 0
    for name in names:
        given = status.get(name) or 0
        if given > most:
            yield invalid(f"status.{name}", str(given), "cannot be greater than status.replicas")


def _available(status: Json) -> Iterator[Cause]:
    available, ready = status.get("availableReplicas") or 0, status.get("readyReplicas") or 0
    if available > ready:
        yield invalid("status.availableReplicas", str(available), "cannot be greater than readyReplicas")


def check_status(kind: str, obj: Json) -> list[Cause]:
    """What is wrong with the status of an object of this kind."""
    return list(RULES[kind](obj.get("status") or {})) if kind in RULES else []


RULES: dict[str, Callable[[Json], Iterator[Cause]]] = {
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "Job": _job,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
}
