"""The patches of release day: the files that the profile names, else made from the live Ingress."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noxgate.blue_green.edges import the_ingress
from noxgate.blue_green.ingress_meaning import Route, routes, services, switch_patch
from noxgate.errors import UnreachableError
from noxgate.look.documents import of_json
from noxgate.project.saved import saved_files
from noxgate.project.service.names import Service
from noxgate.project.target import Target
from noxgate.systems.kubernetes.api_server.written import NOTES
from noxgate.systems.kubernetes.kube import Kube, RefusedError
from noxgate.systems.kubernetes.manifests import SUFFIXES, read_file

Json = Mapping[str, Any]

JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"  # what `kubectl patch` sends unless told otherwise


@dataclass(frozen=True)
class SwitchPoint:
    """Where traffic is switched: the Ingress of one environment, between the service's two colours."""

    kube: Kube
    namespace: str
    namespaces: tuple[str, ...]  # in which the Ingress may be
    service: Service


@dataclass(frozen=True)
class PatchFile:
    """A patch that the profile names, below `source`; `name` is None if it is made from the Ingress."""

    profile: str
    source: Path | None
    name: str | None


@dataclass(frozen=True)
class Patch:
    """The body of a PATCH, and how the server is to read it."""

    content: Any
    media_type: str


def forth(at: SwitchPoint, ingress: Json, file: PatchFile) -> Patch:
    """The planned switch from blue to green."""
    return planned(ingress, at.service.blue.service, at.service.green.service, file)


def back(at: SwitchPoint, ingress: Json, file: PatchFile) -> Patch:
    """The planned way back."""
    return planned(ingress, at.service.green.service, at.service.blue.service, file)


def planned(ingress: Json, old: str, new: str, file: PatchFile) -> Patch:
    """The patch that will lead from Service `old` to `new`. Raises AssertionError if it is not a patch."""
    name = file.name
    if name is None:
        return Patch(switch_patch(ingress, old, new), JSON_PATCH)
    if file.source is None:
        raise UnreachableError(f"{file.profile} names no source, below which {name} would be")
    path = file.source / name
    try:
        content = of_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AssertionError(f"{name}: {error.strerror}") from None
    except ValueError as error:
        raise AssertionError(f"{name}: expected a patch in JSON: {error}") from None
    if new not in json.dumps(content):
        raise AssertionError(f"{name}: expected a patch that leads to {new}, which it does not name")
    return Patch(content, JSON_PATCH if isinstance(content, list) else STRATEGIC)


def together(first: Patch, second: Patch) -> Patch:
    """Both, one after the other, in one request: a dry run leaves nothing behind for a second to start from.

    Where one of them is not a JSON patch, the second alone: it says by itself what is to be.
    """
    if first.media_type == second.media_type == JSON_PATCH:
        return Patch([*first.content, *second.content], JSON_PATCH)
    return second


def runbooks(service: str) -> Patch:
    """The patch as the runbook has it; an API server refuses it."""
    backend = {"service": {"name": service, "port": {"number": 80}}}
    return Patch({"spec": {"rules": [{"http": {"paths": [{"backend": backend}]}}]}}, STRATEGIC)


def live_ingress(at: SwitchPoint) -> Json:
    """The one object that the switch changes."""
    found = the_ingress(at.kube, at.service, at.namespace, at.namespaces)
    assert routes(found) != {}, f"Ingress {at.service.ingress} has no path"
    return found


def ingress_before(target: Target, service: Service) -> Json:
    """The Ingress as it was saved tonight; where nothing was saved, as the repository ships it.

    Of both, only the files meant are read: an image scan or a note may lie beside them.
    """
    for file in [*_tonights(target, service.files.rollback_manifests), *_shipped(target, service.ingress)]:
        found = [
            each.content
            for each in read_file(file)
            if (each.kind, each.name) == ("Ingress", service.ingress)
            and each.namespace in {None, target.namespace}
        ]
        if found:
            return found[-1]  # the last that was saved
    raise UnreachableError(
        f"nothing says which paths the Ingress had: {target.path.name} names no backups with its manifest"
    )


def _tonights(target: Target, pattern: str) -> list[Path]:
    """The newest file of the rollback manifests, if there is one."""
    saved = saved_files(target)
    return [saved.newest(pattern)] if saved.folder is not None and any(saved.folder.glob(pattern)) else []


def _shipped(target: Target, ingress: str) -> list[Path]:
    """The files of the repository's folders of manifests that name the Ingress."""
    if target.source is None or target.manifests is None:
        return []
    around = (target.source / target.manifests).parent
    folders = sorted(folder for folder in around.iterdir() if folder.is_dir()) if around.is_dir() else []
    return [
        file
        for folder in folders
        for file in sorted(folder.iterdir())
        if file.suffix in SUFFIXES and file.is_file() and ingress in file.read_text("utf-8", errors="replace")
    ]


def dry_run(at: SwitchPoint, patch: Patch) -> Json:
    """What a patch would leave of the Ingress."""
    ingress = at.service.ingress
    return at.kube.dry_run_patch("Ingress", ingress, at.namespace, patch.content, patch.media_type)


def show_runbooks_patch(at: SwitchPoint, to: str) -> None:
    """For the record: what the server says of the patch as the runbook has it, which must not be pasted."""
    with suppress(RefusedError):
        dry_run(at, runbooks(to))


def wished_routes(before: Json, service: Service, to: str) -> dict[Route, Json]:
    """Every route of blue or green as it was, to another Service; those of other Services as they were."""
    return {
        route: {**backend, "service": {**backend["service"], "name": to}}
        if is_ours(backend, service)
        else backend
        for route, backend in routes(before).items()
    }


def is_ours(backend: Json, service: Service) -> bool:
    """Whether a backend is blue's or green's: an Ingress may have a path of another Service, for the docs."""
    return (backend.get("service") or {}).get("name") in service.colours


def colours(ingress: Json, service: Service) -> set[str | None]:
    """Blue, green or both: where its routes of the application lead."""
    return services(ingress) & service.colours


def different_routes(after: Json, wished: Mapping[Route, Json]) -> dict[str, str]:
    """Route -> what it leads to, and should: of those that are lost, new, or lead elsewhere."""
    found = routes(after)
    return {
        " ".join(route): f"{leads(found.get(route))}, expected {leads(wished.get(route))}"
        for route in {**wished, **found}
        if found.get(route) != wished.get(route)
    }


def leads(backend: Json | None) -> str:
    """A backend in words."""
    service = (backend or {}).get("service") or {}
    port = service.get("port") or {}
    return f"{service.get('name')}:{port.get('number', port.get('name'))}" if service else "nowhere"


def unwanted_changes(after: Json, before: Json, service: Service, to: str) -> dict[str, Any]:
    """What is not as a switch to this Service leaves it: routes, and the fields that it may not touch."""
    kept, was = kept_fields(after), kept_fields(before)
    changed = {field: value for field, value in kept.items() if value != was[field]}
    return {**different_routes(after, wished_routes(before, service, to)), **changed}


def kept_fields(ingress: Json) -> Json:
    """What no switch may touch."""
    spec, annotations = ingress["spec"], ingress["metadata"].get("annotations") or {}
    wanted = ("ingressClassName", "tls")
    return {
        "annotations": {name: value for name, value in annotations.items() if name not in NOTES},
        **{field: spec.get(field) for field in wanted},
    }
