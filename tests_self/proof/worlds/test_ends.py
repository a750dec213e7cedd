"""Any end of a world leaves nothing of it behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests_self.proof.worlds.handling import (
    expect_gone,
    expect_nothing_left,
    family,
    fetch,
    running,
)

from nox_rehearsal.world import leftovers, lifecycle
from nox_rehearsal.world.folder import folder_of
from nox_rehearsal.world.lifecycle import World
from noxgate.look.waiting import eventually

pytestmark = pytest.mark.usefixtures("quick_start")


def test_an_exception_leaves_nothing(names: Callable[[str], str]) -> None:
    pids: list[int] = []

    def fail() -> None:
        with running(names("failing")) as here:
            pids.extend(family(here.supervisor))
            raise RuntimeError(here.name)

    with pytest.raises(RuntimeError):
        fail()
    expect_nothing_left(names("failing"), pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_caller(names: Callable[[str], str], number: signal.Signals) -> None:
    """Ctrl-C, a polite end, and one that the caller never hears of."""
    name = names(f"caller-{number.value}")
    with caller(name) as process:
        here = lifecycle.find(name)
        assert here is not None
        pids = family(here.supervisor)
        process.send_signal(number)
        process.wait(timeout=60)

    eventually(lambda: expect_nothing_left(name, pids), within=60, every=0.05)


def test_a_start_that_is_interrupted_leaves_nothing(names: Callable[[str], str]) -> None:
    name = names("interrupted")
    with caller(name, wait_for="Making the 7.9.3 database") as process:
        pids = leftovers.all_of(folder_of(name))
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)

    assert len(pids) > 0
    expect_nothing_left(name, pids)


@pytest.mark.parametrize("warden", ["warden lives", "warden killed too"])
def test_nothing_outlives_a_killed_supervisor(
    names: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warden: str
) -> None:
    """With a session open in PostgreSQL and a job being computed; the next start clears what is left."""
    slow = tmp_path / "xtb"
    slow.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    name = names("killed")
    here = lifecycle.up(name)
    try:
        queue_xtb_job(here)
        with psycopg.connect(here.dsn):
            eventually(lambda: expect_title(here, "tail -f /dev/null"), within=60, every=0.05)
            titles = {pid: leftovers.title(pid) for pid in family(here.supervisor)}
            if warden == "warden killed too":
                os.kill(pid_of(titles, "nox_rehearsal.world.warden"), signal.SIGKILL)
            os.kill(here.supervisor, signal.SIGKILL)
            if warden == "warden lives":
                eventually(lambda: expect_nothing_left(name, list(titles)), within=60, every=0.05)
            else:
                servers = [pid for pid, title in titles.items() if is_server(title)]
                eventually(lambda: expect_gone(servers), within=60, every=0.05)
                assert here.folder.exists()
        assert pid_of(titles, "nginx: worker process")
        assert pid_of(titles, "postgres: rehearsal nox")
        with running(name) as again:
            expect_gone(list(titles))
            assert fetch(again, "/ready")[0] == 200
    finally:
        lifecycle.down(name)
    assert not here.folder.exists()


def test_processes_that_a_killed_world_left_are_killed(names: Callable[[str], str]) -> None:
    """Only those: a shell in the same folder is somebody's."""
    folder = folder_of(names("left"))
    home = folder / leftovers.HOME
    home.mkdir(parents=True)
    ours = subprocess.Popen(["tail", "-f", "/dev/null"], env={"HOME": str(home / "job"), "PATH": os.defpath})
    theirs = subprocess.Popen(["tail", "-f", "/dev/null"], cwd=folder)
    try:
        assert lifecycle.find(names("left")) is None
        assert ours.wait(timeout=30) == -signal.SIGKILL
        assert theirs.poll() is None
        assert not folder.exists()
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()


def queue_xtb_job(here: World) -> None:
    """A job as the API would queue it."""
    job = {"molecule": "O", "method": "GFN2-xTB", "properties": ["energy"]}
    here.sql(
        "INSERT INTO computational_jobs (engine, input, input_hash) "
        f"VALUES ('xtb', '{json.dumps(job)}', repeat('0', 64))",
        "NOTIFY nox_jobs",
    )


def pid_of(titles: dict[int, str], part: str) -> int:
    return next(pid for pid, title in titles.items() if part in title)


def is_server(title: str) -> bool:
    """What the kernel's death signals end, without the worker, which may have to finish with its database."""
    return "worker" not in title.replace("nginx: worker", "") and "tail" not in title


def expect_title(here: World, title: str) -> None:
    assert title in [leftovers.title(pid) for pid in family(here.supervisor)]


@contextmanager
def caller(name: str, wait_for: str = "up") -> Iterator[subprocess.Popen[str]]:
    """Another process that runs a world; it has said `wait_for` when the block begins."""
    script = (
        "import signal\n"
        "from nox_rehearsal.world import lifecycle as world\n"
        f"with world.running({name!r}, say=lambda line: print(line, flush=True)):\n"
        "    print('up', flush=True)\n"
        "    signal.pause()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith(wait_for):
                    break
            else:
                pytest.fail(f"it ended without saying {wait_for!r}: {''.join(said)}")
            yield process
        finally:
            process.kill()
