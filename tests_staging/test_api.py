"""Runbook 2, validation suite: what a signed-in user, a stranger and a chemist get from the API."""

import math
import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from nox_service import answers as faults
from nox_service.api import ApiClient
from nox_service.plausible import BOILING_POINT, DETONATION
from nox_service.plausible import faults as implausible
from nox_service.websocket import WebSocketClient
from noxgate.look.http import Answer
from noxgate.look.observation import shortened

# Keys under which an answer says how it went: alone, they are no content.
SAYS = frozenset({"error", "errors", "detail", "details", "message", "code", "status", "success"})
NAMES = frozenset({"id", "user_id", "uid", "sub", "email", "username", "login"})
ELSEWHERE = "https://noxgate.invalid"  # an origin that nobody allows
CORS = ("access-control-allow-origin", "access-control-allow-credentials")
OWN = 8  # characters from which on a word in a refusal is the user's own, such as an address, and no chance


@pytest.mark.runbook("staging.user-profile")
def test_user_reads_own_profile(api: ApiClient) -> None:
    """With the test user's token; a stranger is refused, and so is a forger, and the page of a stranger."""
    assert_user_only(api, "/api/user/profile", names_of)
    shared = api.get("/api/user/profile", who="test_token", show=CORS, origin=ELSEWHERE)

    assert faults.open_to_any_origin(shared, ELSEWHERE) == []


@pytest.mark.runbook("staging.user-settings")
def test_user_reads_own_settings(api: ApiClient) -> None:
    """With the test user's token; a stranger is refused, and so is a forger."""
    assert_user_only(api, "/api/user/settings", settings_of)


@pytest.mark.runbook("staging.user-history")
def test_user_reads_own_history(api: ApiClient) -> None:
    """With the test user's token; a stranger is refused, and so is a forger."""
    assert_user_only(api, "/api/user/history", lists_of)


@pytest.mark.runbook("staging.public-stats")
def test_public_stats_are_public(api: ApiClient) -> None:
    """At least one count, without a token."""
    answer = api.get("/api/public/stats")

    assert answer.status == 200
    assert_content(answer.json())
    assert sorted({"message", "code"} & set(answer.json())) == []
    assert [number for number in numbers(answer.json()) if number >= 0] != []


@pytest.mark.runbook("staging.empirical")
def test_empirical_predicts_a_boiling_point(api: ApiClient) -> None:
    """Ethanol, in kelvin. Answered at once, or taken as a job."""
    answer = api.post("/empirical/v1", {"smiles": "CCO", "property": "boiling_point"}, who="test_token")

    assert_computed(answer, BOILING_POINT, lambda number: 100 < number < 1000)


@pytest.mark.runbook("staging.predict-cj")
def test_predict_cj_predicts_a_detonation(api: ApiClient) -> None:
    """RDX, C3H6N6O6, at 1.80 g/cm3. Answered at once, or taken as a job."""
    answer = api.post("/predict/cj/v1", {"composition": "C3H6N6O6", "density": 1.80}, who="test_token")

    assert_computed(answer, DETONATION, lambda number: number > 0 and number != 1.80)


@pytest.mark.runbook("staging.bad-body")
def test_bad_body_is_refused(api: ApiClient) -> None:
    """A broken body is the caller's fault and said to be so: not computed, and no crash."""
    broken = api.post("/empirical/v1", '{"smiles": "CCO", ', who="test_token")
    nonsense = api.post("/predict/cj/v1", {"composition": "Xx9", "density": -1}, who="test_token")

    assert [answer.status for answer in (broken, nonsense) if answer.status not in {400, 422}] == []


@pytest.mark.runbook("staging.websocket")
def test_websocket_echoes(websocket: WebSocketClient) -> None:
    """A real upgrade through the ingress, one message there and the same back, a normal close (RFC 6455)."""
    message = f"noxgate looks {secrets.token_hex(8)}"
    echo = websocket.echo("/ws", message)

    assert echo.status == 101
    assert (echo.received, echo.more) == (message, ())
    assert echo.close_code == 1000


def assert_user_only(api: ApiClient, path: str, content: Callable[[Any], list[Any]]) -> None:
    """The user gets `content`; without a token, or with a forged one, there is none of it."""
    mine = api.get(path, who="test_token")
    refused = [api.get(path), api.get(path, who="forged")]

    assert mine.status == 200
    assert_content(mine.json())
    assert content(mine.json()) != [], f"nothing of the user's in {shortened(mine.text)}"
    assert faults.cached(mine) == []
    assert [answer.status for answer in refused] == [401, 401]
    own = [word for word in leaves(mine.json()) if isinstance(word, str) and len(word) >= OWN]
    assert [word for word in own for answer in refused if word in answer.text] == []


def assert_computed(answer: Answer, named: re.Pattern[str], plausible: Callable[[float], bool]) -> None:
    """Accept 200 with a plausible result, or 202 with the id of a job."""
    assert answer.status in {200, 202}
    document = answer.json()
    assert_content(document)
    if answer.status == 202:
        job_id = document.get("job_id")
        is_id = (isinstance(job_id, str) and job_id.strip()) or (type(job_id) is int and job_id > 0)
        assert is_id, f"expected the id of a job, saw {job_id!r}"
    else:
        assert {key: value for key, value in document.items() if value is None} == {}
        assert implausible(document, named, plausible, ("density",)) == []


def assert_content(document: Any) -> None:
    """Not empty, and not an error that came with a good status."""
    assert isinstance(document, dict | list)
    assert document != {}
    if isinstance(document, dict):
        assert "error" not in document


def names_of(document: Any) -> list[Any]:
    """What says whose profile it is, at any depth."""
    if isinstance(document, dict):
        own = [
            value
            for key, value in document.items()
            if key in NAMES and value and isinstance(value, str | int)
        ]
        return own + [name for key, value in document.items() if key not in SAYS for name in names_of(value)]
    return []


def settings_of(document: Any) -> list[Any]:
    """Every setting with a value."""
    return [value for value in leaves(document) if value is not None] if isinstance(document, dict) else []


def lists_of(document: Any) -> list[list[Any]]:
    """The list itself, or under some key; it may be empty."""
    if isinstance(document, dict):
        return [found for key, value in document.items() if key not in SAYS for found in lists_of(value)]
    return [document] if isinstance(document, list) else []


def leaves(document: Any) -> list[Any]:
    """Every value in a JSON document, but for what an error would say."""
    if isinstance(document, dict):
        return [leaf for key, value in document.items() if key not in SAYS for leaf in leaves(value)]
    if isinstance(document, list):
        return [leaf for value in document for leaf in leaves(value)]
    return [document]


def numbers(document: Any) -> list[float]:
    """Every finite number in a JSON document."""
    return [
        float(leaf)
        for leaf in leaves(document)
        if isinstance(leaf, int | float) and not isinstance(leaf, bool) and math.isfinite(leaf)
    ]
