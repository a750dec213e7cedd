"""An Ingress by what it means: which route leads to which backend."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
Route = tuple[str, str, str]  # host, path, path type


def routes(ingress: Json) -> dict[Route, Json]:
    """The backend of each route; two rules for one route are an AssertionError, for one of them is dead."""
    found: dict[Route, Json] = {}
    for rule in ingress["spec"].get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            route = (rule.get("host", "*"), path.get("path", "/"), path["pathType"])
            assert route not in found, f"expected each route once, saw {route} twice"
            found[route] = path["backend"]
    return found


def services(ingress: Json) -> set[str | None]:
    """The Services that its routes, and its default backend, lead to; None for a backend of another kind."""
    default = ingress["spec"].get("defaultBackend")
    backends = [*routes(ingress).values(), *([] if default is None else [default])]
    return {(backend.get("service") or {}).get("name") for backend in backends}


def switch_patch(ingress: Json, old: str, new: str) -> list[dict[str, str]]:
    """A JSON patch that leads every route from Service `old` to `new`, and is refused if one has changed."""
    where = [
        f"/spec/rules/{number}/http/paths/{index}/backend/service/name"
        for number, rule in enumerate(ingress["spec"].get("rules") or [])
        for index, _ in enumerate((rule.get("http") or {}).get("paths") or [])
    ]
    return [{"op": "test", "path": path, "value": old} for path in where] + [
        {"op": "replace", "path": path, "value": new} for path in where
    ]
