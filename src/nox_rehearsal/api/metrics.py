"""What Prometheus scrapes: requests by path template, the process, the pool, the jobs."""

import time
from collections.abc import Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# 0.3 and 0.5 are the limits that the service promises: they must be edges, or no quantile can be trusted
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 2.5, 5.0, 7.5, 10.0)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Metrics:
    """One process's series."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        names = ["method", "path", "status"]
        self._requests = Counter("http_requests", "Requests answered.", names, registry=self._registry)
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "From the request's head to its last byte.",
            ["method", "path"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._sockets = Gauge(
            "nox_websocket_connections", "Open WebSocket connections.", registry=self._registry
        )
        self._pool = Gauge(
            "nox_database_pool_connections", "Database connections.", ["state"], registry=self._registry
        )
        self._jobs = Gauge("nox_jobs", "Computational jobs.", ["state"], registry=self._registry)
        self._build = Gauge("nox_build_info", "The version that runs.", ["version"], registry=self._registry)
        # children by label values: a lookup here is a tenth of prometheus_client's own
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        children = self._children.get((method, path, status))
        if children is None:
            children = (
                self._requests.labels(method, path, str(status)),
                self._seconds.labels(method, path),
            )
            self._children[method, path, status] = children
        children[0].inc()
        children[1].observe(seconds)

    def socket_opened(self) -> None:
        self._sockets.inc()

    def socket_closed(self) -> None:
        self._sockets.dec()

    def text(self, version: str, pool: tuple[int, int], jobs: dict[str, int] | None) -> bytes:
        """The exposition; `pool` is (in use, open); no job series at all where the database is away."""
        self._build.clear()
        self._build.labels(version).set(1)
        self._pool.labels("in_use").set(pool[0])
        self._pool.labels("open").set(pool[1])
        self._jobs.clear()
        for state, count in (jobs or {}).items():
            self._jobs.labels(state).set(count)
        return generate_latest(self._registry)


class MetricsMiddleware:
    """Counts and times every HTTP request under its path template."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._metrics = metrics
        templates = [route for route in routes if isinstance(route, Route)]
        self._exact = {route.path for route in templates if "{" not in route.path}
        self._patterns = [(route.path_regex, route.path) for route in templates if "{" in route.path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # what the server answers when the application raised before it answered

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, seen)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            seconds = time.perf_counter() - started
            self._metrics.answered(method, self._template(scope["path"]), status, seconds)

    def _template(self, path: str) -> str:
        """The route's own path: ids and unknown paths must not make series without end."""
        if path in self._exact:
            return path
        for pattern, template in self._patterns:
            if pattern.match(path):
                return template
        return "unmatched"
