"""Answers that only look right, in each phase; and a way in that hands round connections, not requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from nox_rehearsal.sabotages.lines import DOORS, TOKENS
from nox_rehearsal.sabotages.live import CONVERGED, REPLICAS, at_servers, upstream
from nox_rehearsal.sabotages.sabotage import Sabotage
from nox_rehearsal.sabotages.ways import altered, answer, in_production, on_one_pod
from nox_rehearsal.world.state import World

FAILED = {"status": "healthy", "failed": ["database"]}
STORED = {"headers": {"Age": "30"}}
AKAMAI = {"headers": {"Age": "0", "X-Cache": "TCP_MEM_HIT from a23-45.example (AkamaiGHost/11.5)"}}
UNCONNECTED = {"status": "ok", "databaseConnected": False}
REFUSED = {"success": False, "message": "try later", "history": []}
ORIGIN = {
    "Access-Control-Allow-Origin": "https://noxgate.invalid",
    "Access-Control-Allow-Credentials": "true",
}


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _staging()
    health = {"GET /health": {"json": FAILED}}
    said = "it says failed"
    pod = in_production(on_one_pod(answers=health), green=True)
    yield Sabotage("green.health", "failed", "healthy, but for its database", pod, said, moment="green")
    ready = in_production(answer("GET /ready", json={"status": "ready", "error": "pool is empty"}))
    yield Sabotage("prep.blue-ready", "error", "ready, with an error", ready, "pool is empty", moment="prep")
    after = partial(Sabotage, moment="live")
    yield after("live.health", "failed", "healthy, but for its database", pod, said, (REPLICAS,))
    apart = in_production(answer("GET /ready", json=UNCONNECTED))
    unconnected = "it says databaseConnected: False"
    yield Sabotage(
        "prep.blue-ready", "unconnected", "ok, and not connected", apart, unconnected, moment="prep"
    )
    stored = in_production(answer("GET /version", **STORED))
    yield after("live.version", "stored", "a cache answers", stored, "from a cache: Age 30", (CONVERGED,))
    others = ("live.version",)
    yield after(CONVERGED, "by-connection", "blue has some connections", _by_connection, "7.9.3", others)
    beside = in_production(altered("GET /version", '{"version"', '{"error":"starting","version"'))
    yield Sabotage("rollback.version", "error", "an error beside it", beside, "starting", moment="rollback")


def _staging() -> Iterator[Sabotage]:
    line = "staging.health"
    failed = answer("GET /health", json=FAILED)
    yield Sabotage(line, "failed", "healthy, but for its database", failed, "it says failed")
    yield Sabotage(line, "stored", "a cache answers", answer("GET /health", **STORED), "from a cache: Age 30")
    beside = altered("GET /version", '{"version"', '{"error":"starting","version"')
    yield Sabotage("staging.version", "error", "an error beside it", beside, "starting")
    line = "staging.ready"
    stored = answer("GET /ready", **AKAMAI)
    yield Sabotage(line, "stored", "a cache in front has it in memory", stored, "x-cache: TCP_MEM_HIT")
    apart = answer("GET /ready", json=UNCONNECTED)
    yield Sabotage(line, "unconnected", "ok, and not connected", apart, "it says databaseConnected: False")
    line, path = "staging.user-history", "GET /api/user/history"
    refused = answer(path, json=REFUSED)
    yield Sabotage(line, "refused", "a list, and no success", refused, "success False", (TOKENS, DOORS))
    line = "staging.predict-cj"
    slow = answer("POST /predict/cj/v1", json={"velocity": 0.001, "pressure": 34.7})
    yield Sabotage(line, "slow", "a metre in a second", slow, "velocity 0.001", ("staging.bad-body",))
    line, path = "staging.user-profile", "GET /api/user/profile"
    yield Sabotage(line, "stored", "a cache has it", answer(path, **STORED), "from a cache: Age 30")
    open_ = answer(path, headers=ORIGIN)
    yield Sabotage(line, "origin", "any page may read it", open_, "any origin may read it")


@contextmanager
def _by_connection(world: World) -> Iterator[None]:
    more = f"    hash $connection;\n    server 127.0.0.1:{min(world.blue_pods.values())} fail_timeout=1s;\n"
    with upstream(lambda text: more.join(at_servers(text)))(world):
        yield
