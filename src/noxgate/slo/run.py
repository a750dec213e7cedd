"""`noxgate load`: a load test as a process of its own, watched, judged and kept."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from noxgate.errors import NoxgateError, UnreachableError
from noxgate.look.http import asked
from noxgate.look.observation import Patience, shortened
from noxgate.look.secret_forms import redacted
from noxgate.look.written.harmless import ReportScrubber
from noxgate.project.keys.places import ON_PRODUCTION
from noxgate.project.runbook import Runbook
from noxgate.project.target import Target
from noxgate.slo.plan import CLASSES, PLAN, STOP_TIMEOUT, TOKEN, Plan, write_plan
from noxgate.slo.ramps import Ramp
from noxgate.slo.result import NAME, Result, ResultError, folder_name, read, write
from noxgate.slo.slos import limits_by_class, read_slos

CONNECT = 300  # seconds that a master waits for its workers
UI_SECONDS = 3600.0
LATEST = 60.0  # seconds beyond the ramp and its last requests, and the process is ended
LAST_WORDS = 600  # characters
NOT_FOR_IT = ("LOCUST_", "NOXGATE_SIGNING_KEY")  # what the variables begin with
LOOKS = 5  # at the target's version
LONGEST_LOOK = 15.0  # seconds
SUCCESS = range(200, 300)

Tell = Callable[[Mapping[str, Any]], None]


class LoadError(NoxgateError):
    """The load test may or can not run like this: one line."""


class NoResultError(NoxgateError):
    """The load test ended without a result: one line."""


@dataclass(frozen=True)
class Processes:
    """Who sends: `count` processes, of this machine or (with `bind`) workers elsewhere that connect to it.

    With `worker`, the master's HOST:PORT, this is one of those. With `ui` Locust's own web page drives it.
    """

    count: int = 1
    bind: str = ""
    worker: str = ""
    ui: int = 0  # the port of that page


def refused(target: Target, runbook: Runbook) -> str | None:
    """Why this target may not be put under load; None if it may."""
    phases = {name for name, phase in runbook.phases.items() if phase.serves_users}
    serves_users = phases & set(target.serves)
    if serves_users and target.load != ON_PRODUCTION:
        return (
            f"{target.name} serves users: a load test there is refused, unless its profile says "
            f'load = "{ON_PRODUCTION}"'
        )
    if not target.load:
        return f"{target.path.name} does not allow it: expected load = true, saw {str(target.load).lower()}"
    return None


def run(
    root: Path,
    target: Target,
    runbook: Runbook,
    ramp: Ramp,
    processes: Processes,
    tell: Tell,
    nonce: str = "",
) -> Result | None:
    """Run one load test to its end; `tell` is given its progress about once a second.

    The result bears the `nonce`, as the generator was told it: a result of another run does not count.

    None for a worker, whose master has the result, and where Locust's page drives it.
    Raises UnreachableError if the target does not answer before it or the test token expires within it,
    NoResultError if it ends without one.
    """
    # what is under way at its end is asked with it, too, by a target whose clock may be ahead
    end = ramp.seconds + STOP_TIMEOUT + LATEST + (CONNECT if processes.bind else 0)
    token = target.credential("test_token", seconds=0 if processes.ui else end).reveal()
    version = answered_version(target)
    limits = limits_by_class(read_slos(runbook.lines), CLASSES)
    with tempfile.TemporaryDirectory(prefix="noxgate-load-") as name:
        folder = Path(name)
        told, telling = os.pipe()
        plan = Plan(
            target.name,
            target.base_url,
            target.rehearsal,
            runbook.release.version,
            version,
            target.ca_file,
            ramp,
            limits,
            processes.count,
            folder / NAME,
            telling,
            nonce=nonce,
            ui=bool(processes.ui),
        )
        write_plan(folder / "plan.json", plan)
        # Locust would take any of its options from a variable of that name; and it signs nothing.
        mine = {name: value for name, value in os.environ.items() if not name.startswith(NOT_FOR_IT)}
        environment = mine | {
            PLAN: str(folder / "plan.json"),
            TOKEN: token,
            "PYTHONPATH": str(root),
        }
        command = [sys.executable, "-m", "locust", "-f", str(root / "load" / "locustfile.py")]
        command += [*_options(processes), "--host", target.base_url]
        command += ["--loglevel", "WARNING", "--stop-timeout", str(STOP_TIMEOUT)]
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(
                command, cwd=root, env=environment, stdout=said, stderr=said, stdin=subprocess.DEVNULL,
                pass_fds=(telling,), start_new_session=True,
            )  # fmt: skip
        os.close(telling)
        with os.fdopen(told, encoding="utf-8") as progress:
            longest = UI_SECONDS if processes.ui else ramp.seconds + CONNECT + STOP_TIMEOUT + LATEST
            _follow(process, progress, tell, longest)
        if processes.worker or processes.ui:
            return None
        try:
            result = read(plan.result)
        except ResultError:
            words = " ".join((folder / "said").read_text(errors="replace").split())[-LAST_WORDS:]
            words = ReportScrubber(target.secrets()).scrub(words)
            raise NoResultError(
                f"the load test ended without a result (status {process.returncode}): {words}"
            ) from None
        if result.nonce != nonce:
            raise NoResultError("the load test left the result of another run: run it again")
    return _same_version(target, result)


def answered_version(target: Target) -> str:
    """What the target says it is. Raises UnreachableError if it does not answer, or not with a version."""
    url = f"{target.base_url}/version"
    expected = f"{url}: expected a version before the load test, saw"
    patience = Patience(url, look=LONGEST_LOOK)
    try:
        for _ in range(LOOKS):
            answer = patience.run(lambda: asked(url, target.ca_file, proxies=not target.rehearsal))
            if answer.status in SUCCESS:  # one that fails now and then is for the load test to judge
                break
        if answer.status not in SUCCESS:
            raise UnreachableError(f"{expected} HTTP {answer.status}: {shortened(answer.text, 160)}")
        return answer.field("version", str)
    except ConnectionError as error:
        raise UnreachableError(f"{expected} {error}") from None
    except AssertionError as error:
        raise UnreachableError(f"{url}: before the load test: {error}") from None


def keep(
    result: Result,
    folder: Path,
    *,
    show: Callable[[Path], None] = lambda _: None,
    sign: Callable[[Path], None] = lambda _: None,
) -> Path:
    """Write a result into its own folder below `folder`, whole or not at all; returns it.

    `show` draws into the folder, `sign` signs what is in it then: also where nothing could be drawn.
    """
    name = folder_name(result)
    final = folder / name
    draft = folder / f".{name}"
    draft.mkdir(parents=True)
    write(draft / NAME, result)
    try:
        show(draft)
    finally:
        sign(draft)
        draft.rename(final)
    return final


def _same_version(target: Target, result: Result) -> Result:
    try:
        after = answered_version(target)
    except UnreachableError as error:
        return replace(result, problems=(*result.problems, redacted(f"after it: {error}")))
    if after == result.version:
        return result
    return replace(
        result, problems=(*result.problems, f"the target was {result.version} before it and {after} after it")
    )


def _follow(process: subprocess.Popen[bytes], progress: Iterable[str], tell: Tell, latest: float) -> None:
    """Hand on its progress until it ends; Ctrl-C ends it early, and it still writes what it has."""
    too_late = threading.Timer(latest, _kill, [process])
    too_late.daemon = True
    too_late.start()
    try:
        try:
            _hand_on(progress, tell)
        except KeyboardInterrupt:
            process.terminate()
            _hand_on(progress, tell)
        process.wait()
    finally:
        too_late.cancel()
        _kill(process)


def _hand_on(progress: Iterable[str], tell: Tell) -> None:
    for line in progress:
        with suppress(ValueError):  # cut by an end in the middle of a line
            tell(json.loads(line))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and every process that it started: they are one session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _options(processes: Processes) -> list[str]:
    if processes.worker:
        host, _, port = processes.worker.rpartition(":")
        return ["--worker", "--master-host", host, "--master-port", port]
    if processes.ui:
        return ["--web-host", "127.0.0.1", "--web-port", str(processes.ui)]
    options = ["--headless", "--only-summary"]
    if processes.bind:
        host, _, port = processes.bind.rpartition(":")
        options += ["--master", "--expect-workers", str(processes.count)]
        options += ["--expect-workers-max-wait", str(CONNECT)]
        return [*options, "--master-bind-host", host, "--master-bind-port", port]
    if processes.count > 1:
        port = str(free_port())
        options += ["--processes", str(processes.count)]
        options += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        options += ["--master-host", "127.0.0.1", "--master-port", port]
    return options


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
