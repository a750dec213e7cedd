"""The scratch server, a real PostgreSQL: it ends with us in each way, and leaves nothing."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.machine.doctor import program
from noxgate.trials import scratch
from noxgate.trials.scratch import ScratchServer

MAJOR = int(program("postgres").parents[1].name)
HOLD = """
import sys
from pathlib import Path
from noxgate.trials import scratch
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs
scratch.PARENT = Path(sys.argv[2])
server = ScratchServer(programs(int(sys.argv[1])))
print(server.folder, flush=True)
sys.stdin.read()
server.close()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the server's user can reach, for data of servers that are ended in odd ways."""
    home = Path(tempfile.mkdtemp(prefix="noxgate-self-", dir=scratch.PARENT))
    home.chmod(0o1777)  # as /var/tmp: its user must be able to remove it, too
    yield home
    shutil.rmtree(home)


def begun(home: Path) -> None:
    assert list(home.glob("*/data")) != []


def left(home: Path) -> None:
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("how", ["closed", "interrupted", "killed"])
def test_server_ends_with_us(how: str, home: Path) -> None:
    """In each way in which we end: no process, no file."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(MAJOR), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    assert Path(f"/proc/{postmaster}").exists()

    if how == "closed":
        process.communicate("")
    else:
        os.killpg(process.pid, signal.SIGINT if how == "interrupted" else signal.SIGKILL)
        process.communicate()

    def gone() -> None:
        assert not folder.exists()
        assert not Path(f"/proc/{postmaster}").exists()

    eventually(gone, within=60, every=0.05)


@pytest.mark.parametrize("moment", [0.02, 0.6])
def test_server_ends_with_us_while_it_starts(moment: float, home: Path) -> None:
    """At any moment at which we are killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(MAJOR), str(home)], stdin=subprocess.PIPE
    ) as process:
        eventually(lambda: begun(home), within=60, every=0.01)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(moment)
        process.kill()

    eventually(lambda: left(home), within=60, every=0.05)


def test_server_that_cannot_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own words, and nothing is left."""
    monkeypatch.setattr(scratch, "PARENT", home / "data")
    (home / "data").mkdir()
    (home / "data").chmod(0o1777)
    (home / "initdb").write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    (home / "initdb").chmod(0o755)

    with pytest.raises(UnreachableError, match="the scratch server did not start: no space left"):
        ScratchServer(home)

    left(home / "data")
