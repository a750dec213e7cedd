"""EndpointSlices: the pods behind each Service, and where they really are."""

from collections.abc import Mapping, Sequence
from typing import Any

from nox_rehearsal.cluster.workloads import ready_of

Json = dict[str, Any]
SERVICE = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"


def endpoint_slice(service: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Json:
    """The one slice of a Service with a selector, of the pods of its namespace."""
    metadata, spec = service["metadata"], service["spec"]
    selected = [
        pod for pod in pods if _fits(pod, spec["selector"]) and (pod.get("status") or {}).get("podIP")
    ]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{metadata['name']}-pods",
            "namespace": metadata["namespace"],
            "labels": {SERVICE: metadata["name"], MANAGED_BY: CONTROLLER},
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "addressType": "IPv4",
        "endpoints": [_endpoint(pod) for pod in selected],
        "ports": _ports(spec.get("ports") or [], selected),
    }


def is_as(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a slice says already what it should."""
    return all((present.get(key) or []) == wanted[key] for key in ("endpoints", "ports"))


def _fits(pod: Mapping[str, Any], selector: Mapping[str, str]) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())


def _endpoint(pod: Mapping[str, Any]) -> Json:
    serves, metadata = ready_of(pod), pod["metadata"]
    ends = "deletionTimestamp" in metadata
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": serves and not ends, "serving": serves, "terminating": ends},
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }


def _ports(ports: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The ports that the pods have; one by a name that no container gives is left out."""
    found = []
    for port in ports:
        number = _target_port(port, pods)
        if number is not None:
            found.append(
                {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            )
    return found


def _target_port(port: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> int | None:
    """The containers' port, by number or by the name that they give it."""
    wanted = port.get("targetPort", port["port"])
    if not pods:
        return None
    if isinstance(wanted, int):
        return wanted
    for container in pods[0]["spec"]["containers"]:
        for each in container.get("ports") or []:
            if each.get("name") == wanted:
                return int(each["containerPort"])
    return None
