"""A Deployment and its pods, by what they mean: which release they run, and whether they are ready."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


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


def name(thing: Json) -> str:
    return str(thing["metadata"]["name"])


def desired(deployment: Json) -> int:
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
    wanted = desired(deployment)
    found = {
        "observedGeneration": (status.get("observedGeneration"), deployment["metadata"].get("generation")),
        **{
            field: (status.get(field, 0), wanted)
            for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        },
    }
    return {field: f"{seen}, not {right}" for field, (seen, right) in found.items() if seen != right}


def living(pods: Sequence[Json]) -> list[Json]:
    """Without those that are being deleted."""
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def unready(pods: Sequence[Json]) -> dict[str, str]:
    """Pods that are not ready, and why."""
    return {name(pod): why(pod, "Ready") for pod in pods if condition(pod, "Ready") != "True"}


def restarts(pods: Sequence[Json]) -> dict[str, int]:
    """Container -> restarts, of those that restarted."""
    found = {}
    for pod in pods:
        status = pod.get("status") or {}
        for container in [
            *(status.get("initContainerStatuses") or []),
            *(status.get("containerStatuses") or []),
        ]:
            if container.get("restartCount") != 0:
                found[f"{name(pod)}/{container['name']}"] = int(container.get("restartCount") or 0)
    return found


def images(pod_spec: Json) -> list[str]:
    return [container["image"] for container in pod_spec["containers"]]


def strangers(pods: Sequence[Json], deployment: Json) -> dict[str, str]:
    """Pods that do not run what the Deployment says, or not the same bytes as the first of them."""
    wanted = images(deployment["spec"]["template"]["spec"])
    found = {
        name(pod): f"runs {', '.join(images(pod['spec']))}" for pod in pods if images(pod["spec"]) != wanted
    }
    digests: dict[str, tuple[str, ...]] = {name(pod): _digests(pod) for pod in pods if name(pod) not in found}
    for pod, digest in digests.items():
        if not digest or "" in digest:
            found[pod] = "does not say which image it runs"
        elif digest != next(iter(digests.values())):
            found[pod] = f"runs {', '.join(digest)}, unlike {next(iter(digests))}"
    return found


def versions(template: Json) -> list[str]:
    """Every version that a pod template names: the tag of its first image, and its version labels."""
    image = images(template["spec"])[0].partition("@")[0]
    tag = image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else ""
    labels = template["metadata"].get("labels") or {}
    named = [tag.removeprefix("v"), labels.get("version"), labels.get("app.kubernetes.io/version")]
    return [version for version in named if version]


def _digests(pod: Json) -> tuple[str, ...]:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    by_name = {status["name"]: status.get("imageID", "") for status in statuses}
    return tuple(by_name.get(container["name"], "") for container in pod["spec"]["containers"])
