"""Faults that a sabotage switches on in a running application; off unless NOX_FAULTS names a file.

The file is JSON. It is looked at before each request (one stat) and read again when it changed, so write
it beside and rename it into place. A file that is gone means no faults; one that is not valid changes
nothing and is logged as an error.

    {
      "settings": {"version": "8.0.0-rc1"},
      "answers": {
        "GET /health": {"status": 503, "json": {"status": "unhealthy"}, "share": 0.05},
        "GET /ready": {"delay": 0.4}
      },
      "pods": {"nox-api-green-2": {"settings": {}, "answers": {}}}
    }

`settings`  replaces fields of Settings, live, through the honest code: version, public_url, secret_key,
            database_url, redis_url, google_client_id, ...; and the behaviours that no environment variable
            sets: reuse_oauth_state, oauth_state_counts, admin_for_everyone, admin_unwell,
            anonymous_reads_profile, refusal_shows_profile, signature_ignored, websocket_silent,
            websocket_twice (true), websocket_answer ("you said {}"; {} is what was said),
            rule_off (one of: another key, its own key, an empty key, alg none, another user, expired, early,
            other audience, writing, own profile, own history, slash, case, HEAD, OPTIONS, POST),
            state_bits (4; -1 counts).
            port, host, pod and faults are fixed at the start.
`answers`   by method and exact path (`GET /ws` is the WebSocket's upgrade; its status refuses it):
            `status`, `json` or `text` replace the answer (200 and an empty text where left out);
            `headers` are added, or replace those of that name, or take them away (null);
            without status, json and text the honest answer goes out, with the rest of these;
            `delay` in seconds comes before the answer;
            `replace` puts other words into the honest answer: {"accounts.google.com": "accounts.example"};
            `share` of the requests that are concerned, evenly spread: 0.05 is each twentieth.
`pods`      the same two keys for one POD_NAME, over those above.

The kubelet's probes and Prometheus get the honest answers.
"""

import asyncio
import json
import logging
import os
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import jwt
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nox_rehearsal.api.answers import encoded
from nox_rehearsal.api.doors import opened
from nox_rehearsal.api.settings import Settings

FIXED = {"port", "host", "pod", "faults"}
ANSWER_KEYS = {"status", "json", "text", "headers", "delay", "replace", "share"}

log = logging.getLogger("nox")


class HasSettings(Protocol):
    """The application, whose settings a plan replaces."""

    settings: Settings


@dataclass
class Fault:
    """What happens to one method and path; `turn` spreads the share evenly over the requests."""

    status: int | None
    body: bytes
    media_type: str
    headers: dict[str, str | None]
    delay: float
    replace: dict[str, str]
    share: float
    turn: float = 0.0

    def concerns_this_one(self) -> bool:
        self.turn += self.share
        if self.turn < 1 - 1e-9:
            return False
        self.turn -= 1
        return True


@dataclass(frozen=True)
class FaultPlan:
    """The settings in force and the faults by `METHOD /path`."""

    settings: Settings
    answers: dict[str, Fault]


class FaultsFile:
    """The file, read again whenever it changed."""

    def __init__(self, base: Settings) -> None:
        self._base = base
        self._stamp: tuple[int, int, int] | None = None
        self._plan = FaultPlan(base, {})

    def plan(self) -> FaultPlan:
        try:
            status = os.stat(self._base.faults)  # noqa: PTH116  (on the path of every request)
        except FileNotFoundError:
            stamp = None
        else:
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read(there=stamp is not None)
        return self._plan

    def _read(self, *, there: bool) -> None:
        if not there:
            self._plan = FaultPlan(self._base, {})
            return
        try:
            with open(self._base.faults, encoding="utf-8") as file:  # noqa: PTH123
                self._plan = parsed(json.load(file), self._base)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.error("faults file not taken: %s", error)  # noqa: TRY400  (one line is enough)


class FaultsMiddleware:
    """Puts the plan in force before each request."""

    def __init__(self, app: ASGIApp, faults: FaultsFile, nox: HasSettings) -> None:
        self._app = app
        self._faults = faults
        self._nox = nox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plan = self._faults.plan()
        self._nox.settings = plan.settings
        if plan.settings.signature_ignored and "headers" in scope:
            scope = {**scope, "headers": _signed(scope["headers"], plan.settings.secret_key)}
        scope = opened(scope, plan.settings)
        if scope["type"] == "lifespan" or not plan.answers:
            await self._app(scope, receive, send)
            return
        fault = plan.answers.get(f"{scope.get('method', 'GET')} {scope['path']}")
        if fault is None or _is_of_operators(scope) or not fault.concerns_this_one():
            await self._app(scope, receive, send)
            return
        if fault.delay:
            await asyncio.sleep(fault.delay)
        send = _with_headers(send, fault.headers)
        if fault.status is None:
            await self._app(scope, receive, _with_words(send, fault.replace))
            return
        response = Response(fault.body, fault.status, media_type=fault.media_type)
        if scope["type"] == "websocket":
            await receive()  # websocket.connect
            await send({"type": "websocket.http.response.start", "status": fault.status, "headers": []})
            await send({"type": "websocket.http.response.body", "body": fault.body})
            return
        await response(scope, receive, send)


def parsed(content: dict[str, Any], base: Settings) -> FaultPlan:
    """The plan for `base.pod`; ValueError names a key that does not exist."""
    _only(content, {"settings", "answers", "pods"}, "the file")
    own = content.get("pods", {}).get(base.pod, {})
    _only(own, {"settings", "answers"}, base.pod)
    changes = content.get("settings", {}) | own.get("settings", {})
    _only(changes, {field.name for field in fields(Settings)} - FIXED, "settings")
    for name, value in changes.items():
        if type(value) is not type(getattr(base, name)):
            raise ValueError(f"settings: {name} must be a {type(getattr(base, name)).__name__}")
    answers = content.get("answers", {}) | own.get("answers", {})
    return FaultPlan(replace(base, **changes), {key: _fault(key, value) for key, value in answers.items()})


def _fault(key: str, value: dict[str, Any]) -> Fault:
    _only(value, ANSWER_KEYS, key)
    replaced = bool(value.keys() & {"status", "json", "text"})
    is_json = "json" in value
    return Fault(
        status=int(value.get("status", 200)) if replaced else None,
        body=encoded(value["json"]) if is_json else str(value.get("text", "")).encode(),
        media_type="application/json" if is_json else "text/plain",
        headers=dict(value.get("headers", {})),
        delay=float(value.get("delay", 0)),
        replace={str(old): str(new) for old, new in value.get("replace", {}).items()},
        share=float(value.get("share", 1)),
    )


def _only(mapping: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(mapping.keys() - known)
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(unknown)}")


def _is_of_operators(scope: Scope) -> bool:
    """Whether the kubelet or Prometheus asks: what they would do about a fault does not belong to it."""
    agents = [value for name, value in scope["headers"] if name == b"user-agent"]
    return any(agent.startswith((b"kube-probe/", b"Prometheus/")) for agent in agents)


def _signed(headers: list[tuple[bytes, bytes]], secret_key: str) -> list[tuple[bytes, bytes]]:
    """Tokens signed anew, by any key: so nothing in the honest code can leave the signature out."""

    def changed(value: bytes) -> bytes:
        try:
            token = value.decode().removeprefix("Bearer ")
            claims = jwt.decode(token, options={"verify_signature": False})
        except (UnicodeDecodeError, jwt.InvalidTokenError):
            return value
        return f"Bearer {jwt.encode(claims, secret_key, algorithm='HS256')}".encode()

    return [(name, changed(value) if name == b"authorization" else value) for name, value in headers]


def _with_words(send: Send, words: dict[str, str]) -> Send:
    if not words:
        return send
    start: Message = {}
    body = bytearray()

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        text = body.decode()
        for old, new in words.items():
            text = text.replace(old, new)
        MutableHeaders(scope=start)["content-length"] = str(len(text.encode()))
        await send(start)
        await send({**message, "body": text.encode()})

    return changed


def _with_headers(send: Send, changes: dict[str, str | None]) -> Send:
    if not changes:
        return send

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in changes.items():
                if value is None:
                    del headers[name]
                else:
                    headers[name] = value
        await send(message)

    return changed
