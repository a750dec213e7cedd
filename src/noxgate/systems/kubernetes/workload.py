"""A Deployment and its pods, by what they mean: which release they run, and whether they are ready."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from noxgate.project.service.names import Container
from noxgate.systems.kubernetes.pod_spec import application, containers

Json = Mapping[str, Any]
# While one of these is there KEDA adds no pod; by the first two it takes its HPA away.
_PAUSE = "autoscaling.keda.sh/paused"
_PAUSED = (_PAUSE, f"{_PAUSE}-replicas", f"{_PAUSE}-scale-out")
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})  # to Go; KEDA takes any other word for a yes
# Why an HPA is limited that may well add pods: by its minimum, or in how fast it takes pods away.
_DOWNWARDS = frozenset({"TooFewReplicas", "ScaleDownLimit"})


def condition(thing: Json, kind: str) -> str:
    """The status of a condition, looked up by its type: True, False, Unknown, or "absent"."""
    for entry in (thing.get("status") or {}).get("conditions") or []:
        if entry.get("type") == kind:
            return str(entry.get("status"))
    return "absent"


def why(thing: Json, kind: str) -> str:
    """A condition with its reason, for people."""
    for entry in (thing.get("status") or {}).get("conditions") or []:
        if entry.get("type") == kind:
            return f"{kind}={entry.get('status')}: {entry.get('reason', '')}: {entry.get('message', '')}"
    return f"{kind} is absent"


def _reason(thing: Json, kind: str) -> str:
    """The one word of a condition that says why."""
    conditions = (thing.get("status") or {}).get("conditions") or []
    return next((str(each.get("reason")) for each in conditions if each.get("type") == kind), "")


def scaled(thing: Json) -> tuple[str, str]:
    """Kind and name of what an HPA or KEDA's ScaledObject scales; KEDA takes it for a Deployment."""
    target = thing["spec"]["scaleTargetRef"]
    return target.get("kind", "Deployment"), target["name"]


def autoscalers(things: Iterable[Json], deployment: str) -> list[str]:
    """The names of the HPAs that scale a Deployment; of a ScaledObject, of the one that KEDA makes of it."""
    return [
        _made_by_keda(each) if each["kind"] == "ScaledObject" else name(each)
        for each in things
        if each["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}
        and scaled(each) == ("Deployment", deployment)
    ]


def _made_by_keda(scaled_object: Json) -> str:
    advanced = scaled_object["spec"].get("advanced") or {}
    named = (advanced.get("horizontalPodAutoscalerConfig") or {}).get("name")
    return str(named or f"keda-hpa-{name(scaled_object)}")


def held_back(scaled_object: Json) -> list[str]:
    """Why KEDA does not scale by what it measures, though the HPA that it makes looks well, or is gone."""
    metadata = scaled_object["metadata"]
    notes = metadata.get("annotations") or {}
    paused = [
        key for key in _PAUSED if key in notes and (key.endswith("-replicas") or notes[key] not in _FALSE)
    ]
    if paused:
        return [f"ScaledObject {name(scaled_object)} is paused by {key}: {notes[key]}" for key in paused]
    wrong = {"Fallback": "True", "Ready": "False"}
    if notes.get(f"{_PAUSE}-scale-in", "false") in _FALSE:  # by it KEDA is Paused, and adds pods
        wrong["Paused"] = "True"
    return [
        f"ScaledObject {name(scaled_object)}: {why(scaled_object, kind)}"
        for kind, status in wrong.items()
        if condition(scaled_object, kind) == status
    ]


def least_pods(hpa: Json, scaled_objects: Iterable[Json]) -> int:
    """How many pods an autoscaler keeps while there are no requests: KEDA may go below the HPA's minimum."""
    idle = [each["spec"].get("idleReplicaCount") for each in scaled_objects]
    return int(min([hpa["spec"].get("minReplicas", 1), *(each for each in idle if each is not None)]))


def without_room(hpa: Json) -> str | None:
    """Why an autoscaler that is well would add no pod: it may have no more, or wants more than that.

    One that wants fewer than its minimum, as each does without requests, is limited and has room.
    """
    least, most = hpa["spec"].get("minReplicas", 1), hpa["spec"]["maxReplicas"]
    if least == most:
        return f"no room: minReplicas and maxReplicas are both {most}, so it will never scale"
    if ((hpa["spec"].get("behavior") or {}).get("scaleUp") or {}).get("selectPolicy") == "Disabled":
        return "no room: behavior.scaleUp is Disabled, so it will never add a pod"
    if condition(hpa, "ScalingLimited") == "True" and _reason(hpa, "ScalingLimited") not in _DOWNWARDS:
        return f"at its limit: {why(hpa, 'ScalingLimited')}"
    return None


def unread_metrics(hpa: Json) -> list[str]:
    """The metrics of an HPA that have no value now, though by the others it is active.

    Its controller leaves their type out, each in its place; before its first look it says none.
    """
    wanted = hpa["spec"].get("metrics") or []
    read = (hpa.get("status") or {}).get("currentMetrics") or []
    if len(read) != len(wanted):
        return []
    return [_metric(each) for each, seen in zip(wanted, read, strict=True) if not seen.get("type")]


def _metric(spec: Json) -> str:
    """Its kind and its name, as people write them: External jobs_waiting."""
    kind = str(spec.get("type"))
    source = spec.get(kind[:1].lower() + kind[1:]) or {}
    return f"{kind} {source.get('name') or (source.get('metric') or {}).get('name')}"


def name(thing: Json) -> str:
    return str(thing["metadata"]["name"])


def desired_pods(deployment: Json) -> int:
    """The pods that it is to have; Kubernetes' default is 1."""
    return int(deployment["spec"].get("replicas", 1))


def selector(deployment: Json) -> str:
    return selector_text(deployment["spec"]["selector"])


def selector_text(label_selector: Json) -> str:
    """A label selector as the API's query and kubectl's -l take it; an empty one selects everything."""
    parts = [f"{key}={value}" for key, value in (label_selector.get("matchLabels") or {}).items()]
    for rule in label_selector.get("matchExpressions") or []:
        values = ",".join(rule.get("values") or [])
        match rule["operator"]:
            case "In":
                parts.append(f"{rule['key']} in ({values})")
            case "NotIn":
                parts.append(f"{rule['key']} notin ({values})")
            case "Exists":
                parts.append(rule["key"])
            case _:
                parts.append(f"!{rule['key']}")
    return ",".join(parts)


def unsettled(deployment: Json) -> dict[str, object]:
    """What its status says that a finished rollout would not; empty when it is finished."""
    status = deployment.get("status") or {}
    wanted = desired_pods(deployment)
    found = {
        "observedGeneration": (status.get("observedGeneration"), deployment["metadata"].get("generation")),
        **{
            field: (status.get(field, 0), wanted)
            for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        },
    }
    return {field: f"{seen}, not {right}" for field, (seen, right) in found.items() if seen != right}


def living(pods: Sequence[Json]) -> list[Json]:
    """Without those that are being deleted, and those that have ended: a Deployment does not count them."""
    return [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
    ]


def phases(pods: Sequence[Json]) -> dict[str, str]:
    """Pod -> Running, Pending and so on; one that is being deleted is Terminating, as kubectl says."""
    return {
        name(pod): "Terminating"
        if "deletionTimestamp" in pod["metadata"]
        else str((pod.get("status") or {}).get("phase"))
        for pod in pods
    }


def unready(pods: Sequence[Json]) -> dict[str, str]:
    """Pods that are not ready, and why."""
    return {name(pod): why(pod, "Ready") for pod in pods if condition(pod, "Ready") != "True"}


def restarts(pods: Sequence[Json], most: float = 0) -> dict[str, int | None]:
    """Container -> restarts, of those with more than `most`; None if the status names no container."""
    found: dict[str, int | None] = {}
    for pod in pods:
        status = pod.get("status") or {}
        named = {
            each["name"]: each.get("restartCount")
            for field in ("initContainerStatuses", "containerStatuses")
            for each in status.get(field) or []
        }
        for container in [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]:
            count = named.get(container["name"])
            if count is None or count > most:
                found[f"{name(pod)}/{container['name']}"] = count
    return found


def images(pod_spec: Json) -> dict[str, str]:
    """Container -> image, of those that only run at the start, or stand among these and run on, too."""
    return {container["name"]: container["image"] for container in containers(pod_spec)}


def strangers(pods: Sequence[Json], deployment: Json) -> dict[str, str]:
    """Pods that do not run what the Deployment says, or not the same bytes as the first of them.

    Containers that only the pod has, such as a mesh's sidecars, do not belong to the release.
    """
    wanted = images(deployment["spec"]["template"]["spec"])
    found: dict[str, str] = {}
    first: tuple[str, tuple[str, ...]] | None = None
    for pod in pods:
        runs = images(pod["spec"])
        digests = _digests(pod, list(wanted))
        if any(runs.get(container) != image for container, image in wanted.items()):
            found[name(pod)] = f"runs {', '.join(runs.get(container, 'nothing') for container in wanted)}"
        elif "" in digests:
            found[name(pod)] = "does not say which image it runs"
        elif first is not None and digests != first[1]:
            found[name(pod)] = f"runs {', '.join(digests)}, unlike {first[0]}"
        first = first or (name(pod), digests)
    return found


def port_number(pod: Json, port: Json) -> int | None:
    """The number at which a pod answers for a Service's port; None if no container has that name.

    As the cluster finds it: the first container that has it, then the sidecars among the init containers.
    """
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    spec, protocol = pod["spec"], port.get("protocol", "TCP")
    stay = [each for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"]
    for container in [*spec["containers"], *stay]:
        for each in container.get("ports") or []:
            if each.get("name") == target and each.get("protocol", "TCP") == protocol:
                return int(each["containerPort"])
    return None


def controller(thing: Json) -> tuple[str, str] | None:
    """The kind and name of what keeps a pod, or a ReplicaSet; None if it was made by hand."""
    owners = thing["metadata"].get("ownerReferences") or []
    return next(((each["kind"], each["name"]) for each in owners if each.get("controller")), None)


def versions(template: Json, container: Container) -> list[str]:
    """Every version that a pod template names: the tag of the application's image, and its version labels."""
    image = str(application(template["spec"], container)["image"]).partition("@")[0]
    tag = image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else ""
    labels = template["metadata"].get("labels") or {}
    named = [labels.get(label, "") for label in ("version", "app.kubernetes.io/version")]
    return [
        text.removeprefix("v")
        for text in [tag, *(text for text in named if re.match(r"v?\d+\.", text))]
        if text
    ]


def _digests(pod: Json, names: Sequence[str]) -> tuple[str, ...]:
    """The images' digests: one registry's mirror gives the same under another name."""
    status = pod.get("status") or {}
    by_name = {
        each["name"]: each.get("imageID", "")
        for field in ("initContainerStatuses", "containerStatuses")
        for each in status.get(field) or []
    }
    return tuple(by_name.get(name, "").rpartition("@")[2] for name in names)
