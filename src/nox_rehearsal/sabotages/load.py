"""The load test finds the target too slow or failing, or its result proves nothing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil

from nox_rehearsal.day import loading
from nox_rehearsal.parts.pods import WORKER
from nox_rehearsal.sabotages import load_edits
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import answers, on_one_pod, settings
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.slo.result import Result
from noxgate.trust.loads import NAME as SIGNED

QUICK, FULL = "staging.load-quick", "staging.load-full"
P95, P99, SCIENCE = "staging.slo-p95", "staging.slo-p99", "staging.slo-science-p95"
ERRORS, API, AUTH, NONE = (
    "staging.slo-errors",
    "staging.slo-api-errors",
    "staging.slo-auth-success",
    "staging.slo-no-5xx",
)
JOBS = "staging.science-job-results"
SLOS = (P95, P99, SCIENCE, ERRORS, API, AUTH, NONE)

HEALTH_PATHS = ("GET /health", "GET /version", "GET /ready")
AUTH_PATHS = (
    *(f"GET /api/auth/{provider}/url" for provider in ("google", "github", "microsoft")),
    "GET /api/user/profile",
)
SCIENCE_PATHS = tuple(f"POST /{path}/v1" for path in ("xtb", "psi4", "empirical", "predict/cj"))
DATA_PATHS = ("GET /api/user/history", "GET /api/user/settings", "GET /api/public/stats")


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from measured()
    yield from _near()
    yield from _proving_nothing()
    yield from _jobs()


def measured() -> Iterator[Sabotage]:
    """Those that a load test of their own must find."""
    yield from _slow()
    yield from _failing()


def _slow() -> Iterator[Sabotage]:
    ten = under_load(DATA_PATHS, delay=0.303, share=0.1)
    yield Sabotage(P95, "303-ms", "a tenth of one class takes 303 ms", ten, "data on")
    three = under_load(("GET /api/auth/google/url",), delay=0.55, share=0.1)
    yield Sabotage(P99, "one-in-40", "a 40th of one class takes 550 ms", three, "auth on")
    science = under_load(SCIENCE_PATHS, delay=2.1, share=0.15)
    yield Sabotage(SCIENCE, "2100-ms", "science takes 2.1 s now and then", science, "science on")
    third = under_load(SCIENCE_PATHS, delay=2.1, share=0.3)
    yield Sabotage(SCIENCE, "third", "nearly a third of science takes 2.1 s", third, "above the limit")
    yield Sabotage(
        P95,
        "stall",
        "nothing is answered for two seconds of each eight",
        loaded(ingress_stalls),
        "not measured",
        also=(P99, SCIENCE, ERRORS, API, AUTH, NONE),
        outcome="unreachable",
    )


def _failing() -> Iterator[Sabotage]:
    most = under_load(
        (*HEALTH_PATHS, *AUTH_PATHS, *SCIENCE_PATHS, *DATA_PATHS), status=404, json={"error": "?"}, share=0.1
    )
    yield Sabotage(ERRORS, "8-percent", "some 8 % of the answers are 404", most, "all on", (API, AUTH))
    some = under_load((*HEALTH_PATHS, *DATA_PATHS), status=404, json={"error": "?"}, share=0.07)
    yield Sabotage(API, "3-percent", "some 3 % of the answers are 404", some, "all on")
    wrong = under_load(("GET /health",), json={"status": "unhealthy"}, share=0.4)
    yield Sabotage(API, "unhealthy", "HTTP 200, but four of ten /health say unhealthy", wrong, "all on")
    sign_in = under_load(AUTH_PATHS, status=404, json={"error": "?"}, share=0.05)
    yield Sabotage(AUTH, "95-percent", "95 % of the sign-ins succeed", sign_in, "auth on")
    single = loaded(on_one_pod(answers={"GET /health": {"status": 503, "text": "", "share": 0.02}}))
    yield Sabotage(NONE, "few-503", "one pod in three answers 503 now and then", single, "not one is allowed")
    sockets = under_load(("GET /ws",), status=403, text="", share=0.7)
    yield Sabotage(ERRORS, "websocket", "most WebSockets are refused", sockets, "all on", (API,))
    limiter = under_load(("GET /api/public/stats",), status=429, json={"error": "slow down"}, share=0.1)
    yield Sabotage(
        ERRORS, "limiter", "a rate limiter stands in the way", limiter, "a rate limiter was measured",
        also=(P95, P99, API, NONE), outcome="unreachable",
    )  # fmt: skip


def _near() -> Iterator[Sabotage]:
    near = edited(load_edits.one_in_twenty_slow)
    why = "the limit is within the interval"
    yield Sabotage(P95, "at-limit", "one of twenty in a class takes 310 ms", near, why, outcome="undecided")


def _proving_nothing() -> Iterator[Sabotage]:
    everything = (FULL, *SLOS, JOBS)
    not_made = partial(Sabotage, QUICK, also=everything, outcome="not run")
    yield not_made("none", "there is no result", loading.none, "no load test")
    cut = "Compressed file ended"
    yield Sabotage(QUICK, "damaged", "its file is cut", loading.damaged, cut, everything, "unreachable")
    lost = loading.process_lost
    yield Sabotage(QUICK, "process-lost", "one of two generators died", lost, "was lost", (FULL, *SLOS))
    other = edited(lambda result: replace(result, release="7.9.3"))
    yield not_made("other-release", "of the release before", other, "of release 7.9.3")
    elsewhere = edited(lambda result: replace(result, base_url="https://api.yourdomain.com"))
    yield not_made("other-target", "of another address", elsewhere, "is of https://api")
    candidate = edited(lambda result: replace(result, version="8.0.0-rc1"))
    yield not_made("candidate", "the target was a candidate", candidate, "8.0.0-rc1")
    yield not_made("old", "a day and a minute old", edited(load_edits.a_day_older), "h old")
    yield not_made("future", "it ends tomorrow", edited(partial(load_edits.a_day_older, days=-1)), "h old")
    yield from _never_made(not_made)
    asleep = edited(lambda result: replace(result, ramp=replace(result.ramp, think=(10, 40))))
    yield not_made("other-ramp", "its users slept", asleep, "is not the one of load/ramps.toml")
    stopped = edited(lambda result: replace(result, stopped="it was interrupted"))
    yield Sabotage(QUICK, "interrupted", "somebody stopped it", stopped, "it was interrupted", (FULL, *SLOS))
    short = edited(
        lambda result: replace(result, holds=tuple(replace(one, end=one.end - 3) for one in result.holds))
    )
    yield Sabotage(FULL, "short", "a hold three seconds too short", short, "was held for", (QUICK, *SLOS))
    hollow = edited(lambda result: replace(result, holds=(), new_jobs=()))
    yield Sabotage(
        P95, "no-hold", "no level was reached", hollow, "no hold to judge",
        also=(QUICK, FULL, P99, SCIENCE, ERRORS, API, AUTH, NONE, JOBS),
    )  # fmt: skip
    late = "the generator was late: 2.0 % of this process's timers by over 5 ms"
    spoiled = edited(
        lambda result: replace(result, holds=tuple(replace(one, spoiled=(late,)) for one in result.holds))
    )
    yield Sabotage(
        P95, "generator-late", "the generator was too busy", spoiled, late,
        also=(P99, SCIENCE, ERRORS, API, AUTH, NONE), outcome="unreachable",
    )  # fmt: skip
    empty = edited(lambda result: replace(result, seconds={**result.seconds, "auth": {}}))
    yield Sabotage(
        AUTH, "no-samples", "not one sign-in was tried", empty, "no samples",
        also=(P95, P99, ERRORS, API, NONE), outcome="unreachable",
    )  # fmt: skip
    gone = edited(load_edits.six_seconds_gone)
    yield Sabotage(
        ERRORS, "empty-window", "nothing for six seconds", gone, "without a request",
        also=(P95, P99, SCIENCE, API, AUTH, NONE), outcome="unreachable",
    )  # fmt: skip


def _never_made(not_made: "partial[Sabotage]") -> Iterator[Sabotage]:
    """Files that no load test left, or that were changed since, and numbers that none can have measured."""
    unsigned = edited(load_edits.as_it_is, lambda kept: (kept / SIGNED).unlink())
    yield not_made("unsigned", "written by hand", unsigned, "is not signed")
    altered = edited(load_edits.as_it_is, load_edits.written_again)
    yield not_made("altered", "its file was written again", altered, "was changed after it was signed")
    key = edited(load_edits.as_it_is, load_edits.signed_again)
    yield not_made("other-key", "signed by nobody that counts", key, "signed with another key")
    before = edited(lambda result: replace(result, schema=1))
    yield not_made("schema-1", "of a gate that signed none", before, "is of schema 1")
    known = edited(load_edits.of_schema_2)
    yield not_made("schema-2", "it asked for nothing new", known, "its science was not new")
    idle = edited(load_edits.a_tenth)
    yield not_made("idle-users", "a tenth of what its users send", idle, "they do not meet")
    repeated = edited(load_edits.one_second)
    yield not_made("repeated", "one second again and again", repeated, "identical series")
    more = edited(lambda result: replace(result, sent=result.sent - 1))
    yield not_made("more-than-sent", "a response time too many", more, "requests that were sent")
    again = edited(lambda result: replace(result, new_jobs=(result.new_jobs[0], *result.new_jobs[:-1])))
    yield not_made("asked-twice", "what is new was asked for twice", again, "it was not new")


def _jobs() -> Iterator[Sabotage]:
    energy = {"job_id": "7", "status": "completed", "result": {"energy": -5.17}}
    wrong = under_load(("POST /xtb/v1",), json=energy, share=0.2)
    yield Sabotage(JOBS, "wrong", "an energy is wrong in the second digit", wrong, "saw [")
    one = edited(lambda result: replace(result, right=result.right - 1))
    yield Sabotage(JOBS, "one-lost", "one job of all never ended", one, "saw [")
    none = edited(lambda result: replace(result, accepted=0, right=0))
    yield Sabotage(JOBS, "none", "no job was accepted", none, "no job was accepted")
    # each of these answers all that was asked for before
    stopped = loaded(_no_worker)
    yield Sabotage(JOBS, "worker-stopped", "nothing is computed any more", stopped, "no result within 60 s")
    refused = loaded(lambda world: settings(database_url=world.read_only_dsn)(world))
    yield Sabotage(JOBS, "cannot-write", "its role may read, and not write", refused, "new: HTTP 500")
    water = {"job_id": "7", "status": "completed", "result": {"energy": -5.0704}}
    constant = under_load(("POST /xtb/v1",), json=water)
    yield Sabotage(JOBS, "constant", "one energy for all molecules", constant, "new: expected -")
    unasked = edited(lambda result: replace(result, new_jobs=load_edits.without(result, "/psi4/v1")))
    why = "nothing new was asked of /psi4/v1"
    yield Sabotage(JOBS, "not-asked", "nothing new by one method", unasked, why, outcome="unreachable")


def under_load(paths: tuple[str, ...], **fault: object) -> Switch:
    """A load test while the API answers these paths otherwise."""
    return loaded(answers(dict.fromkeys(paths, fault)))


def loaded(broken: Switch) -> Switch:
    """A load test while something is broken; it is mended when the checks look."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        loading.good(world)
        with ExitStack() as more:
            with broken(world):
                more.enter_context(loading.one_more(world))
            yield

    return on


def edited(edit: Callable[[Result], Result], afterwards: Callable[[Path], None] = lambda _: None) -> Switch:
    """The good result with something changed; `afterwards` changes its folder when it is signed."""

    def on(world: World) -> AbstractContextManager[None]:
        return loading.edited(world, edit, afterwards)

    return on


@contextmanager
def _no_worker(world: World) -> Iterator[None]:
    """The process that computes jobs is gone; the API serves what is in the database."""
    worlds.stop(world, WORKER)
    try:
        yield
    finally:
        worlds.start(world, WORKER)


@contextmanager
def ingress_stalls(world: World) -> Iterator[None]:
    """Nginx stands still for two seconds of each eight."""
    (master,) = (server.pid for server in world.servers if server.name == "ingress")
    over = threading.Event()

    def stall() -> None:
        while not over.wait(6):
            workers = psutil.Process(master).children()
            for worker in workers:
                worker.suspend()
            over.wait(2.2)
            for worker in workers:
                worker.resume()

    stalling = threading.Thread(target=stall)
    stalling.start()
    try:
        yield
    finally:
        over.set()
        stalling.join()
