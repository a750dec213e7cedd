"""A test that asks to be alone has no other beside it, and two that ask do not wait for each other."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEST = """
import sys
from contextlib import nullcontext
from pathlib import Path
from noxgate.look.waiting import pause
from tests_self import turns

folder, way, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
turns.RUNNING, turns.DOOR = folder / "running", folder / "door"


def say(what):
    with (folder / "log").open("a") as log:
        log.write(f"{what} {way}\\n")


with turns.beside_others():
    print("running", flush=True)
    sys.stdin.readline()
    with turns.alone() if way != "beside" else nullcontext():
        say("begins")
        pause(seconds)
        say("ends")
"""


def test_alone(tmp_path: Path) -> None:
    """Three run at once; then two of them ask to be alone, and the third ends of itself."""
    for folder in ("running", "door"):
        (tmp_path / folder).mkdir()

    running = [
        subprocess.Popen(
            [sys.executable, "-c", TEST, tmp_path, way, seconds],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for way, seconds in [("beside", "0.5"), ("alone, first", "0.1"), ("alone, second", "0.1")]
    ]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "running\n"
    for one in reversed(running):
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in running:
        one.communicate(timeout=120)

    assert [one.returncode for one in running] == [0, 0, 0]
    said = (tmp_path / "log").read_text().splitlines()
    assert said[:2] == ["begins beside", "ends beside"]
    assert {tuple(said[2:4]), tuple(said[4:])} == {
        ("begins alone, first", "ends alone, first"),
        ("begins alone, second", "ends alone, second"),
    }
