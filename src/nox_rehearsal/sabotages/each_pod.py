"""What one pod of three does to each third user, and what only production's edge lets others do."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from nox_rehearsal.sabotages.answering import ORIGIN, UNCONNECTED
from nox_rehearsal.sabotages.sabotage import Sabotage
from nox_rehearsal.sabotages.ways import answer, in_production, on_one_pod, settings

DOOR = "GET /api/admin/health"
# strangers get what they got: it is the user's own page alone that is not well
STORE: dict[str, Any] = {"replace": {'{"settings"': '{"error":"store","settings"'}}


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    after = partial(Sabotage, moment="live")
    otherwise = {"settings": {"websocket_answer": "you said {}"}}
    null = {"answers": {"GET /api/public/stats": {"json": {"users": None}}}}
    for line, live, plan, seen in (
        ("user-settings", "user-pages", {"answers": {"GET /api/user/settings": STORE}}, "HTTP 200: 'store'"),
        ("public-stats", "public-stats", null, "expected a figure"),
        ("websocket", "websocket", otherwise, "saw 'you said noxgate"),
    ):
        broken = on_one_pod(**plan)
        yield Sabotage(f"staging.{line}", "one-pod", "one pod of three is broken", broken, seen)
        there = in_production(broken, green=True)
        yield after(f"live.{live}", "one-pod", "one pod of three is broken", there, seen)
    open_ = in_production(answer("GET /api/user/settings", headers=ORIGIN), green=True)
    yield after("live.user-pages", "origin", "any page may read it", open_, "any origin may read it")
    apart = in_production(answer("GET /ready", json=UNCONNECTED), green=True)
    seen = "it says databaseConnected: False"
    yield after("live.ready", "unconnected", "ok, and not connected", apart, seen)
    down = in_production(answer("GET /version", replace={'{"version"': '{"databaseStatus":"DOWN","version"'}))
    what, seen = "its database is down", "it says databaseStatus: 'DOWN'"
    yield Sabotage("prep.blue-version", "down", what, down, seen, moment="prep")
    yield from _door()


def _door() -> Iterator[Sabotage]:
    """The administrator's, after the switch."""
    after = partial(Sabotage, "live.admin-door", moment="live")
    anybody = {"json": {"status": "healthy"}}
    for name, what, fault, seen in (
        ("users", "any user gets in", settings(admin_for_everyone=True), "expected HTTP 403, saw 200"),
        ("all", "a page for all", answer(DOOR, **anybody), "expected HTTP 403, saw 200"),
        ("unwell", "a worker is down", settings(admin_unwell=True), "it says failed: [worker]"),
        ("one-pod", "one pod lets anybody in", on_one_pod(answers={DOOR: anybody}), "saw 200"),
    ):
        yield after(name, what, in_production(fault, green=True), seen)
