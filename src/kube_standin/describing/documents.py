"""The paths that name no resource: version, health, discovery, OpenAPI."""

from collections.abc import Callable

from kube_standin.cluster import Cluster
from kube_standin.describing import discovery, openapi
from kube_standin.wire import answers
from kube_standin.wire.answers import Json

AGGREGATED = "APIGroupDiscoveryList"
TOP = ("/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version")


def document(cluster: Cluster, path: str, shape: str, address: str) -> Json | str:
    """The document at a path, or a text. Raises PlainError if it does not exist."""
    place = path.rstrip("/") or "/"
    if place.startswith(discovery.CHECKS):
        return "ok"
    found = _document(cluster, place, shape, address)
    if found is None:
        raise answers.unknown_path()
    return found


def _document(cluster: Cluster, place: str, shape: str, address: str) -> Json | None:
    if place in {"/api", "/apis"} and shape == AGGREGATED:
        return discovery.aggregated(cluster.kinds(), core=place == "/api")
    if place in FIXED:
        return FIXED[place](cluster, address)
    if place.startswith("/openapi/v3/"):
        return openapi.document(cluster.kinds(), cluster.schemas, place.removeprefix("/openapi/v3/"))
    return _of_group(cluster, place.strip("/").split("/"))


def _of_group(cluster: Cluster, parts: list[str]) -> Json | None:
    match parts:
        case ["api", version]:
            return discovery.resources(cluster.kinds(), "", version)
        case ["apis", group]:
            return discovery.group(cluster.kinds(), group)
        case ["apis", group, version]:
            return discovery.resources(cluster.kinds(), group, version)
    return None


FIXED: dict[str, Callable[[Cluster, str], Json]] = {
    "/": lambda _, __: {"paths": list(TOP)},
    "/version": lambda _, __: discovery.VERSION,
    "/api": lambda _, address: discovery.core_versions(address),
    "/apis": lambda cluster, _: discovery.groups(cluster.kinds()),
    "/openapi/v3": lambda cluster, _: openapi.index(cluster.kinds()),
}
