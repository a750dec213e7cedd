"""Worlds of several checkouts, and one that stays up until it is ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests_self.proof.worlds.handling import expect_nothing_left, family, fetch

from nox_rehearsal.world import leftovers, lifecycle
from nox_rehearsal.world.folder import PARENT, folder_of
from nox_rehearsal.world.lifecycle import World

pytestmark = pytest.mark.usefixtures("quick_start")

ROOT = Path(__file__).parents[3]


def test_two_checkouts_do_not_share_a_rehearsal(tmp_path: Path) -> None:
    """Of one user, and of one name: the other neither sees it, nor ends it, nor has its profile."""
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other")
    try:
        rehearse(one, "up")
        here = World.load(one.folder)
        assert rehearse(other, "status", expected=1).startswith("nothing is up")
        assert rehearse(other, "down") == "nothing was up\n"

        assert one.folder != other.folder
        assert f"pid {here.supervisor}" in rehearse(one, "status")  # its exit status: every part lives
        assert (one.root / "targets" / "rehearsal.toml").read_text() == here.profile.read_text()
        assert list((other.root / "targets").iterdir()) == []
        assert not other.folder.exists()
    finally:
        ended = rehearse(one, "down")
    assert ended == "stopped\n"
    assert leftovers.all_of(one.folder) == []
    assert not one.folder.exists()


def test_what_a_killed_rehearsal_left_is_cleared_by_its_own_checkout(tmp_path: Path) -> None:
    """Not by another, which cannot know whose it is."""
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other")
    home = one.folder / leftovers.HOME
    home.mkdir(parents=True)
    profile = one.root / "targets" / "rehearsal.toml"
    profile.write_text(f"# of {one.folder}\n")
    left = subprocess.Popen(["tail", "-f", "/dev/null"], env={"HOME": str(home), "PATH": os.defpath})
    try:
        rehearse(other, "status", expected=1)
        assert left.poll() is None
        assert profile.exists()
        rehearse(one, "status", expected=1)
        assert left.wait(timeout=30) == -signal.SIGKILL
        assert not one.folder.exists()
        assert not profile.exists()
    finally:
        left.kill()
        left.wait()


def test_a_checkout_has_one_folder_whichever_way_leads_to_it(tmp_path: Path) -> None:
    """Short enough for a socket in it, whoever the user is; without a checkout it is as it ever was."""
    one = checkout(tmp_path / "one")
    (tmp_path / "link").symlink_to(one.root)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "src").symlink_to(one.root / "src")
    longest = str(folder_of("n" * 32)).replace(f"-{os.getuid()}-", f"-{2**32 - 1}-")

    assert folder_in(tmp_path / "link") == one.folder
    assert len(f"{longest}/control") <= 107 - 20  # 20 for deeper ones
    assert folder_in(bare) == PARENT / f"noxgate-{os.getuid()}-rehearsal"


def test_up_stays_until_down(names: Callable[[str], str]) -> None:
    """The world outlives the process that brought it up."""
    name = names("detached")
    script = f"from nox_rehearsal.world import lifecycle as world; print(world.up({name!r}).base_url)"
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    here = lifecycle.find(name)
    try:
        assert here is not None
        assert here.base_url == printed.strip()
        assert fetch(here, "/ready")[0] == 200
        pids = family(here.supervisor)
    finally:
        ended = lifecycle.down(name)

    assert ended
    expect_nothing_left(name, pids)
    assert lifecycle.down(name) is False
    assert lifecycle.status(name) == []


@dataclass(frozen=True)
class Checkout:
    """A project's folder, and where its rehearsal lives."""

    root: Path
    folder: Path


def checkout(root: Path) -> Checkout:
    """A checkout with targets of its own; all the rest is this one's."""
    (root / "targets").mkdir(parents=True)
    for entry in ROOT.iterdir():
        if entry.name not in {"targets", "reports"}:
            (root / entry.name).symlink_to(entry)
    return Checkout(root, folder_in(root))


def folder_in(root: Path) -> Path:
    """Where the code of this checkout has the rehearsal of the usual name."""
    script = "from nox_rehearsal.world.folder import DEFAULT, folder_of; print(folder_of(DEFAULT))"
    return Path(in_checkout(root, "-c", script).stdout.strip())


def rehearse(where: Checkout, step: str, *, expected: int = 0) -> str:
    """What `noxgate rehearse STEP` says in a checkout."""
    done = in_checkout(where.root, "-m", "noxgate.cli", "rehearse", step)
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def in_checkout(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with that checkout's code."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
