"""What stands between users and the API, judged from answers alone: headers and redirects."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from nox_service.access.doors import administrator_enters, turned_away
from nox_service.edge import missing, redirects
from noxgate.look.http import Answer
from noxgate.project.keys.evidence import DEFAULT_HEADERS

HOST = "https://api.example.com"


def answered(status: int = 200, **values: str | list[str]) -> Answer:
    named = {
        name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in values.items()
    }
    return Answer(status, {name: ", ".join(several) for name, several in named.items()}, named, "")


def test_each_header_has_its_fault() -> None:
    """The rest is as it should be."""
    right = {name: [value] for name, value in DEFAULT_HEADERS.items()}
    worse = right | {"x-frame-options": ["ALLOWALL"], "referrer-policy": []}

    assert missing(Answer(404, {}, right, ""), DEFAULT_HEADERS) == []
    assert [said.partition(":")[0] for said in missing(Answer(404, {}, worse, ""), DEFAULT_HEADERS)] == [
        "x-frame-options",
        "referrer-policy",
    ]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_to_the_same_path(status: int) -> None:
    assert redirects({"/a?b=c": answered(status, location=f"{HOST}/a?b=c")}, HOST) == []


@pytest.mark.parametrize(
    "location",
    [
        "https://api.example.com:443/~a?b=c%2Fd",  # as a load balancer of AWS has it
        "HTTPS://API.Example.com/~a?b=c%2Fd",
        "https://api.example.com/%7ea?b=c%2fd",
        "https://api.example.com/~a?b=c%2Fd#",
    ],
)
def test_to_the_same_path_in_other_letters(location: str) -> None:
    assert redirects({"/~a?b=c%2Fd": answered(301, location=location)}, HOST) == []


@pytest.mark.parametrize(
    "location",
    [
        *(
            "https://api.example.com:8443/health",
            "https://api.example.com:/health/",
            "https://api.example.com/",
        ),
        *("https://api.example.com@evil.example/health", "https://me@api.example.com/health"),
        *("//api.example.com/health", "http://api.example.com/health", "https://api.example.com:x/health"),
        *("https://api.example.com/health#top", "https://api.example.com/health?next=1", "https://[/health"),
        *(
            "https://api.example.com/Health",
            "https://api.example.com%2Fhealth",
            "https://api.example.com./health",
        ),
    ],
)
def test_near_to_the_same_path(location: str) -> None:
    assert redirects({"/health": answered(301, location=location)}, HOST) != []


def test_a_slash_that_was_escaped_is_another_path() -> None:
    assert redirects({"/a?b=c%2Fd": answered(301, location=f"{HOST}/a?b=c/d")}, HOST) != []
    assert redirects({"/a?b=c%2Fd": answered(301, location=f"{HOST}/a?b=c%252Fd")}, HOST) != []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answered(200), "/a?b=c: HTTP 200, expected a redirect"),
        (answered(304, location=f"{HOST}/a?b=c"), "/a?b=c: HTTP 304, expected a redirect"),
        (answered(308), "saw /a?b=c sent to None"),
        (answered(308, location=f"{HOST}/a"), f"saw /a?b=c sent to '{HOST}/a'"),
        (answered(308, location="https://staging.example.com/a?b=c"), "staging.example.com"),
        (answered(308, location="/a?b=c"), "saw /a?b=c sent to '/a?b=c'"),
    ],
)
def test_elsewhere(answer: Answer, said: str) -> None:
    (fault,) = redirects({"/a?b=c": answer}, HOST)

    assert said in fault


# ---------------------------------------------------------------- the administrator's door


@pytest.mark.parametrize(
    "room",
    [
        {"status": "healthy", "failed": []},
        {"status": "ok", "jobs": {"queued": 0, "failed": 12}},
        {"error": None, "data": {"pool": 3}},
        {"uptime": 3},
    ],
)
def test_a_door_that_lets_the_administrator_in(room: dict[str, Any]) -> None:
    assert administrator_enters([said(room)]) == []


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ({"status": "degraded"}, "degraded"),
        ({"status": "healthy", "failed": ["worker"]}, "it says failed: [worker]"),
        ({"error": "no such page"}, "an error with HTTP 200: 'no such page'"),
        ({"status": "closed for maintenance"}, "expected 'healthy'"),
        ({}, "expected something"),
        ("<h1>Sign in</h1>", "expected JSON"),
    ],
)
def test_a_room_that_is_unwell(answer: Any, seen: str) -> None:
    good = said({"status": "healthy"})
    assert seen in "; ".join(administrator_enters([good, said(answer)]))
    assert administrator_enters([good, said({"status": "healthy"}, 403)]) != []


def test_who_is_turned_away() -> None:
    refused, shut = said({"error": "who?"}, 401), said({"error": "no"}, 403)

    assert turned_away([refused, refused], HTTPStatus.UNAUTHORIZED) == []
    assert turned_away([refused, shut], HTTPStatus.UNAUTHORIZED) == ["expected HTTP 401, saw 403"]
    assert turned_away([shut, said({}, 200)], HTTPStatus.FORBIDDEN) == ["expected HTTP 403, saw 200"]


def said(document: Any, status: int = 200) -> Answer:
    text = document if isinstance(document, str) else json.dumps(document)
    return Answer(status, {}, {}, text)
