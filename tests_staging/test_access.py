"""Runbook 2, validation suite > access: who may open the administrator's door, at each pod."""

from http import HTTPStatus

import pytest

from nox_service.access.closed_list import DOOR
from nox_service.access.doors import administrator_enters, turned_away
from nox_service.clients import Clients


@pytest.mark.runbook("staging.admin-allows-admin")
def test_administrator_enters(clients: Clients) -> None:
    """Otherwise a door that is shut for all would look well guarded. Nothing behind it is unwell."""
    assert administrator_enters(clients.api.get_often(DOOR, who="admin_token")) == []


@pytest.mark.runbook("staging.admin-refuses-user")
def test_ordinary_user_is_refused(clients: Clients) -> None:
    """403: known, and not allowed."""
    assert turned_away(clients.api.get_often(DOOR, who="test_token"), HTTPStatus.FORBIDDEN) == []


@pytest.mark.runbook("staging.admin-refuses-anonymous")
def test_stranger_is_refused(clients: Clients) -> None:
    """401: not known. Nor is a token that somebody else signed."""
    strangers = clients.api.get_often(DOOR)
    forgers = clients.api.get_often(DOOR, who="forged")

    assert strangers != []
    assert turned_away([*strangers, *forgers], HTTPStatus.UNAUTHORIZED) == []
