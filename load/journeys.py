"""What a user does: the runbook's mix, in five classes, every answer checked, by value where one is known.

A journey is one request, but for a WebSocket's three (open, echo, close) and the looks at a job that was
accepted. Samples are counted under the journey's class.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import gevent  # type: ignore[import-untyped]
from load.answers import (
    COMPLETED,
    DONE,
    JOB_ID,
    JOB_SECONDS,
    LOOK_AGAIN,
    TAKEN,
    TAKEN_ON,
    UNDER_WAY,
    Bounds,
    within,
)

from nox_service.access.guessing import digest
from noxgate.slo.plan import CLASSES
from noxgate_load.http.endpoint import Endpoint
from noxgate_load.http.exchange import Answer, Call, call
from noxgate_load.samples import clock
from noxgate_load.states import States

if TYPE_CHECKING:
    from noxgate_load.engine import ApiUser  # Locust with it, which patches the process

SHARES = (3, 2, 2, 2, 1)  # tenths of the journeys, by class
MIX = [name for name, share in zip(CLASSES, SHARES, strict=True) for _ in range(share)]
PROVIDERS = ("google", "github", "microsoft")

Check = Callable[[Answer], None]


@dataclass(frozen=True)
class Ask:
    """A request of a journey, ready to be sent, and what its answer must be."""

    what: Call
    check: Check
    result: Bounds | None = None  # of a job that its answer may only promise


@dataclass
class Jobs:
    """Science that was asked for and accepted, and how much of it ended right."""

    accepted: int = 0
    right: int = 0


# name, path, body, what the result must be between; km/s or m/s, K, Eh. Sources: RDX, TNT and HMX measured
# 8.75, 6.93 and 9.11 km/s, each 5 % up and down (R. Meyer, Explosives, 6th ed.); boiling points of ethanol
# 351.4 K, acetone 329.2 K and toluene 383.8 K, as group contributions find them, 8 % (NIST WebBook); water:
# GFN2-xTB -5.0705 Eh (xtb's documentation), HF/cc-pVDZ -76.0266 Eh, for every geometry, 0.02 Eh.
_SCIENCE: tuple[tuple[str, dict[str, Any], Bounds], ...] = (
    ("/predict/cj/v1", {"composition": "C3H6N6O6", "density": 1.80}, (8.3, 9.2)),
    ("/predict/cj/v1", {"composition": "C7H5N3O6", "density": 1.65}, (6.5, 7.3)),
    ("/predict/cj/v1", {"composition": "C4H8N8O8", "density": 1.91}, (8.6, 9.6)),
    ("/empirical/v1", {"smiles": "CCO", "property": "boiling_point"}, (323, 380)),
    ("/empirical/v1", {"smiles": "CC(C)=O", "property": "boiling_point"}, (302, 356)),
    ("/empirical/v1", {"smiles": "Cc1ccccc1", "property": "boiling_point"}, (353, 415)),
    (
        "/xtb/v1",
        {"molecule": "H2O", "method": "GFN2-xTB", "properties": ["energy", "forces"]},
        (-5.091, -5.050),
    ),
    ("/psi4/v1", {"geometry": "H2O", "method": "HF", "basis": "cc-pVDZ"}, (-76.047, -76.006)),
)


class Script:
    """All journeys, encoded for one target and token. Users take turns through the requests of a class."""

    def __init__(
        self, endpoint: Endpoint, token: str, version: str, jobs: Jobs, states: States | None = None
    ) -> None:
        states = States() if states is None else states
        signed = {"authorization": f"Bearer {token}"}
        self._endpoint = endpoint
        self._signed = signed
        self._jobs = jobs
        self._turn = count(random.randrange(60))  # noqa: S311 (each process begins elsewhere)
        health = {"/health": _healthy, "/version": _versioned(version), "/ready": _content}
        self._health = [
            Ask(call(endpoint, "GET", path, group="health"), check) for path, check in health.items()
        ]
        self._auth = [
            Ask(
                call(endpoint, "GET", f"/api/auth/{provider}/url", group="auth"),
                _leads_away(provider, states),
            )
            for provider in PROVIDERS
        ]
        self._auth.append(
            Ask(call(endpoint, "GET", "/api/user/profile", group="auth", headers=signed), _content)
        )
        self._data = [
            Ask(call(endpoint, "GET", "/api/user/history", group="data", headers=signed), _some_json),
            Ask(call(endpoint, "GET", "/api/user/settings", group="data", headers=signed), _some_json),
            Ask(call(endpoint, "GET", "/api/public/stats", group="data"), _content),
        ]
        engines: dict[str, list[Ask]] = {}
        for path, body, bounds in _SCIENCE:
            what = call(
                endpoint,
                "POST",
                path,
                group="science",
                headers=signed,
                body=json.dumps(body).encode(),
                expected=TAKEN,
            )
            engines.setdefault(path, []).append(Ask(what, _computed(bounds), bounds))
        self._science = list(engines.values())

    def go(self, user: "ApiUser", intended: float | None = None) -> None:
        """One journey, drawn by its share."""
        name = random.choice(MIX)  # noqa: S311
        turn = next(self._turn)
        if name == "websocket":
            self._talk(user, intended)
        elif name == "science":
            asks = self._science[turn % len(self._science)]
            self._compute(user, asks[turn // len(self._science) % len(asks)], intended)
        else:
            asks = {"health": self._health, "auth": self._auth, "data": self._data}[name]
            ask = asks[turn % len(asks)]
            user.send(ask.what, ask.check, intended=intended)

    def _talk(self, user: "ApiUser", intended: float | None) -> None:
        socket = user.websocket
        if socket.open("/ws", group="websocket", intended=intended).ok:
            said = f"noxgate {next(self._turn)}"
            if socket.echo(said, path="/ws", group="websocket").ok:
                socket.end(path="/ws", group="websocket")

    def _compute(self, user: "ApiUser", ask: Ask, intended: float | None) -> None:
        answer = user.send(ask.what, ask.check, intended=intended)
        if answer.status not in TAKEN:
            return
        self._jobs.accepted += 1
        if answer.status == DONE:
            self._jobs.right += answer.ok
        elif answer.ok and ask.result is not None and self._wait_for(user, _job(answer), ask.result):
            self._jobs.right += 1  # not `+= self._wait_for(…)`: that would forget what others added meanwhile

    def _wait_for(self, user: "ApiUser", path: str, bounds: Bounds) -> bool:
        """Look at a job until it ends; whether it did, with the right result."""
        deadline = clock() + JOB_SECONDS
        what = call(self._endpoint, "GET", path, name="/api/jobs/{id}", group="science", headers=self._signed)
        check = _ended(bounds)
        while clock() < deadline:
            gevent.sleep(LOOK_AGAIN)
            answer = user.send(what, check)
            if not answer.ok:
                return False
            if answer.json().get("status") == COMPLETED:
                return True
        return False


def _job(answer: Answer) -> str:
    return f"/api/jobs/{answer.json()['job_id']}"


def _object(answer: Answer) -> dict[str, Any]:
    """A field that it lacks is then the target's mistake, not a KeyError of ours."""
    document = answer.json()
    assert isinstance(document, dict)
    return document


def _healthy(answer: Answer) -> None:
    assert _object(answer).get("status") == "healthy"


def _versioned(version: str) -> Check:
    """What it was before the test: a pod of another release among them measures that one, too."""

    def check(answer: Answer) -> None:
        assert _object(answer).get("version") == version

    return check


def _content(answer: Answer) -> None:
    document = _object(answer)
    assert document
    _not_refused(document)


def _some_json(answer: Answer) -> None:
    document = answer.json()
    assert isinstance(document, dict | list)
    if isinstance(document, dict):
        _not_refused(document)


def _not_refused(document: Mapping[str, Any]) -> None:
    """An envelope may say that there was no error; one that says otherwise does not count as an answer."""
    assert not document.get("error")
    assert not document.get("errors")
    assert document.get("success") is not False


def _leads_away(provider: str, states: States) -> Check:
    """To the provider, with a state of its own."""

    def check(answer: Answer) -> None:
        url = str(_object(answer).get("url"))
        assert url.startswith("https://")
        for state in parse_qs(urlsplit(url).query).get("state", []):
            states.take(provider, digest(state))

    return check


def _computed(bounds: Bounds) -> Check:
    """A right result, or a job that was taken."""

    def check(answer: Answer) -> None:
        _content(answer)
        if answer.status == TAKEN_ON:
            assert JOB_ID.fullmatch(str(answer.json().get("job_id", "")))
        else:
            _within(answer.json(), bounds)

    return check


def _ended(bounds: Bounds) -> Check:
    """Not failed; and where it ended, with a right result."""

    def check(answer: Answer) -> None:
        document = _object(answer)
        assert document.get("status") in (*UNDER_WAY, COMPLETED)
        if document["status"] == COMPLETED:
            _within(document, bounds)

    return check


def _within(document: Mapping[str, Any], bounds: Bounds) -> None:
    assert within(document, bounds) is not None
