"""What a real API server calls its audit log: a line for each write, also for a refused one."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kube_standin.settings import User
from kube_standin.wire.answers import RefusedError

READS = frozenset({"GET", "HEAD"})


class Audit:
    """Writes {"user", "method", "uri", "code"}: of a websocket WEBSOCKET, and 101 if it was admitted."""

    def __init__(self, app: ASGIApp, path: Path, user: Callable[[str], User]) -> None:
        self._app = app
        self._path = path
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method", scope["type"].upper())
        if scope["type"] == "lifespan" or method in READS:
            await self._app(scope, receive, send)
            return
        codes = []

        async def seen(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                codes.append(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            name = ""
            with suppress(RefusedError):
                name = self._user(Headers(scope=scope).get("authorization", "")).name
            query = scope["query_string"].decode("latin-1")
            line = {
                "user": name,
                "method": method,
                "uri": scope["path"] + (f"?{query}" if query else ""),
                "code": (codes or [101 if method == "WEBSOCKET" else 0])[0],
            }
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
