"""The first step of signing in: the provider's authorization URL, with a state to expect back."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlencode

from redis.asyncio import Redis
from redis.exceptions import RedisError

from nox_rehearsal.api.backends import BackendError
from nox_rehearsal.api.settings import Settings

STATE_LIVES = 600  # seconds that a user has to come back from the provider


@dataclass(frozen=True)
class Provider:
    """Where a provider authorizes (OAuth 2.0, RFC 6749 section 4.1.1), and what we ask for."""

    authorize: str
    scope: str


PROVIDERS = {
    "google": Provider("https://accounts.google.com/o/oauth2/v2/auth", "openid email profile"),
    "github": Provider("https://github.com/login/oauth/authorize", "read:user user:email"),
    "microsoft": Provider(
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "openid email profile"
    ),
}


def authorization_url(settings: Settings, provider: str, state: str) -> str:
    """The URL that the browser is sent to; `state` is URL-safe."""
    return f"{_without_state(provider, settings.client_id(provider), settings.public_url)}&state={state}"


@lru_cache(maxsize=100)
def _without_state(provider: str, client_id: str, public_url: str) -> str:
    query = {
        "client_id": client_id,
        "redirect_uri": f"{public_url}/api/auth/{provider}/callback",
        "response_type": "code",
        "scope": PROVIDERS[provider].scope,
    }
    return f"{PROVIDERS[provider].authorize}?{urlencode(query, quote_via=quote)}"


def poor_state(bits: int, count: int, key: str) -> str:
    """A state of few bits that looks like one of many; of none (below zero) but how many there were."""
    text = f"{key}{secrets.randbits(bits)}" if bits > 0 else str(count)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class States:
    """Fresh states, each kept in Redis for ten minutes; those asked for together travel together."""

    def __init__(self) -> None:
        self._waiting: dict[Redis, list[tuple[str, str]]] = {}
        self._sending: dict[Redis, asyncio.Task[None]] = {}
        self._reused = secrets.token_urlsafe(24)

    async def new(self, redis: Redis, provider: str, *, reuse: bool = False) -> str:
        """A state that Redis has stored; BackendError when it could not."""
        state = self._reused if reuse else secrets.token_urlsafe(24)
        self._waiting.setdefault(redis, []).append((state, provider))
        task = self._sending.get(redis)
        if task is None:
            task = asyncio.ensure_future(self._send(redis))
            self._sending[redis] = task
        try:
            await asyncio.shield(task)
        except RedisError:
            raise BackendError("redis") from None
        return state

    async def _send(self, redis: Redis) -> None:
        # by now every request of this turn of the loop has joined; later ones start the next task
        del self._sending[redis]
        async with redis.pipeline(transaction=False) as pipeline:
            for state, provider in self._waiting.pop(redis):
                pipeline.set(f"oauth:state:{state}", provider, ex=STATE_LIVES)
            await pipeline.execute()
