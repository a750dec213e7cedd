"""Runbook 2, validation suite: what a signed-in user, a stranger and a chemist get from the API."""

import pytest

from nox_service import calculations, edge, pages
from nox_service.access.tokens import Who
from nox_service.clients import Clients
from nox_service.websocket import no_echo

STRANGERS: tuple[Who | None, ...] = (None, "forged")


@pytest.mark.runbook("staging.user-profile")
def test_user_reads_own_profile(clients: Clients) -> None:
    """With the test user's token; a stranger is refused, and so is a forger, and the page of a stranger."""
    wrong = pages.look(clients.api, pages.PROFILE, STRANGERS)
    open_to_others = edge.open_to_others(clients.api, clients.target)

    assert wrong == []
    assert open_to_others == []


@pytest.mark.runbook("staging.user-settings")
def test_user_reads_own_settings(clients: Clients) -> None:
    """With the test user's token; a stranger is refused, and so is a forger."""
    assert pages.look(clients.api, pages.SETTINGS, STRANGERS) == []


@pytest.mark.runbook("staging.user-history")
def test_user_reads_own_history(clients: Clients) -> None:
    """With the test user's token; a stranger is refused, and so is a forger."""
    assert pages.look(clients.api, pages.HISTORY, STRANGERS) == []


@pytest.mark.runbook("staging.public-stats")
def test_public_stats_are_public(clients: Clients) -> None:
    """At least one count, without a token."""
    assert pages.each_counted(clients.api.at_each_pod(pages.STATS)) == []


@pytest.mark.runbook("staging.empirical")
def test_empirical_predicts_a_boiling_point(clients: Clients) -> None:
    """Ethanol, in kelvin. Answered at once, or taken as a job."""
    assert calculations.look(clients.api, calculations.EMPIRICAL) == []


@pytest.mark.runbook("staging.predict-cj")
def test_predict_cj_predicts_a_detonation(clients: Clients) -> None:
    """RDX, C3H6N6O6, at 1.80 g/cm3. Answered at once, or taken as a job."""
    assert calculations.look(clients.api, calculations.PREDICT_CJ) == []


@pytest.mark.runbook("staging.bad-body")
def test_bad_body_is_refused(clients: Clients) -> None:
    """A broken body is the caller's fault and said to be so: not computed, and no crash."""
    broken = clients.api.post("/empirical/v1", '{"smiles": "CCO", ', who="test_token")
    nonsense = clients.api.post("/predict/cj/v1", {"composition": "Xx9", "density": -1}, who="test_token")

    assert calculations.refused([broken, nonsense]) == []


@pytest.mark.runbook("staging.websocket")
def test_websocket_echoes(clients: Clients) -> None:
    """A real upgrade through the ingress, one message there and the same back, a normal close (RFC 6455)."""
    assert no_echo(clients.websocket, "/ws") == []
