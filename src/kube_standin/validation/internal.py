"""Objects as the server's own types have them, which some refusals print: all fields, by Go's names."""

import difflib
import json
from typing import Any

from kube_standin.wire.answers import Json

# type -> its fields in Go's order: (Go's name, its empty value, the type of what is in it)
Field = tuple[str, Any, str]
TYPES: dict[str, tuple[Field, ...]] = {
    "PodSpec": (
        ("Volumes", None, "Volume"),
        ("InitContainers", None, "Container"),
        ("Containers", None, "Container"),
        ("EphemeralContainers", None, ""),
        ("RestartPolicy", "", ""),
        ("TerminationGracePeriodSeconds", None, ""),
        ("ActiveDeadlineSeconds", None, ""),
        ("DNSPolicy", "", ""),
        ("NodeSelector", None, ""),
        ("ServiceAccountName", "", ""),
        ("AutomountServiceAccountToken", None, ""),
        ("NodeName", "", ""),
        ("SecurityContext", None, "PodSecurityContext"),
        ("ImagePullSecrets", None, "LocalObjectReference"),
        ("Hostname", "", ""),
        ("Subdomain", "", ""),
        ("SetHostnameAsFQDN", None, ""),
        ("Affinity", None, ""),
        ("SchedulerName", "", ""),
        ("Tolerations", None, "Toleration"),
        ("HostAliases", None, ""),
        ("PriorityClassName", "", ""),
        ("Priority", None, ""),
        ("PreemptionPolicy", None, ""),
        ("DNSConfig", None, ""),
        ("ReadinessGates", None, ""),
        ("RuntimeClassName", None, ""),
        ("Overhead", None, ""),
        ("EnableServiceLinks", None, ""),
        ("TopologySpreadConstraints", None, ""),
        ("OS", None, ""),
        ("SchedulingGates", None, ""),
        ("ResourceClaims", None, ""),
        ("Resources", None, ""),
        ("HostnameOverride", None, ""),
        ("SchedulingGroup", None, ""),
    ),
    "PodSecurityContext": (
        ("HostNetwork", False, ""),
        ("HostPID", False, ""),
        ("HostIPC", False, ""),
        ("ShareProcessNamespace", None, ""),
        ("HostUsers", None, ""),
        ("SELinuxOptions", None, ""),
        ("WindowsOptions", None, ""),
        ("RunAsUser", None, ""),
        ("RunAsGroup", None, ""),
        ("RunAsNonRoot", None, ""),
        ("SupplementalGroups", None, ""),
        ("SupplementalGroupsPolicy", None, ""),
        ("FSGroup", None, ""),
        ("FSGroupChangePolicy", None, ""),
        ("Sysctls", None, ""),
        ("SeccompProfile", None, "SeccompProfile"),
        ("AppArmorProfile", None, ""),
        ("SELinuxChangePolicy", None, ""),
    ),
    "SeccompProfile": (("Type", "", ""), ("LocalhostProfile", None, "")),
    "LocalObjectReference": (("Name", "", ""),),
    "Toleration": (
        ("Key", "", ""),
        ("Operator", "", ""),
        ("Value", "", ""),
        ("Effect", "", ""),
        ("TolerationSeconds", None, ""),
    ),
    "Container": (
        ("Name", "", ""),
        ("Image", "", ""),
        ("Command", None, ""),
        ("Args", None, ""),
        ("WorkingDir", "", ""),
        ("Ports", None, "ContainerPort"),
        ("EnvFrom", None, ""),
        ("Env", None, "EnvVar"),
        ("Resources", {}, "ResourceRequirements"),
        ("ResizePolicy", None, ""),
        ("RestartPolicy", None, ""),
        ("RestartPolicyRules", None, ""),
        ("VolumeMounts", None, "VolumeMount"),
        ("VolumeDevices", None, ""),
        ("LivenessProbe", None, ""),
        ("ReadinessProbe", None, ""),
        ("StartupProbe", None, ""),
        ("Lifecycle", None, ""),
        ("TerminationMessagePath", "", ""),
        ("TerminationMessagePolicy", "", ""),
        ("ImagePullPolicy", "", ""),
        ("SecurityContext", None, ""),
        ("Stdin", False, ""),
        ("StdinOnce", False, ""),
        ("TTY", False, ""),
    ),
    "ContainerPort": (
        ("Name", "", ""),
        ("HostPort", 0, ""),
        ("ContainerPort", 0, ""),
        ("Protocol", "", ""),
        ("HostIP", "", ""),
    ),
    "EnvVar": (("Name", "", ""), ("Value", "", ""), ("ValueFrom", None, "")),
    "ResourceRequirements": (("Limits", None, ""), ("Requests", None, ""), ("Claims", None, "")),
    "VolumeMount": (
        ("Name", "", ""),
        ("ReadOnly", False, ""),
        ("RecursiveReadOnly", None, ""),
        ("MountPath", "", ""),
        ("SubPath", "", ""),
        ("MountPropagation", None, ""),
        ("SubPathExpr", "", ""),
    ),
    "ClaimSpec": (
        ("AccessModes", None, ""),
        ("Selector", None, ""),
        ("Resources", {}, "VolumeResources"),
        ("VolumeName", "", ""),
        ("StorageClassName", None, ""),
        ("VolumeMode", None, ""),
        ("DataSource", None, ""),
        ("DataSourceRef", None, ""),
        ("VolumeAttributesClassName", None, ""),
    ),
    "VolumeResources": (("Limits", None, ""), ("Requests", None, "")),
}
# Fields whose name in JSON is not Go's with a small first letter
JSON_NAMES = {
    "DNSPolicy": "dnsPolicy",
    "DNSConfig": "dnsConfig",
    "OS": "os",
    "TTY": "tty",
    "FSGroup": "fsGroup",
    "FSGroupChangePolicy": "fsGroupChangePolicy",
    "SELinuxOptions": "seLinuxOptions",
    "SELinuxChangePolicy": "seLinuxChangePolicy",
}
MOVED = ("HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace", "HostUsers")
CONTEXT = 3


def of(kind: str, value: Any) -> Any:
    """A value as the server's own type writes it."""
    if isinstance(value, list):
        return [of(kind, each) for each in value]
    if not isinstance(value, dict) or kind not in TYPES:
        return value
    if kind == "PodSpec":
        value = _with_moved(value)
    return {name: _field(value, name, empty, inner) for name, empty, inner in TYPES[kind]}


def _field(value: Json, name: str, empty: Any, inner: str) -> Any:
    json_name = JSON_NAMES.get(name) or (name[0].lower() + name[1:])
    return of(inner, value.get(json_name, empty))


def _with_moved(spec: Json) -> Json:
    """What the pod says of its host is, inside the server, a part of its security context."""
    moved = {name[0].lower() + name[1:]: None for name in MOVED}
    given = {name: spec[name] for name in moved if name in spec}
    return spec | {"securityContext": (spec.get("securityContext") or {}) | given}


def template(given: Json) -> str:
    """A pod template, on one line. Its metadata keep their names in JSON."""
    meta = {name: value for name, value in (given.get("metadata") or {}).items() if value}
    whole = meta | {"Spec": of("PodSpec", given.get("spec") or {})}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


def difference(kind: str, old: Json, new: Json) -> str:
    """What differs between two values, as the server shows it."""
    before, after = (json.dumps(of(kind, each), indent=1).splitlines() for each in (old, new))
    lines = list(difflib.unified_diff(before, after, lineterm="", n=CONTEXT))[2:]
    return "".join(f"{line}\n" for line in lines)
