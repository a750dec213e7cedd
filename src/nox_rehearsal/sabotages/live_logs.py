"""Errors in the logs of green's pods, in each form in which services write them (docs/LOGS.md)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from nox_rehearsal.cluster import server
from nox_rehearsal.cluster.objects import GREEN
from nox_rehearsal.sabotages.in_cluster import edited
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.state import World

After = partial(Sabotage, moment="live")

LINE, STEADY = "live.log-errors", "live.pods-steady"
POD = "nox-api-production-green-3"

TRACEBACK = """\
Traceback (most recent call last):
  File "/app/nox/jobs.py", line 12, in run
    raise KeyError(name)
KeyError: 'boiling_point'"""

# name -> what it is, the line, and a word of the reason
FORMS = {
    "plain": ("one that is no JSON", "2999-01-01 12:00:00,000 CRITICAL nox: no space left", "no space left"),
    "colours": (
        "the level is in colour",
        "\x1b[2m12:00\x1b[0m \x1b[31mERROR\x1b[0m nox: red queue",
        "red queue",
    ),
    "nginx": ("a level of syslog's", "2026/01/01 12:00:00 [emerg] 1#1: no upstream", "no upstream"),
    "pino": ("a number that rises", '{"level":50,"msg":"the pino queue is gone"}', "pino queue"),
    "gelf": (
        "a number that falls",
        '{"version":"1.1","host":"nox","short_message":"gelf queue","level":3}',
        "gelf",
    ),
    "datadog": ("the level is a status", '{"status":"error","message":"the dog is gone"}', "the dog is gone"),
    "telemetry": ("OpenTelemetry's number", '{"severity_number":17,"body":"the span is gone"}', "the span"),
    "klog": ("a letter", "E0101 12:00:00.000000       1 jobs.go:12] the klog queue is gone", "klog queue"),
    "dotnet": (".NET's console", "fail: Nox.Jobs[0]\n      The queue is gone", "The queue is gone"),
    "severe": ("java.util.logging", '{"level":"SEVERE","message":"the java queue is gone"}', "java queue"),
    "traceback": ("an exception that nobody caught", TRACEBACK, "(4 lines)"),
    "java": ("a JVM without memory", "java.lang.OutOfMemoryError: Java heap space", "Java heap space"),
    "go": (
        "a panic",
        "panic: gone\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:3 +0x17",
        "panic: gone",
    ),
    "rust": ("a thread that panicked", "thread 'main' panicked at src/main.rs:2:5:\ngone", "panicked at src"),
    "node": (
        "an error that ends Node",
        "/app/a.js:3\nthrow e;\n^\n\nTypeError: gone\n    at /app/a.js:3:1",
        "a.js:3",
    ),
    "access": ("an answer of an access log", '10.0.0.7 - - [-] "GET /api HTTP/1.1" 500 12', "500 12"),
}


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    critical = {"level": "critical", "message": "the queue does not answer", "pod": POD}
    on_third = _logged(json.dumps(critical))
    yield After(LINE, "third", "one line, on the third pod", on_third, "the queue does not")
    for name, (what, text, because) in FORMS.items():
        yield After(LINE, name, what, _logged(text), because)
    died = _restarted(f'{{"level": "info", "message": "started"}}\n{TRACEBACK}\n')
    yield After(LINE, "before", "what it said before it restarted", died, "boiling_point", (STEADY,))
    gone = _restarted(None)
    unseen = partial(After, outcome="unreachable")
    yield unseen(LINE, "gone", "it restarted, and the log before is gone", gone, "before is gone", (STEADY,))
    yield unseen(LINE, "rotated", "a busy node has thrown lines away", _rotated, "rotated away")


def _logged(text: str) -> Switch:
    """A pod has written this."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.folder / "log" / f"{POD}.log"
        before = path.stat().st_size
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")
        try:
            yield
        finally:
            whole = path.read_text(encoding="utf-8").replace(f"{text}\n", "")
            with path.open("r+b") as log:  # its process goes on to write at the end
                log.truncate(before)
                log.seek(before)
                log.write(whole.encode()[before:])

    return on


@contextmanager
def _rotated(world: World) -> Iterator[None]:
    """A pod's log begins with a line of now."""
    path = world.folder / "log" / f"{POD}.log"
    before = path.read_bytes()
    now = {"time": datetime.now(UTC).isoformat(), "level": "info", "message": "a new file", "pod": POD}
    with path.open("r+b") as log:  # its process goes on to write at the end
        log.truncate(0)
        log.write(json.dumps(now).encode() + b"\n")
    try:
        yield
    finally:
        with path.open("r+b") as log:
            after = log.read()
            log.seek(0)
            log.write(before + after)


def _restarted(logged: str | None) -> Switch:
    """A pod restarted a moment ago; its node has the log of the run before, or has not."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        previous = world.folder / "log" / f"{POD}.previous.log"
        if logged is not None:
            previous.write_text(logged, encoding="utf-8")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        terminated = {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}
        patch = [
            {"op": "replace", "path": "/status/containerStatuses/1/restartCount", "value": 1},
            {
                "op": "add",
                "path": "/status/containerStatuses/1/lastState",
                "value": {"terminated": terminated},
            },
        ]
        try:
            with _placed(world, previous), edited("Pod", POD, patch, namespace=GREEN, status=True)(world):
                yield
        finally:
            previous.unlink(missing_ok=True)

    return on


@contextmanager
def _placed(world: World, previous: Path) -> Iterator[None]:
    """The stand-in knows where a log of the run before would be."""
    path = world.folder / server.NAME / "settings.json"
    before = path.read_text(encoding="utf-8")
    settings: dict[str, Any] = json.loads(before)
    settings["pods"][f"{GREEN}/{POD}"]["previous_log"] = str(previous)
    _replace(path, json.dumps(settings))
    try:
        yield
    finally:
        _replace(path, before)


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
