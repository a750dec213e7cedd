"""Signing in and a user's own data."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nox_rehearsal.api import data
from nox_rehearsal.api.answers import answer, encoded, encoded_answer, error
from nox_rehearsal.api.backends import Backends
from nox_rehearsal.api.fresh import Fresh
from nox_rehearsal.api.login.auth import TokenError
from nox_rehearsal.api.login.oauth import PROVIDERS, States, authorization_url, poor_state
from nox_rehearsal.api.nox import Nox
from nox_rehearsal.api.settings import Settings

Look = Callable[[Backends, Settings, int], Awaitable[Any]]

TEST_USER = 2  # whose profile a refusal shows, by fault


class AccountEndpoints:
    """`/api/auth/…` and `/api/user/…`."""

    def __init__(self, nox: Nox) -> None:
        self._nox = nox
        self._states = States()
        self._counted = 0
        self._rows: Fresh[bytes | None] = Fresh(seconds=2)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/auth/{provider}/url", self.authorization),
            Route("/api/user/profile", self.profile),
            Route("/api/user/settings", self.settings),
            Route("/api/user/history", self.history),
        ]

    async def authorization(self, request: Request) -> Response:
        """`{"url": …}` of the provider, with a fresh state that Redis keeps for ten minutes."""
        provider = request.path_params["provider"]
        if provider not in PROVIDERS:
            return error(404, "unknown provider")
        settings = self._nox.settings
        state = await self._states.new(
            self._nox.backends.redis(settings), provider, reuse=settings.reuse_oauth_state
        )
        self._counted += 1
        if settings.oauth_state_counts:
            state = f"{settings.pod}-{self._counted:016}"
        if settings.state_bits:
            state = poor_state(settings.state_bits, self._counted, settings.secret_key)
        return answer({"url": authorization_url(settings, provider, state)})

    async def profile(self, request: Request) -> Response:
        if self._nox.settings.anonymous_reads_profile and "authorization" not in request.headers:
            return await self._own("profile", 1, data.profile)
        try:
            user_id = self._nox.caller(request).user_id
        except TokenError:
            if not self._nox.settings.refusal_shows_profile:
                raise
            return await self._own("profile", TEST_USER, data.profile, status=401)
        return await self._own("profile", self._or_first(user_id, "own profile"), data.profile)

    async def settings(self, request: Request) -> Response:
        return await self._own("settings", self._nox.caller(request).user_id, data.preferences)

    async def history(self, request: Request) -> Response:
        """`{"jobs": […]}`, the newest first."""
        user_id = self._nox.caller(request).user_id
        return await self._own("history", self._or_first(user_id, "own history"), _history)

    def _or_first(self, user_id: int, rule: str) -> int:
        """The user; where that rule is off, who asked first, as in a cache for all users."""
        return 1 if self._nox.settings.rule_off == rule else user_id

    async def _own(self, name: str, user_id: int, look: Look, *, status: int = 200) -> Response:
        """A user's rows, at most two seconds old; a valid token of a user that is gone is a 401."""
        nox, settings = self._nox, self._nox.settings

        async def fresh() -> bytes | None:
            rows = await look(nox.backends, settings, user_id)
            return None if rows is None else encoded(rows)

        key = (name, user_id, settings.database_url, settings.schema_is_8)
        content = await self._rows.get(key, fresh)
        if content is None:
            return error(401, "unknown user", {"www-authenticate": "Bearer"})
        return encoded_answer(content, status)


async def _history(backends: Backends, settings: Settings, user_id: int) -> dict[str, Any] | None:
    if await data.profile(backends, settings, user_id) is None:
        return None
    return {"jobs": await data.history(backends, settings, user_id)}
