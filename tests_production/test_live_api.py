"""Runbook 5, first 10 minutes: the public host, again and again, on each pod behind it."""

from collections.abc import Callable

import pytest

from nox_service import calculations, edge, faults, pages
from nox_service.clients import Clients
from nox_service.first_minutes import FirstMinutes
from nox_service.websocket import no_echo
from noxgate.project.runbook import Limits


@pytest.mark.runbook("live.health")
def test_health_stays_healthy(first_minutes: FirstMinutes) -> None:
    """The whole word: a `degraded` with HTTP 200 is not healthy."""
    with first_minutes.answers("/health") as answers:
        assert faults.health(answers) == []


@pytest.mark.runbook("live.version")
def test_version_stays_the_release(clients: Clients, first_minutes: FirstMinutes) -> None:
    """Something that owns the Ingress may put it back, minutes later."""
    with first_minutes.answers("/version") as answers:
        assert faults.version(answers, clients.release.version) == []


@pytest.mark.runbook("live.ready")
def test_ready_stays_ready(first_minutes: FirstMinutes) -> None:
    """/ready looks at PostgreSQL and Redis, which now have the users of two colours."""
    with first_minutes.answers("/ready") as answers:
        assert faults.ready(answers) == []


@pytest.mark.runbook("live.user-pages")
def test_users_have_their_pages(clients: Clients) -> None:
    """Signed in with the token of before the switch; a stranger is refused, and the page of a stranger."""
    wrong = pages.each(clients.api)
    open_to_others = edge.open_to_others(clients.api, clients.target)

    assert wrong == {}
    assert open_to_others == []


@pytest.mark.runbook("live.public-stats")
def test_public_stats_are_public(clients: Clients) -> None:
    """On each pod behind the host."""
    assert pages.each_counted(clients.api.at_each_pod(pages.STATS)) == []


@pytest.mark.runbook("live.science")
def test_science_is_computed(clients: Clients) -> None:
    """The two requests that store nothing."""
    assert calculations.each(clients.api) == {}


@pytest.mark.runbook("live.websocket")
def test_websocket_echoes(clients: Clients) -> None:
    """Through the Ingress as the switch has left it."""
    assert no_echo(clients.websocket, "/ws") == []


@pytest.mark.runbook("live.signed-in-errors")
def test_signed_in_users_are_not_turned_away(
    first_minutes: FirstMinutes, refused_percent: Callable[[float], float | None], limits: Limits
) -> None:
    """By the gate's own good token, again and again; and by the service's own count, where it has one."""
    limit = limits["errors_percent"]
    with first_minutes.answers(pages.PROFILE) as answers:
        assert answers != []
        assert [faults.not_ok(answer) for answer in answers if answer.status != 200] == []
        share = refused_percent(limit)
        assert share is None or share < limit, f"{share:.2f} % of the answers to signed-in users are 4xx"
