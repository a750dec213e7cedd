"""A pod's status, as the kubelet would write it for the process that the pod stands for."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nox_rehearsal.cluster.processes import Process, Slot, of_process

Json = dict[str, Any]
HOST = "10.0.0.1"
CREATING = "ContainerCreating"
_BACK_OFF = "CrashLoopBackOff"


class Condition(NamedTuple):
    """A condition as it should be; one without a reason says none."""

    kind: str
    is_true: bool
    reason: str = ""
    message: str = ""


def pod_status(
    pod: Mapping[str, Any], slot: Slot, process: Process, *, ready: bool, starts: int, now: str
) -> Json:
    """The whole status; what has not changed keeps its times. `starts` are those since the pod was made."""
    before = pod.get("status") or {}
    container = of_process(pod)
    pulled = container["image"] == slot.image
    runs = process.pid is not None and pulled
    ready = ready and runs
    status = {
        "name": container["name"],
        "ready": ready,
        "started": runs,
        "restartCount": max(0, starts - 1),
        "image": container["image"],
        "imageID": slot.image_id if pulled else "",
    }
    if not pulled:
        message = f'Back-off pulling image "{container["image"]}"'
        status["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
    elif starts < 1:
        status["state"] = {"waiting": {"reason": CREATING}}
    else:
        known: Mapping[str, Any] = _known(before, container)
        status |= _states(known, process, pod["metadata"], status, now)
    unready = (
        () if ready else ("ContainersNotReady", f"containers with unready status: [{container['name']}]")
    )
    return {
        "phase": "Running" if pulled and starts > 0 else "Pending",
        "podIP": slot.ip,
        "podIPs": [{"ip": slot.ip}],
        "hostIP": HOST,
        "startTime": before.get("startTime") or now,
        "qosClass": "Burstable",
        "conditions": conditions(
            before.get("conditions") or [],
            [
                Condition("PodScheduled", is_true=True),
                Condition("Initialized", is_true=True),
                Condition("ContainersReady", ready, *unready),
                Condition("Ready", ready, *unready),
            ],
            now,
        ),
        "containerStatuses": [
            status if each is container else _beside(each, _known(before, each), now)
            for each in pod["spec"]["containers"]
        ],
    }


def _known(before: Mapping[str, Any], container: Mapping[str, Any]) -> Mapping[str, Any]:
    found = before.get("containerStatuses") or []
    return next((each for each in found if each["name"] == container["name"]), {})


def _beside(container: Mapping[str, Any], known: Mapping[str, Any], now: str) -> Json:
    """A container that no process stands for: it runs, and an image of its own it has."""
    image = str(container["image"])
    digest = hashlib.sha256(image.encode()).hexdigest()
    return {
        "name": container["name"],
        "ready": True,
        "started": True,
        "restartCount": 0,
        "image": image,
        "imageID": f"{image.rpartition(':')[0]}@sha256:{digest}",
        "state": known.get("state") or {"running": {"startedAt": now}},
    }


def conditions(before: Sequence[Mapping[str, Any]], wished: Sequence[Condition], now: str) -> list[Json]:
    """The conditions with the times at which they became what they are."""
    times = {(each["type"], each["status"]): each.get("lastTransitionTime") for each in before}
    found = []
    for wish in wished:
        status = "True" if wish.is_true else "False"
        condition = {
            "type": wish.kind,
            "status": status,
            "lastTransitionTime": times.get((wish.kind, status)) or now,
        }
        if wish.reason:
            condition |= {"reason": wish.reason, "message": wish.message}
        found.append(condition)
    return found


def _states(
    known: Mapping[str, Any], process: Process, metadata: Mapping[str, Any], status: Json, now: str
) -> Json:
    """What the container does, and how its last run ended: one that ended waits to be started again."""
    before, last = known.get("state") or {}, known.get("lastState") or {}
    is_same_run = known.get("restartCount") == status["restartCount"]
    if process.pid is not None:
        if "running" in before and not is_same_run:  # it ended and came back between two looks
            last = _ended(before, process, now)
        state = before if "running" in before and is_same_run else {"running": {"startedAt": now}}
    else:
        waits = (before.get("waiting") or {}).get("reason") == _BACK_OFF
        if not (waits and is_same_run):
            last = _ended(before, process, now)
        who = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        message = f"back-off 10s restarting failed container={status['name']} pod={who}"
        state = {"waiting": {"reason": _BACK_OFF, "message": message}}
    return {"state": state, "lastState": last} if last else {"state": state}


def _ended(before: Mapping[str, Any], process: Process, now: str) -> Json:
    exit_code = process.exit or 0
    code = exit_code if exit_code >= 0 else 128 - exit_code  # as a shell says that a signal ended it
    started = (before.get("running") or {}).get("startedAt")
    return {
        "terminated": {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "finishedAt": now,
            **({"startedAt": started} if started else {}),
        }
    }
