"""Runbook 2, validation suite > access: tokens that must be refused, doors that have other spellings."""

import shlex

import pytest

from nox_service.access import doors, owners
from nox_service.access.closed_list import DOOR
from nox_service.access.tokens import bad_tokens
from nox_service.clients import Clients
from noxgate.look.observation import Observation


@pytest.mark.runbook("staging.bad-tokens")
def test_bad_tokens_are_refused(clients: Clients) -> None:
    """Each for one reason alone, wherever somebody reads, writes or administers."""
    target = clients.target
    tokens = bad_tokens(target)
    clients.observe(Observation(tokens.said(), f"grep -A12 credentials {shlex.quote(str(target.path))}"))
    read = doors.bad_tokens_refused(clients.together, tokens, (*doors.PAGES, DOOR))
    written = doors.bad_tokens_write_nothing(clients.together, tokens)

    assert tokens.tried != ()
    assert read == []
    assert written == []


@pytest.mark.runbook("staging.shut-doors")
def test_doors_have_no_other_way_in(clients: Clients) -> None:
    """Guards are often written for one method and one spelling of a path."""
    assert doors.doors_shut(clients.together, bad_tokens(clients.target)) == []


@pytest.mark.runbook("staging.own-user")
def test_user_gets_their_own(clients: Clients) -> None:
    """A profile is somebody's; whether it is this user's only the token says."""
    assert owners.faults(clients.api, clients.target) == []
