"""EndpointSlices: the pods behind each Service, and where they really are."""

from collections.abc import Mapping, Sequence
from typing import Any

from noxgate.rehearsal.cluster.workloads import ready_of

Json = dict[str, Any]
SERVICE = "kubernetes.io/service-name"


def endpoint_slice(service: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Json:
    """The one slice of a Service with a selector."""
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
            "labels": {SERVICE: metadata["name"]},
        },
        "addressType": "IPv4",
        "endpoints": [_endpoint(pod) for pod in selected],
        "ports": [
            {"name": port.get("name", ""), "port": _target_port(port, selected), "protocol": "TCP"}
            for port in spec["ports"]
        ]
        if selected
        else [],
    }


def _fits(pod: Mapping[str, Any], selector: Mapping[str, str]) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())


def _endpoint(pod: Mapping[str, Any]) -> Json:
    ready, metadata = ready_of(pod), pod["metadata"]
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": ready, "terminating": "deletionTimestamp" in metadata},
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }


def _target_port(port: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> int:
    """The containers' port, by number or by the name that they give it."""
    wanted = port.get("targetPort", port["port"])
    if isinstance(wanted, int):
        return wanted
    for container in pods[0]["spec"]["containers"]:
        for each in container.get("ports") or []:
            if each.get("name") == wanted:
                return int(each["containerPort"])
    return int(port["port"])
