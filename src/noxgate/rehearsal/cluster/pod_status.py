"""A pod's status, as the kubelet would write it for the process that the pod stands for."""

from collections.abc import Mapping, Sequence
from typing import Any

from noxgate.rehearsal.cluster.processes import Process, Slot

Json = dict[str, Any]
HOST = "10.0.0.1"


def pod_status(
    pod: Mapping[str, Any], slot: Slot, process: Process, *, ready: bool, restarts: int, now: str
) -> Json:
    """The whole status; what has not changed keeps its times."""
    before = pod.get("status") or {}
    container = pod["spec"]["containers"][0]
    runs = process.pid is not None and container["image"] == slot.image
    ready = ready and runs
    old: Mapping[str, Any] = next(iter(before.get("containerStatuses") or []), {})
    state = _state(slot, container["image"], process, old.get("state") or {}, now)
    unready = f"containers with unready status: [{container['name']}]"
    return {
        "phase": "Running" if runs or process.starts else "Pending",
        "podIP": slot.ip,
        "podIPs": [{"ip": slot.ip}],
        "hostIP": HOST,
        "startTime": before.get("startTime") or now,
        "qosClass": "Burstable",
        "conditions": conditions(
            before.get("conditions") or [],
            [
                ("PodScheduled", True, "", ""),
                ("Initialized", True, "", ""),
                ("ContainersReady", ready, "ContainersNotReady", unready),
                ("Ready", ready, "ContainersNotReady", unready),
            ],
            now,
        ),
        "containerStatuses": [
            {
                "name": container["name"],
                "ready": ready,
                "started": runs,
                "restartCount": restarts,
                "image": container["image"],
                "imageID": slot.image_id if container["image"] == slot.image else "",
                "state": state,
            }
        ],
    }


def conditions(
    before: Sequence[Mapping[str, Any]], wished: Sequence[tuple[str, bool, str, str]], now: str
) -> list[Json]:
    """Conditions by (type, is true, reason where it is not, message); the time is that of the last change."""
    times = {(each["type"], each["status"]): each.get("lastTransitionTime") for each in before}
    found = []
    for kind, is_true, reason, message in wished:
        status = "True" if is_true else "False"
        found.append(
            {
                "type": kind,
                "status": status,
                "lastTransitionTime": times.get((kind, status)) or now,
                **({} if is_true or not reason else {"reason": reason, "message": message}),
            }
        )
    return found


def _state(slot: Slot, image: str, process: Process, before: Mapping[str, Any], now: str) -> Json:
    if image != slot.image:
        return {"waiting": {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}}
    if process.pid is not None:
        started = (before.get("running") or {}).get("startedAt")
        return {"running": {"startedAt": started or now}}
    finished = (before.get("terminated") or {}).get("finishedAt")
    return {
        "terminated": {
            "exitCode": process.exit if process.exit is not None else 0,
            "reason": "Error" if process.exit else "Completed",
            "finishedAt": finished or now,
        }
    }
