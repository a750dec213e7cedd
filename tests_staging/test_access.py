"""Runbook 2, validation suite > access: who may open the administrator's door, at each pod."""

import pytest

from nox_service.api import ApiClient

DOOR = "/api/admin/health"


@pytest.mark.runbook("staging.admin-allows-admin")
def test_administrator_enters(api: ApiClient) -> None:
    """Otherwise a door that is shut for all would look well guarded. Nothing behind it is unwell."""
    answers = api.get_often(DOOR, who="admin_token")

    assert {answer.status for answer in answers} == {200}
    rooms = [answer.json() for answer in answers]
    assert [room for room in rooms if "error" in room or room.get("failed")] == []
    assert {room.get("status", "healthy") for room in rooms} == {"healthy"}


@pytest.mark.runbook("staging.admin-refuses-user")
def test_ordinary_user_is_refused(api: ApiClient) -> None:
    """403: known, and not allowed."""
    answers = api.get_often(DOOR, who="test_token")

    assert {answer.status for answer in answers} == {403}


@pytest.mark.runbook("staging.admin-refuses-anonymous")
def test_stranger_is_refused(api: ApiClient) -> None:
    """401: not known. Nor is a token that somebody else signed."""
    strangers = api.get_often(DOOR)
    forgers = api.get_often(DOOR, who="forged")

    assert {answer.status for answer in (*strangers, *forgers)} == {401}
