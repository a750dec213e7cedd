"""The application put together: routes, one shape for errors, WebSocket, start and stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from nox_rehearsal.api.answers import error
from nox_rehearsal.api.backends import BackendError
from nox_rehearsal.api.faults import FaultsFile, FaultsMiddleware
from nox_rehearsal.api.login.accounts import AccountEndpoints
from nox_rehearsal.api.login.auth import TokenError
from nox_rehearsal.api.logs import log
from nox_rehearsal.api.metrics import MetricsMiddleware
from nox_rehearsal.api.nox import Nox
from nox_rehearsal.api.settings import Settings
from nox_rehearsal.api.status import StatusEndpoints
from nox_rehearsal.science.molecules import InputError
from nox_rehearsal.science.routes import ScienceEndpoints


def application(settings: Settings) -> ASGIApp:
    """The ASGI application of one process."""
    nox = Nox(settings)
    routes: list[BaseRoute] = [
        *StatusEndpoints(nox).routes(),
        *AccountEndpoints(nox).routes(),
        *ScienceEndpoints(nox).routes(),
        WebSocketRoute("/ws", Echo(nox).talk),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        log.info("started NOX API %s on %s:%s", settings.version, settings.host, settings.port)
        log.info("error handlers are registered")  # a word and no error, as healthy services log
        yield
        await nox.backends.close()
        log.info("stopped NOX API %s", settings.version)

    starlette = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={
            HTTPException: _http_error,
            TokenError: _unauthorized,
            InputError: _unprocessable,
            BackendError: _unavailable,
            Exception: _broken,
        },
    )
    app: ASGIApp = starlette
    if settings.faults:
        app = FaultsMiddleware(app, FaultsFile(settings), nox)
    return MetricsMiddleware(app, nox.metrics, routes)


class Echo:
    """The WebSocket: what is said comes back."""

    def __init__(self, nox: Nox) -> None:
        self._nox = nox

    async def talk(self, socket: WebSocket) -> None:
        """Echo texts until the other side closes; the server itself answers protocol pings."""
        await socket.accept()
        self._nox.metrics.socket_opened()
        try:
            while (message := await socket.receive())["type"] == "websocket.receive":
                text = message.get("text")
                if text is None:
                    await socket.close(1003, "text only")
                    return
                settings = self._nox.settings
                if settings.websocket_silent:
                    continue
                for _ in range(2 if settings.websocket_twice else 1):
                    await socket.send_text(settings.websocket_answer.replace("{}", text))
        finally:
            self._nox.metrics.socket_closed()


async def _http_error(_: Request, exception: Exception) -> Response:
    assert isinstance(exception, HTTPException)
    phrase = HTTPStatus(exception.status_code).phrase.lower()
    message = exception.detail if exception.status_code in {400, 413, 422} else phrase
    return error(exception.status_code, message, dict(exception.headers or {}))


async def _unauthorized(_: Request, exception: Exception) -> Response:
    return error(401, str(exception), {"www-authenticate": "Bearer"})


async def _unprocessable(_: Request, exception: Exception) -> Response:
    return error(422, str(exception))


async def _unavailable(_: Request, exception: Exception) -> Response:
    return error(503, str(exception))


async def _broken(_: Request, __: Exception) -> Response:
    # Starlette raises the exception again after this answer, and the server logs it with its traceback
    return error(500, "internal server error")
