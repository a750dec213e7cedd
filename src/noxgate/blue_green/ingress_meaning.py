"""An Ingress by what it means: which route leads to which backend."""

from collections.abc import Mapping
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
    """A JSON patch that leads every route of the two from Service `old` to `new`; refused if one has changed.

    A path of another Service, such as one for the documentation, is not switched: it is to stay.
    """
    where = [
        (f"/spec/rules/{number}/http/paths/{index}/backend/service/name", path["backend"])
        for number, rule in enumerate(ingress["spec"].get("rules") or [])
        for index, path in enumerate((rule.get("http") or {}).get("paths") or [])
    ]
    if "defaultBackend" in ingress["spec"]:
        where.append(("/spec/defaultBackend/service/name", ingress["spec"]["defaultBackend"]))
    named = [(path, str(backend["service"]["name"])) for path, backend in where if backend.get("service")]
    ours = [path for path, name in named if name in {old, new}]
    return [{"op": "test", "path": path, "value": old if path in ours else name} for path, name in named] + [
        {"op": "replace", "path": path, "value": new} for path in ours
    ]
