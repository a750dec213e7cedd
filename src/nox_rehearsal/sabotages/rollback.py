"""The rollback: not everybody is back on blue, or what happened cannot be told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from nox_rehearsal.cluster.kubeconfig import REHEARSE_CHANGE
from nox_rehearsal.cluster.objects import GREEN, PRODUCTION, administrator
from nox_rehearsal.day import saving
from nox_rehearsal.parts import ingress
from nox_rehearsal.sabotages.in_cluster import edited, frozen, gone
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import in_production, settings
from nox_rehearsal.world.state import World

Back = partial(Sabotage, moment="rollback")

INGRESS = "nox-api-ingress"
TIME, LOGS = "rollback.time", "rollback.green-logs-kept"
POD = "nox-api-production-green-3"


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _traffic()
    yield from _green()
    yield from _time()


def _traffic() -> Iterator[Sabotage]:
    line = "rollback.traffic-switch"
    name = "/spec/rules/0/http/paths/4/backend/service/name"
    one = _ingress([{"op": "replace", "path": name, "value": "nox-api-service-green"}])
    yield Back(line, "one-green", "one path was forgotten", one, "nox-api-service-green")
    lost = _ingress([{"op": "remove", "path": "/spec/rules/0/http/paths/11"}])
    yield Back(line, "lost", "the path of the WebSocket is gone", lost, "/ws")
    away = gone("Service", "nox-api-service-blue", namespace=PRODUCTION)
    yield Back(line, "elsewhere", "blue's Service is in its own namespace alone", away, "no Service")
    line = "rollback.version"
    yield Back(line, "mixed", "some answers are green's", _mixed_with_green, "8.0.0")
    older = in_production(settings(version="7.9.2"))
    yield Back(line, "older", "blue is not what it was before the release", older, "7.9.2")


def _green() -> Iterator[Sabotage]:
    one = _kept(logs=lambda text: _of(text, POD, keep=True))
    yield Back(LOGS, "one-pod", "the logs of one pod of three", one, "different pods")
    two = _kept(logs=lambda text: _of(text, POD), pods=_described_without)
    yield Back(LOGS, "two-pods", "the third pod was forgotten", two, POD)
    line = "rollback.scale-down-dry-run"
    deleted = gone("Deployment", "nox-api-deployment-green", namespace=GREEN)
    yield Back(line, "deleted", "green was deleted, not scaled down", deleted, "is not there", (LOGS,))
    role = f"noxgate-{REHEARSE_CHANGE}"
    denied = edited("Role", role, {"rules": []}, namespace=GREEN)
    yield Back(line, "denied", "this account may not", denied, "cannot patch", outcome="unreachable")


def _time() -> Iterator[Sabotage]:
    slow = _noted(timedelta(seconds=-200), timedelta(seconds=101))
    yield Back(TIME, "301", "a second more than five minutes", slow, "< 300")
    earlier = _noted(timedelta(days=-1, seconds=-40), timedelta(days=-1))
    yield Back(TIME, "drill", "the record of a drill of the day before", earlier, "not in this rollback")
    late = _noted(timedelta(seconds=-1), timedelta(seconds=1), first="patched")
    yield Back(TIME, "undecided", "counted from the patch", late, "patched")


def _ingress(patch: list[dict[str, Any]]) -> Switch:
    """The Ingress was edited while traffic was led back, and it says when: the times are noted anew."""

    def note(world: World) -> None:
        now = datetime.now(UTC)
        saving.note_times(world, {"decided": now - timedelta(seconds=2), "all users have blue": now})

    @contextmanager
    def on(world: World) -> Iterator[None]:
        try:
            with edited("Ingress", INGRESS, patch, namespace=PRODUCTION)(world):
                note(world)
                yield
        finally:
            note(world)

    return on


@contextmanager
def _mixed_with_green(world: World) -> Iterator[None]:
    """The controller of the ingress is behind: one request in seven goes to green."""
    more = f"    server 127.0.0.1:{min(world.green_pods.values())} fail_timeout=1s;\n"

    def mixed(text: str) -> str:
        start = text.index("{", text.index("nox-api-service-blue_80"))
        first = text.index("    server ", start)
        return text[:first] + text[first:].replace(" fail_timeout", " weight=3 fail_timeout", 2).replace(
            "    server ", f"{more}    server ", 1
        )

    with frozen(world), ingress.leading(world, mixed):
        yield


def _kept(**changes: Any) -> Switch:
    """Newer files than those that are right."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        made = []
        try:
            for kind, change in changes.items():
                (before,) = saving.folder(world).glob(f"green-{kind}-*.txt")
                made.append(before.with_name(f"green-{kind}.txt"))
                made[-1].write_text(change(before.read_text(encoding="utf-8")), encoding="utf-8")
            yield
        finally:
            for file in made:
                file.unlink()

    return on


def _of(text: str, pod: str, *, keep: bool = False) -> str:
    """The lines of a pod, or of all others."""
    return "".join(line for line in text.splitlines(keepends=True) if (f"[pod/{pod}/" in line) is keep)


def _described_without(text: str) -> str:
    return "\n\n".join(each for each in text.split("\n\n") if POD not in each)


def _noted(decided: timedelta, done: timedelta, first: str = "decided") -> Switch:
    """A newer record, with times before and after the change of the Ingress."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with administrator(world) as api:
            written = api.get("Ingress", INGRESS, PRODUCTION)["metadata"]["managedFields"]
        changed = max(datetime.fromisoformat(one["time"]) for one in written if "f:spec" in one["fieldsV1"])
        times: Mapping[str, datetime] = {first: changed + decided, "all users have blue": changed + done}
        before = set(saving.folder(world).glob("rollback-times*.txt"))
        saving.note_times(world, times, "wrong")
        try:
            yield
        finally:
            for file in set(saving.folder(world).glob("rollback-times*.txt")) - before:
                with suppress(FileNotFoundError):
                    file.unlink()

    return on
