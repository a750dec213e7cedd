"""Runbook 5, immediate verification: whose pages users get, and that bad tokens get none."""

import shlex
from http import HTTPStatus

import pytest

from nox_service.access import doors, owners
from nox_service.access.closed_list import DOOR
from nox_service.access.tokens import bad_tokens
from nox_service.clients import Clients
from noxgate.look.observation import Observation


@pytest.mark.runbook("live.bad-tokens")
def test_bad_tokens_are_refused(clients: Clients) -> None:
    """Each once, by GET, and marked: users' errors are counted without them."""
    target = clients.target
    tokens = bad_tokens(target)
    clients.observe(Observation(tokens.said(), f"grep -A12 credentials {shlex.quote(str(target.path))}"))

    assert tokens.tried != ()
    assert doors.bad_tokens_refused(clients.together, tokens, doors.PAGES[:1]) == []


@pytest.mark.runbook("live.admin-door")
def test_door_is_the_administrators(clients: Clients) -> None:
    """An ordinary user knocks once: what signed-in users are refused is counted."""
    api, target = clients.api, clients.target
    users = api.get_often(DOOR, who="test_token", times=1)
    strangers = api.at_each_pod(DOOR)
    kept_out: list[str] = []
    if "admin_token" in target.credentials:
        kept_out = doors.administrator_enters(api.at_each_pod(DOOR, who="admin_token"))
    else:
        seen = f"not tried as an administrator: {target.path.name} names no admin_token"
        clients.observe(Observation(seen, f"cat {shlex.quote(str(target.path))}"))

    assert doors.turned_away(users, HTTPStatus.FORBIDDEN) == []
    assert doors.turned_away(strangers, HTTPStatus.UNAUTHORIZED) == []
    assert kept_out == []


@pytest.mark.runbook("live.own-user")
def test_user_gets_their_own(clients: Clients) -> None:
    """What a cache in front, or a session that is mixed up, would give to somebody else."""
    assert owners.faults(clients.api, clients.target) == []
