"""What users need of blue before the switch, of green before and after it, and of blue after a rollback."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

from nox_rehearsal.cluster.objects import BLUE, GREEN
from nox_rehearsal.parts import postgres, redis
from nox_rehearsal.sabotages.in_cluster import edited
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import (
    answer,
    at_ingress,
    certificate,
    in_production,
    on_each_pod,
    on_one_pod,
    settings,
    sql,
)
from nox_rehearsal.world.state import World

PROFILE, SETTINGS, HISTORY = (f"GET /api/user/{page}" for page in ("profile", "settings", "history"))
DEGRADED = {"GET /health": {"json": {"status": "degraded"}}}
NOT_READY = {"GET /ready": {"status": 503, "json": {"status": "not ready", "failed": ["redis"]}}}
BROKEN = {SETTINGS: {"status": 500, "json": {"error": "internal server error"}}}
ZERO = {"POST /predict/cj/v1": {"json": {"velocity": 0, "pressure": 0}}}
EMPTY: dict[str, Any] = {HISTORY: {"json": {}}}
TWICE = "', and then noxgate looks"
KEY = "another-secret-key-than-that-of-blue-and-as-long"
AT_ONCE = ("live.user-pages", "live.science", "live.signed-in-errors")
OWN = ("live.bad-tokens", "live.own-user", "live.admin-door")  # what the user's own token has to get for


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _blue()
    yield from _green()
    yield from _connections()
    yield from _live()
    yield from _edge()
    yield from _rollback()


def _blue() -> Iterator[Sabotage]:
    prepared = partial(Sabotage, moment="prep")
    yield prepared(
        "prep.blue-health", "degraded", "one pod is degraded, with 200", _blues(DEGRADED), "degraded"
    )
    line = "prep.blue-user-pages"
    yield prepared(line, "500", "one pod's query breaks on the new schema", _blues(BROKEN), "HTTP 500")
    yield prepared(line, "empty", "one pod has no history", _blues(EMPTY), "saw {}")
    anyone = in_production(on_one_pod(settings={"anonymous_reads_profile": True}))
    yield prepared(line, "open", "one pod shows a profile to strangers", anyone, "expected HTTP 401")
    yield prepared(
        "prep.blue-science", "zero", "one pod computes nothing", _blues(ZERO), "no plausible result"
    )
    line = "prep.blue-websocket"
    twice = in_production(on_one_pod(settings={"websocket_twice": True}))
    yield prepared(line, "twice", "one pod says it twice", twice, TWICE)
    shut = edited("Service", "nox-api-service-blue", _to_port(3002), namespace=BLUE)
    yield prepared(line, "shut", "its port leads to a closed one", shut, "refused")


def _green() -> Iterator[Sabotage]:
    before = partial(Sabotage, moment="green")
    yield before("green.ready", "redis", "one pod does not reach Redis", _greens(NOT_READY), "503")
    half = {"GET /ready": {"json": {"status": "ready", "failed": ["database"]}}}
    yield before("green.ready", "failed", "ready, but for its database", _greens(half), "it says failed")
    line = "green.blue-token"
    other = _each_green(lambda _: {"settings": {"secret_key": KEY}})
    believed = ("green.user-pages", "green.science")
    yield before(line, "secret-key", "green has another SECRET_KEY", other, "HTTP 401", believed)
    stagings = _each_green(lambda world: {"settings": {"secret_key": world.secret_key}})
    yield before(line, "staging", "green has staging's SECRET_KEY", stagings, "HTTP 401", believed)
    stranger = {"id": 3, "email": "chemist03@nox.example"}
    mixed = _greens({PROFILE: {"json": stranger}})
    yield before(line, "other", "one pod knows somebody else by it", mixed, "another user", believed[:1])
    line = "green.user-pages"
    yield before(line, "500", "one pod's settings break", _greens(BROKEN), "HTTP 500")
    yield before(line, "empty", "one pod has no history", _greens(EMPTY), "saw {}")
    anyone = in_production(on_one_pod(settings={"anonymous_reads_profile": True}), green=True)
    yield before(line, "open", "one pod shows a profile to strangers", anyone, "expected HTTP 401")
    yield before("green.science", "zero", "one pod computes nothing", _greens(ZERO), "no plausible result")
    line = "green.websocket"
    twice = in_production(on_one_pod(settings={"websocket_twice": True}), green=True)
    yield before(line, "twice", "one pod says it twice", twice, TWICE)


def _connections() -> Iterator[Sabotage]:
    line = "green.connections"
    before = partial(Sabotage, moment="green")
    database = _each_green(lambda world: {"settings": {"database_url": world.application_dsn}})
    yield before(line, "database", "green asks staging's database", database, "PostgreSQL")
    cache = _each_green(lambda world: {"settings": {"redis_url": world.redis_url}})
    yield before(line, "redis", "green asks staging's Redis", cache, "Redis")
    one = in_production(lambda world: on_one_pod(settings={"redis_url": world.redis_url})(world), green=True)
    yield before(line, "one-pod", "one pod asks staging's Redis", one, "nox-api-production-green-3")
    copied = _secret("database-url", "postgresql://nox_app:unused-here@127.0.0.1:5432/nox_production_copy")
    yield before(line, "copy", "green is configured for a copy", copied, "nox_production_copy")
    elsewhere = _secret("redis-url", "redis://:unused-here@redis.nox-staging-green.svc:6379/0")
    yield before(
        line, "configured", "green is configured for staging's Redis", elsewhere, "nox-staging-green"
    )
    reader = _each_green(lambda world: {"settings": {"database_url": _as_reader(world)}})
    yield before(line, "reader", "green asks as one who only reads", reader, "has no right to INSERT")
    key = "WHERE config_key = 'database_schema_version'"
    set_to = f"UPDATE system_configuration SET config_value = '\"{{}}\"' {key}"
    old = in_production(sql(set_to.format("7.9.3"), set_to.format("8.0.0")))
    yield before(line, "schema", "the migration was taken back", old, "7.9.3")


def _live() -> Iterator[Sabotage]:
    after = partial(Sabotage, moment="live")
    line, *others = AT_ONCE
    signed_out = in_production(settings(secret_key=KEY))
    yield after(line, "signed-out", "users are signed out", signed_out, "HTTP 401", (*others, *OWN))
    excuse = in_production(answer(HISTORY, json={"error": "token store unavailable"}))
    yield after(line, "error", "an error with HTTP 200", excuse, "token store unavailable")
    stored = in_production(answer(SETTINGS, headers={"Age": "30"}))
    yield after(line, "stored", "a cache has it", stored, "from a cache: Age 30")
    anyone = in_production(settings(anonymous_reads_profile=True))
    yield after(line, "open", "shows a profile to strangers", anyone, "expected HTTP 401")
    nothing = in_production(answer("GET /api/public/stats", json={"jobs": None}))
    yield after("live.public-stats", "null", "null figures", nothing, "expected a figure")
    zero = in_production(answer("POST /empirical/v1", json={"smiles": "CCO", "value": 0}))
    yield after("live.science", "zero", "a boiling point of 0 K", zero, "no plausible result")
    twice = in_production(settings(websocket_twice=True))
    yield after("live.websocket", "twice", "says it twice", twice, TWICE)
    refused = in_production(answer(PROFILE, status=403, json={"error": "forbidden"}))
    yield after(
        "live.signed-in-errors", "403", "a good token is refused", refused, "HTTP 403", (line, *OWN[:2])
    )

    role = f"ALTER ROLE {postgres.PRODUCTION.application} IN DATABASE {postgres.PRODUCTION.database}"
    shut = f"{role} SET default_transaction_read_only = on"
    free = f"BEGIN READ WRITE; {role} RESET default_transaction_read_only; COMMIT"
    stopped = in_production(sql(shut, free))
    yield after(
        "live.database-answers", "read-only", "the API's role takes no writes", stopped, "read_only=on"
    )
    oauth = tuple(f"live.oauth-{provider}" for provider in ("google", "github", "microsoft"))
    yield after("live.redis", "full", "it takes no more", _redis_is_full, "memory is full", oauth)


def _edge() -> Iterator[Sabotage]:
    after = partial(Sabotage, moment="live")
    line = "live.security-headers"
    near = at_ingress(site="production", headers={"Strict-Transport-Security": "max-age=31536"})
    yield after(line, "hsts", "a shorter max-age", near, "max-age=31536")
    absent = at_ingress(site="production", not_on_errors="Content-Security-Policy")
    yield after(line, "not-on-errors", "no policy on an error page", absent, "content-security-policy")
    old = at_ingress(site="production", tls_protocols=("TLSv1.1", "TLSv1.2", "TLSv1.3"))
    yield after("live.tls-version", "1.1", "TLS 1.1 is still spoken", old, "TLSv1_1")
    line = "live.tls-certificate"
    short = certificate(site="production", days=2)
    yield after(line, "2-days", "it ends while the window is watched", short, "2.00 days left")
    line = "live.https-redirect"
    plain = at_ingress(site="production", redirect=None)
    yield after(line, "plain", "answers without TLS", plain, "HTTP 200")
    elsewhere = at_ingress(site="production", redirect="https://staging-api.example.com")
    yield after(line, "elsewhere", "redirects to staging", elsewhere, "staging-api.example.com")


def _rollback() -> Iterator[Sabotage]:
    back = partial(Sabotage, moment="rollback")
    yield back("rollback.health", "degraded", "one pod is degraded, with 200", _blues(DEGRADED), "degraded")
    yield back("rollback.ready", "redis", "one pod does not reach Redis", _blues(NOT_READY), "503")
    broken = in_production(answer(SETTINGS, **BROKEN[SETTINGS]))
    yield back("rollback.user-pages", "500", "a query breaks on the new schema", broken, "HTTP 500")
    zero = in_production(answer("POST /predict/cj/v1", **ZERO["POST /predict/cj/v1"]))
    yield back("rollback.science", "zero", "computes nothing", zero, "no plausible result")
    twice = in_production(settings(websocket_twice=True))
    yield back("rollback.websocket", "twice", "says it twice", twice, TWICE)


def _redis_is_full(world: World) -> AbstractContextManager[None]:
    """Production's, which the credentials of its profile name."""
    lines = (world.folder / "credentials-production.env").read_text(encoding="utf-8").splitlines()
    (url,) = [line.removeprefix("REDIS_URL=") for line in lines if line.startswith("REDIS_URL=")]
    return redis.full(replace(world, redis_url=url))


def _blues(answers: dict[str, Any]) -> Switch:
    return in_production(on_one_pod(answers=answers))


def _greens(answers: dict[str, Any]) -> Switch:
    return in_production(on_one_pod(answers=answers), green=True)


def _as_reader(world: World) -> str:
    """Production's database, as the role that the gate itself has."""
    lines = world.production_profile.with_name("credentials-production.env").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in lines.splitlines())["DATABASE_URL"]


def _each_green(plan: Callable[[World], dict[str, Any]]) -> Switch:
    """All of green's pods; those of blue, which read the same file, stay as they are."""

    def on(world: World) -> AbstractContextManager[None]:
        return in_production(on_each_pod(lambda _: plan(world)), green=True)(world)

    return on


def _to_port(number: int) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": "/spec/ports/1/targetPort", "value": number}]


def _secret(key: str, value: str) -> Switch:
    """Green's Secret has another value since its pods started."""
    return edited("Secret", "nox-api-secrets", {"stringData": {key: value}}, namespace=GREEN)
