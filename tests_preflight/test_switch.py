"""Runbook 4 and rollback, tried before the day: the traffic switch and the way back, as dry runs."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from noxgate.clients.ingress_meaning import Route, routes, services
from noxgate.clients.kube import Kube, RefusedError
from noxgate.clients.switching import Patch, planned, runbooks, together
from noxgate.target import Target

Json = Mapping[str, Any]

INGRESS = "nox-api-ingress"
BLUE, GREEN = "nox-api-service-blue", "nox-api-service-green"


@pytest.mark.runbook("preflight.switch-dry-run")
def test_switch_changes_backends_only(production_kube: Kube, production: Target) -> None:
    """Accepted by the server, and compared by meaning: what is accepted may still lose hosts and paths."""
    before = ingress(production_kube, production)
    shows_runbooks_patch(production_kube, production, GREEN)
    after = dry_run(
        production_kube, production, planned(production, before, BLUE, GREEN, production.switch_patch)
    )

    assert services(before) == {BLUE}
    assert differing(after, switched(before, GREEN)) == {}
    assert kept(after) == kept(before)


@pytest.mark.runbook("preflight.rollback-dry-run")
def test_rollback_leads_back(production_kube: Kube, production: Target) -> None:
    """Blue serves before the day: the switch and the way back are tried in one dry run, one by one."""
    before = ingress(production_kube, production)
    shows_runbooks_patch(production_kube, production, BLUE)
    forth = planned(production, before, BLUE, GREEN, production.switch_patch)
    back = planned(production, before, GREEN, BLUE, production.rollback_patch)
    after = dry_run(production_kube, production, together(forth, back))

    assert services(before) == {BLUE}
    assert differing(after, routes(before)) == {}
    assert kept(after) == kept(before)


def ingress(kube: Kube, production: Target) -> Json:
    """The one object that the switch changes."""
    found = kube.need("Ingress", INGRESS, production.namespace)
    assert routes(found) != {}
    return found


def dry_run(kube: Kube, production: Target, patch: Patch) -> Json:
    return kube.dry_run_patch("Ingress", INGRESS, production.namespace, patch.content, patch.media_type)


def shows_runbooks_patch(kube: Kube, production: Target, service: str) -> None:
    """For the record: what the server says of the patch as the runbook has it. Nobody should paste that."""
    with suppress(RefusedError):
        dry_run(kube, production, runbooks(service))


def switched(before: Json, service: str) -> dict[Route, Json]:
    """Every route as it was, to another Service."""
    return {
        route: {**backend, "service": {**(backend.get("service") or {}), "name": service}}
        for route, backend in routes(before).items()
    }


def differing(after: Json, wished: Mapping[Route, Json]) -> dict[str, str]:
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


def kept(ingress: Json) -> Json:
    """What no switch may touch."""
    spec = ingress["spec"]
    wanted = ("ingressClassName", "tls")
    return {
        "annotations": ingress["metadata"].get("annotations"),
        **{field: spec.get(field) for field in wanted},
    }
