"""An Ingress by what it means: which route leads to which backend."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
Route = tuple[str, str, str]  # host, path, path type
DEFAULT: Route = ("*", "where no rule fits", "")


def routes(ingress: Json) -> dict[Route, Json]:
    """The backend of each route, the default one's too; a route that stands twice is an AssertionError."""
    default = ingress["spec"].get("defaultBackend")
    found: dict[Route, Json] = {} if default is None else {DEFAULT: default}
    for rule in ingress["spec"].get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            route = (rule.get("host", "*"), path.get("path", "/"), path["pathType"])
            assert route not in found, f"expected each route once, saw {route} twice"
            found[route] = path["backend"]
    return found


def services(ingress: Json) -> set[str | None]:
    """The Services that its routes lead to; None for a backend of another kind."""
    return {(backend.get("service") or {}).get("name") for backend in routes(ingress).values()}


def switch_patch(ingress: Json, old: str, new: str) -> list[dict[str, str]]:
    """A JSON patch that leads every route from Service `old` to `new`, and is refused if one has changed."""
    where = [
        f"/spec/rules/{number}/http/paths/{index}/backend/service/name"
        for number, rule in enumerate(ingress["spec"].get("rules") or [])
        for index, _ in enumerate((rule.get("http") or {}).get("paths") or [])
    ]
    if "defaultBackend" in ingress["spec"]:
        where.append("/spec/defaultBackend/service/name")
    return [{"op": "test", "path": path, "value": old} for path in where] + [
        {"op": "replace", "path": path, "value": new} for path in where
    ]


def changed_at(ingress: Json) -> datetime | None:
    """When somebody last changed what it routes, as the API server wrote it down; None where it did not."""
    times = [
        datetime.fromisoformat(entry["time"])
        for entry in ingress["metadata"].get("managedFields") or []
        if "f:spec" in (entry.get("fieldsV1") or {}) and entry.get("time")
    ]
    return max(times, default=None)
