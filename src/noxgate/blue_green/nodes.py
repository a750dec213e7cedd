"""The platform of the nodes on which an application runs: its images have to be for that."""

from collections.abc import Mapping
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.kube import Kube

Json = Mapping[str, Any]


def platform_of_nodes(kube: Kube, namespace: str, selector: str, profile: str) -> str:
    """Such as linux/arm64: of all nodes, or where these differ, of those that these pods are on.

    Raises UnreachableError if this account may not read nodes, or if the pods are on several platforms: the
    profile has to say it then.
    """
    advice = f'say platform = "linux/amd64" or "linux/arm64" in {profile}'
    try:
        nodes = {node["metadata"]["name"]: _platform(node) for node in kube.list("Node", "")}
    except UnreachableError as error:
        raise UnreachableError(f"{error}; or {advice}") from None
    if len(set(nodes.values())) > 1:
        named = {pod["spec"].get("nodeName") for pod in kube.list("Pod", namespace, selector)}
        nodes = {name: platform for name, platform in nodes.items() if name in named}
    found = sorted(set(nodes.values()))
    if len(found) != 1 or not found[0]:
        seen = ", ".join(filter(None, found)) or "none"
        raise UnreachableError(
            f"expected one platform of the nodes for {selector} in {namespace}, saw {seen}: {advice}"
        )
    return found[0]


def _platform(node: Json) -> str:
    said = (node.get("status") or {}).get("nodeInfo") or {}
    system, processor = said.get("operatingSystem"), said.get("architecture")
    return f"{system}/{processor}" if system and processor else ""
