"""What the columns show of an object."""

from collections.abc import Callable
from typing import Any

from kube_standin.objects import selectors
from kube_standin.printing import ages
from kube_standin.wire.answers import Json

NONE = "<none>"


UNKNOWN = "<unknown>"


UNSET = "<unset>"


SHOWN_HOSTS = 3


def created(obj: Json) -> Any:
    return obj["metadata"].get("creationTimestamp")


def name(obj: Json) -> Any:
    return obj["metadata"].get("name")


def at(path: str, default: Any = None) -> Callable[[Json], Any]:
    """Reads one field of an object."""
    parts = path.split(".")

    def read(obj: Json) -> Any:
        value: Any = obj
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        return default if value in (None, "") else value

    return read


def _container_statuses(pod: Json) -> list[Json]:
    return pod.get("status", {}).get("containerStatuses") or []


def pod_ready(pod: Json) -> str:
    statuses = _container_statuses(pod)
    ready = sum(
        1 for each in statuses if each.get("ready") and each.get("state", {}).get("running") is not None
    )
    return f"{ready}/{len(pod['spec'].get('containers', []))}"


def pod_status(pod: Json) -> str:
    status = pod.get("status", {})
    reason = status.get("reason") or status.get("phase", "")
    running = False
    for each in reversed(_container_statuses(pod)):
        state = each.get("state", {})
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            signal = ended.get("signal", 0)
            reason = ended.get("reason") or (
                f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"
            )
        elif each.get("ready") and state.get("running") is not None:
            running = True
    if reason == "Completed" and running:
        reason = "Running" if condition(status, "Ready") == "True" else "NotReady"
    if pod["metadata"].get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def pod_restarts(pod: Json) -> str:
    statuses = _container_statuses(pod)
    count = sum(each.get("restartCount", 0) for each in statuses)
    ends = [each.get("lastState", {}).get("terminated", {}).get("finishedAt") for each in statuses]
    last = max(filter(None, ends), default=None)
    if not count or last is None:
        return str(count)
    return f"{count} ({ages.age(last)} ago)"


def pod_ip(pod: Json) -> str:
    addresses = pod.get("status", {}).get("podIPs") or []
    return addresses[0]["ip"] if addresses else NONE


def gates(pod: Json) -> str:
    gates = [each["conditionType"] for each in pod["spec"].get("readinessGates", [])]
    met = sum(1 for gate in gates if condition(pod.get("status", {}), gate) == "True")
    return f"{met}/{len(gates)}" if gates else NONE


def condition(status: Json, kind: str) -> str:
    """The status of one condition, by its type."""
    return next((each["status"] for each in status.get("conditions") or [] if each["type"] == kind), "")


def template(read: Callable[[Json], str]) -> Callable[[Json], str]:
    def of_template(workload: Json) -> str:
        containers = workload["spec"].get("template", {}).get("spec", {}).get("containers", [])
        return ",".join(read(container) for container in containers)

    return of_template


def selector(path: str) -> Callable[[Json], str]:
    read = at(path)

    def text(obj: Json) -> str:
        found = read(obj)
        if isinstance(found, dict) and not {"matchLabels", "matchExpressions"} & set(found):
            found = {"matchLabels": found}
        return selectors.as_text(found) or NONE

    return text


def deployment_ready(deployment: Json) -> str:
    return f"{deployment['status'].get('readyReplicas', 0)}/{deployment['spec'].get('replicas', 0)}"


def service_external(service: Json) -> str:
    spec = service["spec"]
    given = spec.get("externalIPs", [])
    balanced = [
        each.get("ip") or each.get("hostname", "")
        for each in service["status"]["loadBalancer"].get("ingress", [])
    ]
    match spec.get("type"):
        case "ExternalName":
            return str(spec.get("externalName", NONE))
        case "LoadBalancer":
            return ",".join([*balanced, *given]) or "<pending>"
        case _:
            return ",".join(given) or NONE


def service_ports(service: Json) -> str:
    ports = [
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in service["spec"].get("ports", [])
    ]
    return ",".join(ports) or NONE


def hosts(ingress: Json) -> str:
    hosts = [rule["host"] for rule in ingress["spec"].get("rules", []) if rule.get("host")]
    if not hosts:
        return "*"
    more = f" + {len(hosts) - SHOWN_HOSTS} more..." if len(hosts) > SHOWN_HOSTS else ""
    return ",".join(hosts[:SHOWN_HOSTS]) + more


def ingress_address(ingress: Json) -> str:
    found = ingress["status"].get("loadBalancer", {}).get("ingress", [])
    return ",".join(each.get("ip") or each.get("hostname", "") for each in found)


def reference(autoscaler: Json) -> str:
    target = autoscaler["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def targets(autoscaler: Json) -> str:
    current = autoscaler["status"].get("currentMetrics") or []
    texts = []
    for index, metric in enumerate(autoscaler["spec"].get("metrics", [])):
        source = metric["type"][0].lower() + metric["type"][1:]
        asked = metric.get(source, {})
        seen = current[index].get(source, {}).get("current", {}) if index < len(current) else {}
        name = f"{asked['name']}: " if "name" in asked else ""
        target = asked.get("target", {})
        if "averageUtilization" in target:
            used = f"{seen['averageUtilization']}%" if "averageUtilization" in seen else UNKNOWN
            texts.append(f"{name}{used}/{target['averageUtilization']}%")
        else:
            wanted = target.get("averageValue") or target.get("value", "")
            suffix = " (avg)" if target.get("averageValue") else ""
            used = seen.get("averageValue") or seen.get("value", UNKNOWN)
            texts.append(f"{name}{used}/{wanted}{suffix}")
    return ", ".join(texts) or NONE


def size(*names: str) -> Callable[[Json], int]:
    return lambda obj: sum(len(obj.get(name, {})) for name in names)


def count(path: str) -> Callable[[Json], int]:
    read = at(path, default=[])
    return lambda obj: len(read(obj))


def event_seen(event: Json) -> Any:
    return (
        event.get("series", {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or created(event)
    )


def event_object(event: Json) -> str:
    about = event["involvedObject"]
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def slice_ports(endpoint_slice: Json) -> str:
    return ",".join(str(port.get("port", "*")) for port in endpoint_slice.get("ports") or []) or UNSET


def slice_addresses(endpoint_slice: Json) -> str:
    found = [
        address for each in endpoint_slice.get("endpoints") or [] for address in each.get("addresses", [])
    ]
    more = f" + {len(found) - SHOWN_HOSTS} more..." if len(found) > SHOWN_HOSTS else ""
    return ",".join(found[:SHOWN_HOSTS]) + more or UNSET


def endpoint_list(endpoints: Json) -> str:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in endpoints.get("subsets") or []
        for port in subset.get("ports", [])
        for address in subset.get("addresses", [])
    ]
    more = f" + {len(found) - SHOWN_HOSTS} more..." if len(found) > SHOWN_HOSTS else ""
    return ",".join(found[:SHOWN_HOSTS]) + more or NONE


def job_completions(job: Json) -> str:
    return f"{job['status'].get('succeeded', 0)}/{job['spec'].get('completions', 1)}"


def job_status(job: Json) -> str:
    for kind, word in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if condition(job["status"], kind) == "True":
            return word
    return "Running"


def role_ref(binding: Json) -> str:
    return f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}"


def text(path: str, default: str = NONE) -> Callable[[Json], str]:
    read = at(path, default)
    return lambda obj: str(read(obj))
