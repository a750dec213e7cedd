"""How the process is: /health /version /ready /metrics, public numbers and the administrator's view."""

import time
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nox_rehearsal.api import data
from nox_rehearsal.api.answers import answer, encoded, encoded_answer, error
from nox_rehearsal.api.backends import BackendError
from nox_rehearsal.api.fresh import Fresh
from nox_rehearsal.api.nox import Nox

HEALTHY = encoded({"status": "healthy"})
READY = encoded({"status": "ready"})


class StatusEndpoints:
    """Answers about the application itself."""

    def __init__(self, nox: Nox) -> None:
        self._nox = nox
        self._started = time.monotonic()
        self._stats: Fresh[bytes] = Fresh(seconds=1)
        self._jobs: Fresh[dict[str, int]] = Fresh(seconds=1)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/health", self.health),
            Route("/version", self.version),
            Route("/ready", self.ready),
            Route("/metrics", self.metrics),
            Route("/api/public/stats", self.stats),
            Route("/api/admin/health", self.admin),
        ]

    async def health(self, _: Request) -> Response:
        """The process answers: nothing about what is behind it."""
        return encoded_answer(HEALTHY)

    async def version(self, _: Request) -> Response:
        return answer({"version": self._nox.settings.version})

    async def ready(self, _: Request) -> Response:
        """200 when PostgreSQL and Redis both answered in time, at most a quarter second ago."""
        missing = await self._nox.backends.missing(self._nox.settings)
        if missing:
            return answer({"status": "not ready", "failed": missing}, 503)
        return encoded_answer(READY)

    async def metrics(self, _: Request) -> Response:
        settings = self._nox.settings
        try:
            jobs = await self._jobs_by_state()
        except BackendError:
            jobs = None
        text = self._nox.metrics.text(settings.version, self._nox.backends.pool_use(settings), jobs)
        return Response(text, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    async def stats(self, _: Request) -> Response:
        nox = self._nox

        async def look() -> bytes:
            return encoded(await data.stats(nox.backends, nox.settings))

        return encoded_answer(await self._stats.get(nox.settings.database_url, look))

    async def admin(self, request: Request) -> Response:
        """Details for administrators only: 401 without a token, 403 with another role's."""
        nox, settings = self._nox, self._nox.settings
        caller = nox.caller(request)
        if caller.role != "admin" and not settings.admin_for_everyone:
            return error(403, "administrators only")
        missing = ["worker"] if settings.admin_unwell else await nox.backends.missing(settings)
        in_use, connections = nox.backends.pool_use(settings)
        details: dict[str, Any] = {
            "status": "healthy" if not missing else "degraded",
            "version": settings.version,
            "pod": settings.pod,
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "failed": missing,
            "database_pool": {"in_use": in_use, "open": connections},
        }
        if "database" not in missing:
            details["schema_version"] = await data.schema_version(nox.backends, settings)
            details["jobs"] = await self._jobs_by_state()
        return answer(details)

    async def _jobs_by_state(self) -> dict[str, int]:
        nox = self._nox
        return await self._jobs.get(
            nox.settings.database_url, lambda: data.jobs_by_state(nox.backends, nox.settings)
        )
