"""Runbook 2, validation suite > access: who may open the administrator's door."""

import pytest

from noxgate.clients.api import ApiClient

DOOR = "/api/admin/health"


@pytest.mark.runbook("staging.admin-allows-admin")
def test_administrator_enters(api: ApiClient) -> None:
    """Otherwise a door that is shut for all would look well guarded."""
    answer = api.get(DOOR, who="admin_token")

    assert answer.status == 200
    assert "error" not in answer.json()


@pytest.mark.runbook("staging.admin-refuses-user")
def test_ordinary_user_is_refused(api: ApiClient) -> None:
    """403: known, and not allowed."""
    answer = api.get(DOOR, who="test_token")

    assert answer.status == 403


@pytest.mark.runbook("staging.admin-refuses-anonymous")
def test_stranger_is_refused(api: ApiClient) -> None:
    """401: not known."""
    answer = api.get(DOOR)

    assert answer.status == 401
