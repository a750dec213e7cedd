"""Runbook 2, validation suite: what a signed-in user, a stranger and a chemist get from the API."""

import math
from typing import Any

import pytest

from noxgate.clients.api import Answer, ApiClient
from noxgate.clients.websocket import WebSocketClient


@pytest.mark.runbook("staging.user-profile")
def test_user_reads_own_profile(api: ApiClient) -> None:
    """With the test user's token; a stranger is refused."""
    assert_user_only(api, "/api/user/profile")


@pytest.mark.runbook("staging.user-settings")
def test_user_reads_own_settings(api: ApiClient) -> None:
    """With the test user's token; a stranger is refused."""
    assert_user_only(api, "/api/user/settings")


@pytest.mark.runbook("staging.user-history")
def test_user_reads_own_history(api: ApiClient) -> None:
    """With the test user's token; a stranger is refused."""
    assert_user_only(api, "/api/user/history")


@pytest.mark.runbook("staging.public-stats")
def test_public_stats_are_public(api: ApiClient) -> None:
    """At least one figure, without a token."""
    answer = api.get("/api/public/stats")

    assert answer.status == 200
    assert_content(answer.json())
    assert numbers(answer.json()) != []


@pytest.mark.runbook("staging.empirical")
def test_empirical_predicts_a_boiling_point(api: ApiClient) -> None:
    """Ethanol. Answered at once, or taken as a job."""
    answer = api.post("/empirical/v1", {"smiles": "CCO", "property": "boiling_point"}, who="test_token")

    assert_computed(answer)


@pytest.mark.runbook("staging.predict-cj")
def test_predict_cj_predicts_a_detonation(api: ApiClient) -> None:
    """RDX, C3H6N6O6, at 1.80 g/cm3. Answered at once, or taken as a job."""
    answer = api.post("/predict/cj/v1", {"composition": "C3H6N6O6", "density": 1.80}, who="test_token")

    assert_computed(answer)


@pytest.mark.runbook("staging.bad-body")
def test_bad_body_is_refused(api: ApiClient) -> None:
    """A broken body is the caller's fault and said to be so: not computed, and no crash."""
    broken = api.post("/empirical/v1", '{"smiles": "CCO", ', who="test_token")
    nonsense = api.post("/predict/cj/v1", {"composition": "Xx9", "density": -1}, who="test_token")

    assert [answer.status for answer in (broken, nonsense) if answer.status not in {400, 422}] == []


@pytest.mark.runbook("staging.websocket")
def test_websocket_echoes(websocket: WebSocketClient) -> None:
    """A real upgrade through the ingress, one message there and back, a normal close (RFC 6455)."""
    echo = websocket.echo("/ws", "noxgate looks")

    assert echo.status == 101
    assert echo.received is not None
    assert "noxgate looks" in echo.received
    assert echo.close_code == 1000


def assert_user_only(api: ApiClient, path: str) -> None:
    """The user gets content; without a token there is none."""
    mine = api.get(path, who="test_token")
    stranger = api.get(path)

    assert mine.status == 200
    assert_content(mine.json())
    assert stranger.status == 401


def assert_computed(answer: Answer) -> None:
    """Accept 200 with a result that holds a finite number, or 202 with the id of a job."""
    assert answer.status in {200, 202}
    document = answer.json()
    assert_content(document)
    if answer.status == 202:
        assert isinstance(document.get("job_id"), str | int)
    else:
        assert {key: value for key, value in document.items() if value is None} == {}
        assert numbers({key: value for key, value in document.items() if key != "density"}) != []


def assert_content(document: Any) -> None:
    """Not empty, and not an error that came with a good status."""
    assert isinstance(document, dict | list)
    assert document != {}
    if isinstance(document, dict):
        assert "error" not in document


def numbers(document: Any) -> list[float]:
    """Every finite number in a JSON document."""
    if isinstance(document, dict):
        return [number for value in document.values() for number in numbers(value)]
    if isinstance(document, list):
        return [number for value in document for number in numbers(value)]
    is_number = isinstance(document, int | float) and not isinstance(document, bool)
    return [float(document)] if is_number and math.isfinite(document) else []
