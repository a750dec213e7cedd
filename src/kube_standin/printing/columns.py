"""The columns that the real server prints for each kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kube_standin.printing import cells
from kube_standin.wire.answers import Json


@dataclass(frozen=True)
class Column:
    """One column: its cells.name, and what it shows of an object. Wide ones have priority 1."""

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


NAME = Column("Name", cells.name, format="name")


AGE = Column("Age", cells.created, is_age=True)


NAME_AND_AGE: Sequence[Column] = (NAME, Column("Age", cells.created, type="date", is_age=True))


_CONTAINERS = Column("Containers", cells.template(lambda each: str(each["name"])), priority=1)


_IMAGES = Column("Images", cells.template(lambda each: str(each.get("image", ""))), priority=1)


_WORKLOAD = (_CONTAINERS, _IMAGES, Column("Selector", cells.selector("spec.selector"), priority=1))


COLUMNS: dict[str, Sequence[Column]] = {
    "ClusterRole": (NAME, Column("Created At", cells.created)),
    "ClusterRoleBinding": (NAME, Column("Role", cells.role_ref), AGE),
    "ConfigMap": (NAME, Column("Data", cells.size("data", "binaryData"), "string"), AGE),
    "CronJob": (
        NAME,
        Column("Schedule", cells.at("spec.schedule")),
        Column("Timezone", cells.text("spec.timeZone")),
        Column("Suspend", lambda obj: "True" if obj["spec"].get("suspend") else "False", "boolean"),
        Column("Active", cells.count("status.active"), "integer"),
        Column("Last Schedule", cells.text("status.lastScheduleTime")),
        AGE,
    ),
    "CustomResourceDefinition": (NAME, Column("Created At", cells.created, "date")),
    "Deployment": (
        NAME,
        Column("Ready", cells.deployment_ready),
        Column("Up-to-date", cells.at("status.updatedReplicas", 0)),
        Column("Available", cells.at("status.availableReplicas", 0)),
        AGE,
        *_WORKLOAD,
    ),
    "EndpointSlice": (
        NAME,
        Column("AddressType", cells.at("addressType")),
        Column("Ports", cells.slice_ports),
        Column("Endpoints", cells.slice_addresses),
        AGE,
    ),
    "Endpoints": (NAME, Column("Endpoints", cells.endpoint_list), AGE),
    "Event": (
        Column("Last Seen", cells.event_seen, is_age=True),
        Column("Type", cells.at("type")),
        Column("Reason", cells.at("reason")),
        Column("Object", cells.event_object),
        Column("Message", lambda obj: str(obj.get("message", "")).strip()),
        Column("Count", cells.at("count", 1), "integer", priority=1),
        Column("Name", cells.name, format="name", priority=1),
    ),
    "HorizontalPodAutoscaler": (
        NAME,
        Column("Reference", cells.reference),
        Column("Targets", cells.targets),
        Column("MinPods", cells.text("spec.minReplicas", cells.UNSET)),
        Column("MaxPods", cells.at("spec.maxReplicas")),
        Column("Replicas", cells.at("status.currentReplicas", 0)),
        AGE,
    ),
    "Ingress": (
        NAME,
        Column("Class", cells.text("spec.ingressClassName")),
        Column("Hosts", cells.hosts),
        Column("Address", cells.ingress_address),
        Column("Ports", lambda obj: "80, 443" if obj["spec"].get("tls") else "80"),
        AGE,
    ),
    "Job": (
        NAME,
        Column("Status", cells.job_status),
        Column("Completions", cells.job_completions),
        AGE,
        *_WORKLOAD,
    ),
    "Namespace": (NAME, Column("Status", cells.at("status.phase")), AGE),
    "NetworkPolicy": (NAME, Column("Pod-Selector", cells.selector("spec.podSelector")), AGE),
    "Node": (
        NAME,
        Column(
            "Status", lambda obj: "Ready" if cells.condition(obj["status"], "Ready") == "True" else "NotReady"
        ),
        Column("Roles", lambda _: cells.NONE),
        AGE,
        Column("Version", cells.at("status.nodeInfo.kubeletVersion", "")),
    ),
    "PersistentVolumeClaim": (
        NAME,
        Column("Status", cells.at("status.phase")),
        Column("Volume", cells.at("spec.volumeName", "")),
        Column("Capacity", cells.at("status.capacity.storage", "")),
        Column("Access Modes", lambda obj: ",".join(obj["status"].get("accessModes", []))),
        Column("StorageClass", cells.at("spec.storageClassName", "")),
        Column("VolumeAttributesClass", cells.text("spec.volumeAttributesClassName", cells.UNSET)),
        AGE,
        Column("VolumeMode", cells.text("spec.volumeMode", cells.UNSET), priority=1),
    ),
    "Pod": (
        NAME,
        Column("Ready", cells.pod_ready),
        Column("Status", cells.pod_status),
        Column("Restarts", cells.pod_restarts),
        AGE,
        Column("IP", cells.pod_ip, priority=1),
        Column("Node", cells.text("spec.nodeName"), priority=1),
        Column("Nominated Node", cells.text("status.nominatedNodeName"), priority=1),
        Column("Readiness Gates", cells.gates, priority=1),
    ),
    "PodDisruptionBudget": (
        NAME,
        Column("Min Available", cells.text("spec.minAvailable", "N/A")),
        Column("Max Unavailable", cells.text("spec.maxUnavailable", "N/A")),
        Column("Allowed Disruptions", cells.at("status.disruptionsAllowed", 0), "integer"),
        AGE,
    ),
    "ReplicaSet": (
        NAME,
        Column("Desired", cells.at("spec.replicas", 0), "integer"),
        Column("Current", cells.at("status.replicas", 0), "integer"),
        Column("Ready", cells.at("status.readyReplicas", 0), "integer"),
        AGE,
        *_WORKLOAD,
    ),
    "Role": (NAME, Column("Created At", cells.created)),
    "RoleBinding": (NAME, Column("Role", cells.role_ref), AGE),
    "Secret": (NAME, Column("Type", cells.at("type")), Column("Data", cells.size("data"), "string"), AGE),
    "Service": (
        NAME,
        Column("Type", cells.at("spec.type")),
        Column("Cluster-IP", cells.text("spec.clusterIP")),
        Column("External-IP", cells.service_external),
        Column("Port(s)", cells.service_ports),
        AGE,
        Column("Selector", cells.selector("spec.selector"), priority=1),
    ),
    "ServiceAccount": (NAME, Column("Secrets", cells.count("secrets"), "string"), AGE),
}
