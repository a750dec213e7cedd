"""Each worker of xdist is given what it has the servers for, and what is timed comes first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests_self import scheduling
from tests_self.scheduling import LOAD, REHEARSAL, TIMED

ROOT = Path(__file__).parents[3]
FAST = "tests_self/fast/suite/test_words.py"
WORLDS = "tests_self/proof/worlds/test_ends.py"
ONE = f"{REHEARSAL}test_down.py::test_ingress_down"
ALL = [FAST, TIMED, WORLDS, LOAD, ONE]


@pytest.mark.parametrize(
    ("place", "order"),
    [
        (0, [TIMED, LOAD, ONE, WORLDS, FAST]),
        (1, [ONE, WORLDS, FAST, LOAD, TIMED]),
        (2, [FAST]),
        (11, [FAST]),
    ],
)
def test_order(place: int, order: list[str]) -> None:
    left, given = list(ALL), []
    while (scope := scheduling.choose(place, left)) is not None:
        left.remove(scope)
        given.append(scope)

    assert given == order


def test_scopes() -> None:
    """By which a file's tests stay together, all load tests do, and others of a rehearsal go anywhere."""
    assert scheduling.scope(f"{FAST}::test_words") == FAST
    assert scheduling.scope(f"{TIMED}test_oracle.py::test_a") == TIMED
    assert scheduling.scope(ONE) == ONE
    assert scheduling.scope(f"{REHEARSAL}test_sabotages.py::test_sabotage[staging.slo-p95:303-ms]") == LOAD
    assert scheduling.scope(f"{REHEARSAL}test_ci_gate.py::test_go_from_a_clean_clone") == LOAD


@pytest.mark.parametrize(
    ("worker", "more"),
    [("gw0", 0), ("gw1", 0), ("gw2", scheduling.LATER), ("gw3", 0)],  # of three; the last replaces one
)
def test_who_gives_way(worker: str, more: int) -> None:
    """It and its children, in a session of their own, for which Linux may share the processor."""
    program = (
        "import os, subprocess, sys; from tests_self import scheduling; scheduling.give_way(sys.argv[1], 3);"
        "print(os.nice(0), os.getsid(0) == os.getpid());"
        "subprocess.run([sys.executable, '-c', 'import os; print(os.nice(0))'], check=True)"
    )
    own = str(os.nice(0) + more)

    said = subprocess.run(
        [sys.executable, "-u", "-c", program, worker], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert said.split() == [own, str(bool(more)), own]


SUITE = {
    "conftest.py": f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from noxgate.look.waiting import eventually
from tests_self import scheduling

HERE = Path(__file__).parent

def expect_the_last():
    assert (HERE / "gw2").exists()

def pytest_xdist_make_scheduler(config, log):
    return scheduling.ByServers(config, log)

def pytest_configure(config):  # where a file says so, the last worker starts first
    worker = getattr(config, "workerinput", {{}}).get("workerid")
    if worker in {{"gw0", "gw1"}} and (HERE / "late").exists():
        eventually(expect_the_last, within=120)

def pytest_collection(session):
    worker = getattr(session.config, "workerinput", {{}}).get("workerid", "main")
    (HERE / worker).touch()
""",
    f"{REHEARSAL}test_day.py": """
import os, pytest
from pathlib import Path

@pytest.mark.parametrize("number", range(6))
def test_day(number, request):
    dies = Path(request.config.rootpath, f"dies-{number}")
    if dies.exists():
        os._exit(3)
""",
    "tests_self/fast/test_fast.py": """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_fast(number):
    pass
""",
}


@pytest.mark.parametrize(
    ("workers", "dies", "asked", "passed"),
    [
        ("3", "5", [], 8),  # the last test: no other worker is left that has a rehearsal
        ("1", "1", [], 8),
        ("3", "late", [f"{REHEARSAL}test_day.py::test_day[0]"], 1),
    ],
)
def test_every_test_is_run_once(
    tmp_path: Path, workers: str, dies: str, asked: list[str], passed: int
) -> None:
    """Whichever worker dies, and in which test."""
    for name, text in SUITE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pytest.ini").touch()
    if dies:
        (tmp_path / (dies if dies == "late" else f"dies-{dies}")).touch()
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in [name for name in environment if name.startswith(("PYTEST_XDIST", "PYTEST_ADDOPTS"))]:
        del environment[name]

    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", f"-n{workers}", "--import-mode=importlib"]
    done = subprocess.run(
        [*command, *asked],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    failed = dies not in {"", "late"}
    assert done.returncode == int(failed), done.stdout
    said = [f"{int(failed)} failed"] * failed + [f"{passed} passed"] * bool(passed)
    assert f"{', '.join(said)} in " in done.stdout
