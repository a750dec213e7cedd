"""Starts of a world that go wrong: each is one line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_self.proof.worlds.handling import (
    expect_nothing_left,
)

from nox_rehearsal.error import PortTakenError, RehearsalError
from nox_rehearsal.parts import redis
from nox_rehearsal.world import leftovers, lifecycle
from nox_rehearsal.world.folder import folder_of
from nox_rehearsal.world.ports import free_ports, reserved
from nox_rehearsal.world.processes import Crew, Part

pytestmark = pytest.mark.usefixtures("quick_start")


def test_a_taken_port_is_told_from_other_faults(tmp_path: Path) -> None:
    with reserved(1) as (port,):
        crew = Crew(tmp_path)
        try:
            for part, password in (("first", "a" * 16), ("second", "b" * 16)):
                (tmp_path / part).mkdir()
                prepared = redis.prepare(tmp_path / part, port, password)
                crew.launch(Part(part, "", prepared.command, prepared.folder, prepared.serves))
            crew.wait_for("first")
            with pytest.raises(PortTakenError, match=r"second did not start: .*Address already in use"):
                crew.wait_for("second")
        finally:
            crew.stop_all()


def test_planned_parts_start_when_they_are_named(tmp_path: Path) -> None:
    """Until then they are not among the parts that are up, and nothing says that they have died."""
    crew = Crew(tmp_path)
    try:
        for name in ("first", "second"):
            crew.plan(Part(name, "", ("sleep", "60"), tmp_path, lambda: None))
        assert crew.parts() == []
        crew.stop("first")

        crew.start("first", "second")
        assert [part.name for part in crew.parts()] == ["first", "second"]
        assert crew.is_running("first")
        assert crew.is_running("second")
        pids = crew.pids()
        crew.start("first")
        assert crew.pids() == pids
    finally:
        crew.stop_all()


def test_a_lost_race_for_a_port_starts_again(names: Callable[[str], str]) -> None:
    """The first choice is a port that another server has; the second choice is honest."""
    (taken,) = free_ports(1)
    patch = f"""
import socket
from nox_rehearsal.world import plan
other = socket.create_server(("127.0.0.1", {taken}))
honest, calls = plan.free_ports, []
def free_ports(count):
    calls.append(count)
    return [{taken}, *honest(count - 1)] if len(calls) == 1 else honest(count)
plan.free_ports = free_ports
"""
    messages = daemon(names("race"), patch)

    assert messages[-1] == {"ready": True}
    said = [message["say"].partition(" ")[0] for message in messages if "say" in message]
    assert said.count("Starting") == 1  # with the second choice alone


def test_a_missing_program_is_one_line(names: Callable[[str], str]) -> None:
    patch = """
from noxgate.machine import doctor
honest = doctor.find
doctor.find = lambda name: None if name == "nginx" else honest(name)
"""
    *_, last = daemon(names("missing"), patch)

    assert last == {
        "error": "no program nginx on this machine: sudo apt-get install --no-install-recommends nginx-light"
    }


def test_a_part_that_cannot_start_is_one_line_with_its_last_words(names: Callable[[str], str]) -> None:
    patch = """
from nox_rehearsal.parts import pods
from nox_rehearsal.world import build
honest = pods.prepare
def prepare(folder, deployment):
    deployment.environment["SECRET_KEY"] = ""
    return honest(folder, deployment)
pods.prepare = prepare
"""
    *_, last = daemon(names("refusing"), patch)

    assert "\n" not in last["error"]
    assert last["error"].startswith("nox-api-green-1 did not start: ended with exit status 2: ")
    assert last["error"].endswith("SECRET_KEY is not set")


def test_a_migration_that_fails_is_one_line(names: Callable[[str], str], tmp_path: Path) -> None:
    """Without ON_ERROR_STOP psql would go on to the end and report success."""
    script = tmp_path / "bad.sql"
    script.write_text("SELECT 1/0;\nCREATE TABLE after_it (n int);\n")
    patch = f"""
from pathlib import Path
from nox_rehearsal.world import build
build.release.MIGRATION = Path({str(script)!r})
"""
    *_, last = daemon(names("migration"), patch)

    assert last["error"].startswith("psql-bad failed: ")
    assert "division by zero" in last["error"]


def test_the_default_name_is_the_projects_target(names: Callable[[str], str], tmp_path: Path) -> None:
    """Its profile is in the project's targets while it is up, and only then."""
    published = tmp_path / "rehearsal.toml"
    patch = f"""
from pathlib import Path
from nox_rehearsal.world import folder, daemon
folder.DEFAULT = {names("default")!r}
folder._TARGETS = Path({str(tmp_path)!r})
honest = daemon._obey
def obey(crew, world, *arguments, **options):
    assert Path({str(published)!r}).read_text() == world.profile.read_text()
    honest(crew, world, *arguments, **options)
daemon._obey = obey
"""
    messages = daemon(names("default"), patch)

    assert messages[-1] == {"ready": True}
    assert not published.exists()


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(RehearsalError, match=r"saw '\.\./elsewhere'"):
        folder_of("../elsewhere")


def test_a_supervisor_that_breaks_is_one_line(
    names: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that was not foreseen is reported, too."""
    broken = (sys.executable, "-c", "raise RuntimeError('broken on purpose')")
    monkeypatch.setattr(lifecycle, "python", lambda *_: broken)

    with pytest.raises(RehearsalError, match=r"supervisor ended with exit status 1 .*: broken on purpose$"):
        lifecycle.up(names("broken"))


def daemon(name: str, patch: str) -> list[dict[str, Any]]:
    """What a supervisor that was patched says until it is ready or gives up; nothing of it may be left."""
    script = (
        f"{patch}\nfrom nox_rehearsal.world import daemon\n"
        f"raise SystemExit(daemon.main([{name!r}, '--leash']))"
    )
    command = [sys.executable, "-c", script]
    messages: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            messages.append(json.loads(line))
            if not messages[-1].keys() <= {"say"}:
                break
        pids = leftovers.all_of(folder_of(name))
    expect_nothing_left(name, pids)
    return messages
