"""The 48 hours: somebody did not watch, users had a bad quarter of an hour, or it is not known."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from nox_rehearsal.cluster.objects import BLUE, PRODUCTION
from nox_rehearsal.cluster.release import PRODUCTION_RULES
from nox_rehearsal.day import history, moments, watching
from nox_rehearsal.day.history import Change, Minute, between
from nox_rehearsal.parts import prometheus
from nox_rehearsal.sabotages.green_release import written
from nox_rehearsal.sabotages.in_cluster import edited
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import in_production, on_one_pod, sql
from nox_rehearsal.world.state import World
from noxgate.trust.records import CHECKPOINT

Over = partial(Sabotage, moment="window")

MINUTE = 1 / 60  # of an hour
RECORD_LINE = "window.checkpoint-{}-record"
HOUR_1, HOUR_6, HOUR_24 = (
    f"window.checkpoint-{name}" for name in ("1h-metrics", "6h-traffic", "24h-stability")
)
FINAL, BATCHES = "window.checkpoint-48h-final", "window.checkpoint-24h-batch-jobs"
METRICS = ("window.p95", "window.errors", "window.critical-alerts")  # of all 48 hours
NIGHT_JOB = "input_hash = encode(sha256('night 12'::bytea), 'hex')"
UNDO_JOB = (
    "UPDATE computational_jobs SET status = 'completed', result = '{}', error = NULL, finished_at = now()"
    f" WHERE {NIGHT_JOB}"
)


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _records()
    yield from _metrics()
    yield from _coverage()
    yield from _jobs()
    yield from _final()


def _records() -> Iterator[Sabotage]:
    line = "window.opened"
    yield Over(line, "minutes", "the switch is recorded 4 minutes late", _played(_opened_late), "was last")
    yield Over(line, "one-blue", "one path leads to blue again", _one_blue, "nox-api-service-blue", (FINAL,))
    late = {"1h": 29, "6h": 56, "24h": 56, "48h": 56}  # minutes more than usual: one too many
    for checkpoint, minutes in late.items():
        line, over = RECORD_LINE.format(checkpoint), "31" if checkpoint == "1h" else "61"
        made = _played(partial(_late, checkpoint, minutes))
        yield Over(line, "late", "made, a minute too late", made, f"{over} minutes after")
        none = _played(partial(_missed, checkpoint))
        yield Over(line, "missed", "those after it were made", none, f"no record of checkpoint {checkpoint}")
    yield Over(
        RECORD_LINE.format("24h"), "early", "made in the evening", _played(_early), "before it was due"
    )


def _metrics() -> Iterator[Sabotage]:
    two = _measured(between(0.5, 0.5 + MINUTE, pods=2))
    yield Over(HOUR_1, "two-pods", "two of three pods, for a minute", two, "pods: ", (HOUR_24,))
    outage = _measured(between(0.5, 0.5 + 7 * MINUTE, pods=2))
    also = ("window.prometheus-coverage", HOUR_24)
    yield Over(HOUR_1, "outage", "two of three pods, for seven minutes", outage, "pods: ", also)
    busy = _measured(between(0.5, 0.5 + 8 * MINUTE, cpu=0.51))
    yield Over(HOUR_1, "busy", "51 % of the CPU for 8 minutes", busy, "cpu: ", (HOUR_24,))
    fewer = _measured(between(4.8, 6.1, times=0.49))
    yield Over(HOUR_6, "fewer", "49 % of the day before", fewer, "49 % of")
    more = _measured(between(4.8, 6.1, times=2.02))
    yield Over(HOUR_6, "more", "twice as many, and a few", more, "202 % of")
    restarted = _measured(between(14, 49, restarts=1))
    yield Over(HOUR_24, "restart", "one restart at night", restarted, "nox-api-production-green-")
    creeps = _measured(lambda hour, minute: replace(minute, memory=0.35 + 0.115 * min(24, max(0, hour)) / 24))
    yield Over(HOUR_24, "creeps", "memory creeps, far below its limit", creeps, "memory grew by")
    near = _measured(between(30, 30.2, slow=0.0506))
    yield Over("window.p95", "301", "301 ms for 12 minutes", near, "worst 301")
    incident = _measured(between(20, 20.2, slow=0.4))
    yield Over(
        "window.p95", "incident", "an incident of 12 minutes at hour 20", incident, "worst 350", (HOUR_24,)
    )
    failing = _measured(between(30, 30.2, failed=0.0104))
    yield Over("window.errors", "little", "1.04 % for 12 minutes", failing, "worst 1.04")
    burst = _measured(between(30, 30 + MINUTE, gone=0.3))
    yield Over("window.errors", "new-series", "a minute of a status that is new", burst, "worst 6.")
    silent = _measured(between(40, 40.2, requests=0.0, turned_away=40.0))
    yield Over(
        "window.errors", "silent", "nobody gets through for 12 minutes", silent, "no request got through"
    )
    said = "no request for 12 minutes, and nobody knows why"
    lull = _measured(between(40, 40.2, requests=0.0))
    yield Over("window.errors", "lull", said, lull, "whether it was just quiet", outcome="unreachable")
    fires = _measured(between(30, 30 + MINUTE, alert="NoxApiErrors"))
    yield Over("window.critical-alerts", "minute", "one fired for a minute", fires, "NoxApiErrors")
    deaf = "production's rules were taken away since the switch"
    yield Over("window.critical-alerts", "unloaded", deaf, _unloaded, "not loaded")
    mild = written(
        PRODUCTION_RULES, None, lambda text: text.replace("severity: critical", "severity: warning")
    )
    yield Over("window.critical-alerts", "warnings", "no shipped rule is critical", mild, "none could fire")
    dawn = _measured(between(10, 10.2, requests=0.0, turned_away=40.0))
    yield Over(
        HOUR_24, "silent", "nobody gets through for 12 minutes", dawn, "no request", ("window.errors",)
    )


def _coverage() -> Iterator[Sabotage]:
    line = "window.prometheus-coverage"
    most = _measured(between(30, 39.6, scraped=False))
    yield Over(line, "80-percent", "Prometheus was up for 80 % of the time", most, "80.", METRICS)
    gap = _measured(between(30, 30 + 7 * MINUTE, scraped=False))
    yield Over(line, "gap", "a gap of seven minutes", gap, "min)]", METRICS)
    holes = _measured(_holes)
    yield Over(line, "holes", "four of eight minutes, again and again", holes, "% covered", METRICS)
    third = _measured(between(30, 30 + 7 * MINUTE, pods=2))
    yield Over(line, "one-dark", "one of three pods was dark for seven minutes", third, "min)]")
    aside = _measured(between(10, 10 + 7 * MINUTE, containers=2))
    said = "one pod's container was not measured for seven minutes"
    yield Over(HOUR_24, "unmeasured", said, aside, "no gap of", outcome="unreachable")
    dark = _measured(between(0.5, 0.5 + 7 * MINUTE, scraped=False))
    others = (line, HOUR_24, *METRICS)
    yield Over(HOUR_1, "gap", "seven minutes without data", dark, "no gap of", others, outcome="unreachable")


def _jobs() -> Iterator[Sabotage]:
    fails = (
        "UPDATE computational_jobs SET status = 'failed', result = NULL, error = 'out of memory'"
        f" WHERE {NIGHT_JOB}"
    )
    failed = in_production(sql(fails, UNDO_JOB))
    yield Over("window.jobs-failed", "one", "one job failed", failed, "out of memory")
    hangs = (
        "UPDATE computational_jobs SET status = 'queued', result = NULL, finished_at = NULL,"
        f" started_at = NULL WHERE {NIGHT_JOB}"
    )
    stuck = in_production(sql(hangs, UNDO_JOB))
    yield Over("window.jobs-stuck", "one", "one job waits since the night", stuck, "queued")
    batch = "UPDATE batch_job_collections SET {} WHERE name = 'nightly'"
    one_less, again = (batch.format(f"completed_jobs = completed_jobs {sign} 1") for sign in "-+")
    unfinished = in_production(sql(one_less, again))
    yield Over(BATCHES, "unfinished", "one of its jobs is missing", unfinished, "nightly: 10 of 11")
    old, new = (batch.format(f"created_at = created_at {sign} interval '1 day'") for sign in "-+")
    yield Over(BATCHES, "none", "the last batch is blue's", in_production(sql(old, new)), "no batch")


def _final() -> Iterator[Sabotage]:
    old = in_production(on_one_pod(settings={"version": "8.0.0-rc1"}), green=True)
    yield Over(FINAL, "one-old", "one pod is a release candidate", old, "8.0.0-rc1")
    away = edited("Pod", "nox-api-blue-2", {"metadata": {"labels": {"app": "old"}}}, namespace=BLUE)
    yield Over(FINAL, "blue-gone", "blue was cleaned up, by half", away, "blue")


@contextmanager
def _unloaded(world: World) -> Iterator[None]:
    """Staging's, which have the same names, are still there."""
    groups = [each for each in prometheus.usual(world).groups if "production" not in each["name"]]
    try:
        prometheus.apply(world, groups=groups)
        yield
    finally:
        prometheus.restore(world)


def _holes(hour: float, minute: Minute) -> Minute:
    """From the second day on four of eight minutes are missing: no gap is long, and together they are."""
    begin, every, missing = 25, 8, 4
    return replace(minute, scraped=hour < begin or round(60 * hour) % every >= missing)


def _measured(change: Change) -> Switch:
    """Other 48 hours, as Prometheus has them."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        began = _began(world)
        data = world.folder / prometheus.NAME / "data"
        with tempfile.TemporaryDirectory(dir=world.folder, prefix="history-") as folder:
            for block in history.of_history(data, began):
                shutil.copytree(block, Path(folder) / block.name)
            try:
                history.install(world, began, change)
                yield
            finally:
                history.put(world, began, Path(folder))

    return on


def _played(play: Callable[[World, datetime], None]) -> Switch:
    """Other records of the window."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        chain, _, _ = watching.records(world)
        aside = chain.folder.with_name(f"{chain.folder.name}-aside")
        chain.folder.rename(aside)
        try:
            play(world, _began(world))
            yield
        finally:
            shutil.rmtree(chain.folder, ignore_errors=True)
            aside.rename(chain.folder)

    return on


@contextmanager
def _one_blue(world: World) -> Iterator[None]:
    name = "/spec/rules/0/http/paths/4/backend/service/name"
    patch = [{"op": "replace", "path": name, "value": "nox-api-service-blue"}]
    try:
        with edited("Ingress", "nox-api-ingress", patch, namespace=PRODUCTION)(world):
            yield
    finally:
        watching.once_more(world, _began(world))


def _opened_late(world: World, began: datetime) -> None:
    watching.open_(world, began, switched=timedelta(minutes=4))
    watching.make_the_rest(world)


def _late(checkpoint: str, minutes: int, world: World, began: datetime) -> None:
    watching.open_(world, began)
    watching.make_the_rest(world, late={checkpoint: timedelta(minutes=minutes)})


def _missed(checkpoint: str, world: World, began: datetime) -> None:
    watching.open_(world, began)
    watching.make_the_rest(world, without=(checkpoint,))


def _early(world: World, began: datetime) -> None:
    """By hand: `noxgate watch` refuses."""
    watching.open_(world, began)
    watching.make_the_rest(world, without=("24h", "48h"))
    chain, key, _ = watching.records(world)
    line, seen = RECORD_LINE.format("24h"), "nothing will happen any more today"
    at = history.time_of_switch(began) + timedelta(hours=23)
    chain.append(
        key, kind=CHECKPOINT, line=line, by=watching.BY, seen=seen, data={"checkpoint": "24h"}, now=at
    )
    watching.make_the_rest(world)


def _began(world: World) -> datetime:
    return moments.reached(world)[moments.START]
