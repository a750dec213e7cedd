"""Runs that do not come to their end: crashes, signals, errors of collection and of hooks."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.conftest import PYPROJECT

from noxgate.look.waiting import eventually

if TYPE_CHECKING:
    from tests_self.conftest import Project

SENTENCE = "VALIDATION PASSED - Ready for production deployment!"
STARTED = "from pathlib import Path\nPath('started').touch()\nimport threading\nthreading.Event().wait(600)"

alone_and_xdist = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="xdist")]
)


def start(project: "Project", *arguments: str) -> subprocess.Popen[str]:
    """Start a run whose check `staging.health` waits, and return once it waits."""
    project.check("health", STARTED)
    running = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-m", "staging", "--target", "staging", *arguments],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    started = project.path / "started"
    eventually(lambda: check_exists(started), within=120, every=0.05)
    return running


def check_exists(path: Path) -> None:
    """For `eventually`."""
    assert path.exists()


@alone_and_xdist
def test_control_c_is_inconclusive(project: "Project", workers: tuple[str, ...]) -> None:
    """With the verdict, the lines that were not run, and a whole folder."""
    running = start(project, *workers)

    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=120)

    assert running.returncode == 2
    assert "the run did not come to its end" in output
    assert SENTENCE not in output
    assert project.results()["verdict"] == "INCONCLUSIVE"
    assert project.outcomes()["health"] == "not run"


@pytest.mark.parametrize("hook", ["pytest_runtest_setup(item)", "pytest_runtest_logfinish(nodeid)"])
def test_control_c_in_a_hook_is_no_failure(project: "Project", hook: str) -> None:
    """Of a wrapper in pluggy's old style, as Allure's are: the run ends, and no line is charged with it."""
    (project.path / "tests_staging" / "conftest.py").write_text(
        f"import pytest\n\n@pytest.hookimpl(hookwrapper=True)\n"
        f"def {hook}:\n    yield\n    raise KeyboardInterrupt\n"
    )

    result = project.gate(apart=True)

    assert result.ret == 2
    assert "the run did not come to its end" in result.outlines
    assert "failed" not in project.outcomes().values()


def test_these_projects_take_warnings_as_the_repository_does() -> None:
    """Or what is proven here says nothing about it."""
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    pytest_of = [tomllib.loads(each)["tool"]["pytest"] for each in (text, PYPROJECT)]

    assert pytest_of[0]["filterwarnings"] == pytest_of[1]["filterwarnings"]


def test_kill_leaves_no_verdict_and_the_next_run_clears_up(project: "Project") -> None:
    """A killed run leaves a hidden folder without results; nothing looks like evidence."""
    running = start(project)
    running.kill()
    running.communicate(timeout=120)

    (left,) = project.folders()
    assert left.name.startswith(".running-")
    assert not (left / "results.json").exists()

    project.check("health")
    project.gate()

    assert project.results()["verdict"] == "GO"


def test_folder_of_a_run_that_still_runs_is_left_alone(project: "Project") -> None:
    """Two runs at once do not disturb each other."""
    running = start(project, "-k", "health")
    (project.path / "started").unlink()

    project.check("health")
    assert project.gate().ret == 0
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=120)

    assert len(project.folders()) == 2
    assert all((folder / "results.json").exists() for folder in project.folders())


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_crash_of_a_worker_is_never_go(project: "Project", how: str) -> None:
    """The other checks go on; of the one that crashed nothing is known."""
    project.check("health", how, top="import os")

    result = project.gate("-n", "2")

    assert result.ret == 2
    assert project.outcomes() == {"version": "passed", "health": "not run"}
    assert [line["reason"] for line in project.results()["lines"]] == [
        "",
        "the process that ran this check died",
    ]


def test_crash_under_xdist_does_not_hide_a_failure(project: "Project") -> None:
    """NO-GO stays NO-GO."""
    project.check("health", "os._exit(0)", top="import os")
    project.check("version", "assert False")

    result = project.gate("-n", "2")

    assert result.ret == 1


@pytest.mark.parametrize(
    ("body", "workers"),
    [
        ("raise KeyboardInterrupt", ()),
        ("raise KeyboardInterrupt", ("-n", "2")),
        ("pytest.exit('enough')", ()),
        ("pytest.exit('enough', returncode=0)", ()),
        ("pytest.exit('enough', returncode=0)", ("-n", "2")),
    ],
)
def test_leaving_from_a_check_is_never_go(project: "Project", body: str, workers: tuple[str, ...]) -> None:
    """With any exit status that the check asks for."""
    project.check("health", body)

    result = project.gate(*workers, apart=True)

    assert result.ret in ({2, 3} if workers else {2})
    assert project.results()["verdict"] != "GO"
    assert SENTENCE not in result.outlines


@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param("def broken(:", 4, id="syntax"),
        pytest.param("\0", 4, id="nul"),
        pytest.param("import no_such_module", 2, id="import"),
        pytest.param("raise RuntimeError", 2, id="error"),
        pytest.param("import pytest\npytest.skip('no', allow_module_level=True)", 2, id="module-skip"),
        pytest.param("raise SystemExit(0)", 3, id="exit"),
        pytest.param("raise KeyboardInterrupt", 2, id="interrupt"),
        pytest.param("import pytest\npytest.exit('no', returncode=0)", 2, id="pytest-exit"),
    ],
)
def test_file_that_cannot_be_collected_is_never_go(project: "Project", text: str, status: int) -> None:
    """Its line is not run."""
    project.file("health").write_text(text)

    result = project.gate(apart="Keyboard" in text)

    assert result.ret == status
    assert SENTENCE not in result.outlines


def test_collection_error_under_xdist_is_never_go(project: "Project") -> None:
    """Workers that cannot import a file run nothing of it."""
    project.file("health").write_text("import no_such_module")

    assert project.gate("-n", "2").ret == 2


@alone_and_xdist
def test_error_beside_the_checks_is_never_go(project: "Project", workers: tuple[str, ...]) -> None:
    """A file without checks that cannot be imported: all lines pass, and still something is wrong."""
    project.file("helper").write_text("import no_such_module")

    result = project.gate(*workers, "--continue-on-collection-errors")

    assert result.ret == 2
    assert project.outcomes() == {"version": "passed", "health": "passed"}
    result.stdout.fnmatch_lines(
        [
            "tests_staging/test_helper.py could not be collected: E   ModuleNotFoundError: *no_such_module*",
            "INCONCLUSIVE *",
        ]
    )


@pytest.mark.parametrize(
    "hook",
    [
        "pytest_runtest_logreport(report)",
        "pytest_runtest_protocol(item, nextitem)",
        "pytest_collection_modifyitems(items)",
        "pytest_collection_finish(session)",
    ],
)
def test_error_in_a_hook_is_never_go(project: "Project", hook: str) -> None:
    """Pytest's own status 3, and no GO in the evidence."""
    (project.path / "tests_staging" / "conftest.py").write_text(
        f"def {hook}:\n    raise RuntimeError('hook')\n"
    )

    result = project.gate()

    assert result.ret == 3
    result.stdout.fnmatch_lines(["INCONCLUSIVE  the run broke off: RuntimeError: hook: mend that, *"])
    assert project.results()["verdict"] == "INCONCLUSIVE"
    assert SENTENCE not in result.outlines


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("if True:\n    def test_extra(): pass", id="nested"),
        pytest.param(
            "import unittest\nclass Extra(unittest.TestCase):\n    def test(self): pass", id="unittest"
        ),
        pytest.param("test_extra = lambda: None", id="lambda"),
        pytest.param(
            "import pytest\n@pytest.fixture(params=['p-secret'], autouse=True)\ndef given(): pass",
            id="parameters",
        ),
        pytest.param("import pytest\npytestmark = pytest.mark.parametrize('x', [1])", id="mark"),
    ],
)
def test_items_that_are_no_plain_checks_are_refused(project: "Project", text: str) -> None:
    """What cannot be counted beforehand is not run; a parameter's value is not shown."""
    project.file("health").write_text(project.file("health").read_text() + text)

    result = project.gate()

    assert result.ret in {2, 4}  # 2: an unused parameter is pytest's own error
    assert SENTENCE not in result.outlines
    result.stdout.no_fnmatch_line("*p-secret*")
    result.stderr.no_fnmatch_line("*p-secret*")


def test_shadowed_check_is_refused(project: "Project") -> None:
    """Python forgets the first of two functions of one name: its line would pass by the second's grace."""
    text = project.file("version").read_text()
    project.file("health").write_text(
        text.replace("test_version", "test_health") + project.file("health").read_text()
    )
    project.file("version").unlink()

    result = project.gate()

    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: tests_staging/test_health.py:*: test_health: a second check of this name"]
    )


def test_disk_that_is_full_is_never_go(project: "Project") -> None:
    """Without evidence there is a verdict, and it is not GO."""
    (project.path / "tests_staging" / "conftest.py").write_text(
        "def pytest_configure():\n    raise_it = None\n"
        "def pytest_html_results_summary():\n    raise OSError(28, 'No space left on device')\n"
    )

    result = project.gate()

    assert result.ret == 2
    assert "no evidence: OSError: [Errno 28] No space left on device" in result.outlines
    assert project.folders() == []


def test_own_process_id_is_not_stale() -> None:
    """The test above that clears up depends on /proc."""
    assert Path(f"/proc/{os.getpid()}").exists()
