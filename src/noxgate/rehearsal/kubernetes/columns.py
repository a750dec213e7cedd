"""The columns that the real server prints for each kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.rehearsal.kubernetes import ages, selectors
from noxgate.rehearsal.kubernetes.answers import Json

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"
SHOWN_HOSTS = 3


@dataclass(frozen=True)
class Column:
    """One column: its name, and what it shows of an object. Wide ones have priority 1."""

    name: str
    read: Callable[[Json], Any]
    type: str = "string"
    format: str = ""
    priority: int = 0
    is_age: bool = False

    def definition(self) -> Json:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": "",
            "priority": self.priority,
        }


def _created(obj: Json) -> Any:
    return obj["metadata"].get("creationTimestamp")


def _name(obj: Json) -> Any:
    return obj["metadata"].get("name")


NAME = Column("Name", _name, format="name")
AGE = Column("Age", _created, is_age=True)
NAME_AND_AGE: Sequence[Column] = (NAME, Column("Age", _created, type="date", is_age=True))


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


def _pod_ready(pod: Json) -> str:
    statuses = _container_statuses(pod)
    ready = sum(
        1 for each in statuses if each.get("ready") and each.get("state", {}).get("running") is not None
    )
    return f"{ready}/{len(pod['spec'].get('containers', []))}"


def _pod_status(pod: Json) -> str:
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


def _pod_restarts(pod: Json) -> str:
    statuses = _container_statuses(pod)
    count = sum(each.get("restartCount", 0) for each in statuses)
    ends = [each.get("lastState", {}).get("terminated", {}).get("finishedAt") for each in statuses]
    last = max(filter(None, ends), default=None)
    if not count or last is None:
        return str(count)
    return f"{count} ({ages.age(last)} ago)"


def _pod_ip(pod: Json) -> str:
    addresses = pod.get("status", {}).get("podIPs") or []
    return addresses[0]["ip"] if addresses else NONE


def _gates(pod: Json) -> str:
    gates = [each["conditionType"] for each in pod["spec"].get("readinessGates", [])]
    met = sum(1 for gate in gates if condition(pod.get("status", {}), gate) == "True")
    return f"{met}/{len(gates)}" if gates else NONE


def condition(status: Json, kind: str) -> str:
    """The status of one condition, by its type."""
    return next((each["status"] for each in status.get("conditions") or [] if each["type"] == kind), "")


def _template(read: Callable[[Json], str]) -> Callable[[Json], str]:
    def of_template(workload: Json) -> str:
        containers = workload["spec"].get("template", {}).get("spec", {}).get("containers", [])
        return ",".join(read(container) for container in containers)

    return of_template


def _selector(path: str) -> Callable[[Json], str]:
    read = at(path)

    def text(obj: Json) -> str:
        found = read(obj)
        if isinstance(found, dict) and not {"matchLabels", "matchExpressions"} & set(found):
            found = {"matchLabels": found}
        return selectors.as_text(found) or NONE

    return text


def _deployment_ready(deployment: Json) -> str:
    return f"{deployment['status'].get('readyReplicas', 0)}/{deployment['spec'].get('replicas', 0)}"


def _service_external(service: Json) -> str:
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


def _service_ports(service: Json) -> str:
    ports = [
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in service["spec"].get("ports", [])
    ]
    return ",".join(ports) or NONE


def _hosts(ingress: Json) -> str:
    hosts = [rule["host"] for rule in ingress["spec"].get("rules", []) if rule.get("host")]
    if not hosts:
        return "*"
    more = f" + {len(hosts) - SHOWN_HOSTS} more..." if len(hosts) > SHOWN_HOSTS else ""
    return ",".join(hosts[:SHOWN_HOSTS]) + more


def _ingress_address(ingress: Json) -> str:
    found = ingress["status"].get("loadBalancer", {}).get("ingress", [])
    return ",".join(each.get("ip") or each.get("hostname", "") for each in found)


def _reference(autoscaler: Json) -> str:
    target = autoscaler["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def _targets(autoscaler: Json) -> str:
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


def _size(*names: str) -> Callable[[Json], int]:
    return lambda obj: sum(len(obj.get(name, {})) for name in names)


def _count(path: str) -> Callable[[Json], int]:
    read = at(path, default=[])
    return lambda obj: len(read(obj))


def _event_seen(event: Json) -> Any:
    return (
        event.get("series", {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or _created(event)
    )


def _event_object(event: Json) -> str:
    about = event["involvedObject"]
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _slice_ports(endpoint_slice: Json) -> str:
    return ",".join(str(port.get("port", "*")) for port in endpoint_slice.get("ports") or []) or UNSET


def _slice_addresses(endpoint_slice: Json) -> str:
    found = [
        address for each in endpoint_slice.get("endpoints") or [] for address in each.get("addresses", [])
    ]
    more = f" + {len(found) - SHOWN_HOSTS} more..." if len(found) > SHOWN_HOSTS else ""
    return ",".join(found[:SHOWN_HOSTS]) + more or UNSET


def _endpoint_list(endpoints: Json) -> str:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in endpoints.get("subsets") or []
        for port in subset.get("ports", [])
        for address in subset.get("addresses", [])
    ]
    more = f" + {len(found) - SHOWN_HOSTS} more..." if len(found) > SHOWN_HOSTS else ""
    return ",".join(found[:SHOWN_HOSTS]) + more or NONE


def _job_completions(job: Json) -> str:
    return f"{job['status'].get('succeeded', 0)}/{job['spec'].get('completions', 1)}"


def _job_status(job: Json) -> str:
    for kind, word in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if condition(job["status"], kind) == "True":
            return word
    return "Running"


def _role_ref(binding: Json) -> str:
    return f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}"


def _text(path: str, default: str = NONE) -> Callable[[Json], str]:
    read = at(path, default)
    return lambda obj: str(read(obj))


_CONTAINERS = Column("Containers", _template(lambda each: str(each["name"])), priority=1)
_IMAGES = Column("Images", _template(lambda each: str(each.get("image", ""))), priority=1)
_WORKLOAD = (_CONTAINERS, _IMAGES, Column("Selector", _selector("spec.selector"), priority=1))

COLUMNS: dict[str, Sequence[Column]] = {
    "ClusterRole": (NAME, Column("Created At", _created)),
    "ClusterRoleBinding": (NAME, Column("Role", _role_ref), AGE),
    "ConfigMap": (NAME, Column("Data", _size("data", "binaryData"), "string"), AGE),
    "CronJob": (
        NAME,
        Column("Schedule", at("spec.schedule")),
        Column("Timezone", _text("spec.timeZone")),
        Column("Suspend", lambda obj: "True" if obj["spec"].get("suspend") else "False", "boolean"),
        Column("Active", _count("status.active"), "integer"),
        Column("Last Schedule", _text("status.lastScheduleTime")),
        AGE,
    ),
    "CustomResourceDefinition": (NAME, Column("Created At", _created, "date")),
    "Deployment": (
        NAME,
        Column("Ready", _deployment_ready),
        Column("Up-to-date", at("status.updatedReplicas", 0)),
        Column("Available", at("status.availableReplicas", 0)),
        AGE,
        *_WORKLOAD,
    ),
    "EndpointSlice": (
        NAME,
        Column("AddressType", at("addressType")),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_addresses),
        AGE,
    ),
    "Endpoints": (NAME, Column("Endpoints", _endpoint_list), AGE),
    "Event": (
        Column("Last Seen", _event_seen, is_age=True),
        Column("Type", at("type")),
        Column("Reason", at("reason")),
        Column("Object", _event_object),
        Column("Message", lambda obj: str(obj.get("message", "")).strip()),
        Column("Count", at("count", 1), "integer", priority=1),
        Column("Name", _name, format="name", priority=1),
    ),
    "HorizontalPodAutoscaler": (
        NAME,
        Column("Reference", _reference),
        Column("Targets", _targets),
        Column("MinPods", _text("spec.minReplicas", UNSET)),
        Column("MaxPods", at("spec.maxReplicas")),
        Column("Replicas", at("status.currentReplicas", 0)),
        AGE,
    ),
    "Ingress": (
        NAME,
        Column("Class", _text("spec.ingressClassName")),
        Column("Hosts", _hosts),
        Column("Address", _ingress_address),
        Column("Ports", lambda obj: "80, 443" if obj["spec"].get("tls") else "80"),
        AGE,
    ),
    "Job": (
        NAME,
        Column("Status", _job_status),
        Column("Completions", _job_completions),
        AGE,
        *_WORKLOAD,
    ),
    "Namespace": (NAME, Column("Status", at("status.phase")), AGE),
    "NetworkPolicy": (NAME, Column("Pod-Selector", _selector("spec.podSelector")), AGE),
    "Node": (
        NAME,
        Column("Status", lambda obj: "Ready" if condition(obj["status"], "Ready") == "True" else "NotReady"),
        Column("Roles", lambda _: NONE),
        AGE,
        Column("Version", at("status.nodeInfo.kubeletVersion", "")),
    ),
    "PersistentVolumeClaim": (
        NAME,
        Column("Status", at("status.phase")),
        Column("Volume", at("spec.volumeName", "")),
        Column("Capacity", at("status.capacity.storage", "")),
        Column("Access Modes", lambda obj: ",".join(obj["status"].get("accessModes", []))),
        Column("StorageClass", at("spec.storageClassName", "")),
        Column("VolumeAttributesClass", _text("spec.volumeAttributesClassName", UNSET)),
        AGE,
        Column("VolumeMode", _text("spec.volumeMode", UNSET), priority=1),
    ),
    "Pod": (
        NAME,
        Column("Ready", _pod_ready),
        Column("Status", _pod_status),
        Column("Restarts", _pod_restarts),
        AGE,
        Column("IP", _pod_ip, priority=1),
        Column("Node", _text("spec.nodeName"), priority=1),
        Column("Nominated Node", _text("status.nominatedNodeName"), priority=1),
        Column("Readiness Gates", _gates, priority=1),
    ),
    "PodDisruptionBudget": (
        NAME,
        Column("Min Available", _text("spec.minAvailable", "N/A")),
        Column("Max Unavailable", _text("spec.maxUnavailable", "N/A")),
        Column("Allowed Disruptions", at("status.disruptionsAllowed", 0), "integer"),
        AGE,
    ),
    "ReplicaSet": (
        NAME,
        Column("Desired", at("spec.replicas", 0), "integer"),
        Column("Current", at("status.replicas", 0), "integer"),
        Column("Ready", at("status.readyReplicas", 0), "integer"),
        AGE,
        *_WORKLOAD,
    ),
    "Role": (NAME, Column("Created At", _created)),
    "RoleBinding": (NAME, Column("Role", _role_ref), AGE),
    "Secret": (NAME, Column("Type", at("type")), Column("Data", _size("data"), "string"), AGE),
    "Service": (
        NAME,
        Column("Type", at("spec.type")),
        Column("Cluster-IP", _text("spec.clusterIP")),
        Column("External-IP", _service_external),
        Column("Port(s)", _service_ports),
        AGE,
        Column("Selector", _selector("spec.selector"), priority=1),
    ),
    "ServiceAccount": (NAME, Column("Secrets", _count("secrets"), "string"), AGE),
}
