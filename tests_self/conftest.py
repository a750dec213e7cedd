"""What the suite's own tests are given: a small project to run the plugin in."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from tests_self import forked, scheduling, turns
from tests_self.authority import Authority
from tests_self.forked import preloaded
from tests_self.loopback import Loopback
from tests_self.service import TABLE

pytest_plugins = ["pytester"]
sys.path.append(str(Path(__file__).parents[1]))  # for load/ and benchmarks/, whichever tests are asked for
preloaded.modules()  # what a run inside this process imports late, it would take away again
preloaded.freeze()

# Without the plugins that its checks have no use for: each run in this process would import them anew.
PYPROJECT = r"""
[tool.pytest]
strict = true
addopts = [
    "-p", "noxgate.plugin", "-p", "no:locust", "--import-mode=importlib",
    "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:platformdirs",
]
testpaths = ["tests_staging", "tests_production"]
markers = ["runbook(id): line"]
filterwarnings = [
    "error",
    "default::pytest.PytestConfigWarning",
    'ignore:unclosed <ssl\.SSLSocket fd=\d+, family=\S+ type=\S+ proto=\d+, laddr=\([^)]*\)>:ResourceWarning',
    "ignore::pluggy.PluggyTeardownRaisedWarning",
]
"""

RUNBOOK = f"""
[release]
version = "8.0.0"
date = 2025-08-15
schema = "schema.toml"

{TABLE}
[phase.staging]
title = "Staging"
budget_minutes = 15
folder = "tests_staging"
validates = true
[phase.live]
title = "Live"
budget_minutes = 15
folder = "tests_production"
marker = "production"
"""

LINE = """
[{line}]
ref = "RB-2.{number}"
kind = "auto"
section = "2. Staging > {line}"
seed = [{number}]
expected = "/{line} is {{version}}"
next = "Redeploy {{version}}, then: pytest -m staging --target {{target}}"
"""

PROFILE = """
serves = ["staging"]
base_url = "https://localhost:9"
namespace = "nox-staging-green"
[credentials]
test_token = "TEST_TOKEN"
admin_token = "ADMIN_TOKEN"
database_url = "DATABASE_URL"
redis_url = "REDIS_URL"
[oauth.google]
client_id = "client"
"""

CHECK = """
import pytest
from noxgate.look.observation import Observation
from noxgate.errors import NotCountedError, UndecidedError, UnreachableError
{top}
{decorator}
@pytest.mark.runbook("{line}")
def test_{name}({arguments}):
{body}
"""
LOOK = 'observe(Observation("saw {line}", "curl {line}"))\n'

# What could make a run of the small project look elsewhere, or differently.
VARIABLES = (
    *("BASE_URL", "NAMESPACE", "NOXGATE_TARGET", "DATABASE_URL", "REDIS_URL", "TEST_TOKEN", "ADMIN_TOKEN"),
    "NOXGATE_SIGNING_KEY",
    *("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "PYTEST_XDIST_WORKER_COUNT"),
)


def pytest_configure(config: pytest.Config) -> None:
    """All workers of xdist fork from one process, which is ready before they are needed."""
    if hasattr(config, "workerinput"):
        scheduling.give_way(config.workerinput["workerid"], config.workerinput["workercount"])
        return
    if not getattr(config.option, "numprocesses", None):
        return
    stack = ExitStack()
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    os.environ[forked.VARIABLE] = str(stack.enter_context(forked.interpreter(Path(folder))))
    stack.callback(os.environ.pop, forked.VARIABLE)
    config.add_cleanup(stack.close)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Who is given which tests."""
    return scheduling.ByServers(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what is timed, last the rehearsal, whose worlds stay up and are put under load."""
    items.sort(key=_turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """With its set-up: what a load test that is tried again waits for."""
    with turns.beside_others():
        return (yield)


def _turn(item: pytest.Item) -> int:
    folder, file = item.path.parent.name, item.path.name
    if folder == "noxgate_load":
        return 0 if file == "test_oracle.py" else 1  # whose milliseconds are k6's, too
    return {"worlds": 3, "rehearsal": 4}.get(folder, 2)


class Project:
    """Two staging lines with a passing check each, and the targets `staging` and `rehearsal`."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self._lines = 0
        for folder in ("tests_staging", "tests_production", "targets"):
            (self.path / folder).mkdir()
        (self.path / "pyproject.toml").write_text(PYPROJECT)
        (self.path / "runbook.toml").write_text(RUNBOOK)
        (self.path / "targets" / "staging.toml").write_text(PROFILE)
        (self.path / "targets" / "rehearsal.toml").write_text("rehearsal = true\n" + PROFILE)
        self.check("version")
        self.check("health")

    def line(self, line: str, more: str = "") -> None:
        """Add a line to the runbook."""
        self._lines += 1
        with (self.path / "runbook.toml").open("a") as file:
            file.write(LINE.format(line=line, number=self._lines) + more + "\n")

    def check(
        self,
        name: str,
        body: str = "pass",
        *,
        looks: bool = True,
        top: str = "",
        decorator: str = "",
        arguments: str = "observe",
    ) -> None:
        """Write the check of `staging.<name>`, and its line unless it is there."""
        line = f"staging.{name}"
        if f"[{line}]" not in (self.path / "runbook.toml").read_text():
            self.line(line)
        body = (LOOK.format(line=line) if looks else "") + dedent(body)
        text = CHECK.format(
            line=line, name=name, top=top, decorator=decorator, arguments=arguments, body=indent(body, "    ")
        )
        self.file(name).write_text(text)

    def file(self, name: str) -> Path:
        """The file of a check."""
        return self.path / "tests_staging" / f"test_{name}.py"

    def gate(self, *arguments: str, apart: bool = False) -> pytest.RunResult:
        """Run the staging phase on the target `staging`."""
        return self.run("-m", "staging", "--target", "staging", *arguments, apart=apart)

    def run(self, *arguments: str, apart: bool = False) -> pytest.RunResult:
        """Run pytest in this process; in one of its own if `apart`, or where xdist is asked for."""
        if apart or "-n" in arguments:
            return self.pytester.runpytest_subprocess(*arguments)
        return self.pytester.runpytest_inprocess(*arguments)

    def folders(self) -> list[Path]:
        """The run folders, whole or not, in order of their names."""
        return sorted(self.path.glob("reports/*/*"))

    def results(self) -> Any:
        """The results.json of the one run that there was."""
        (folder,) = self.folders()
        return json.loads((folder / "results.json").read_text())

    def outcomes(self) -> dict[str, str]:
        """Outcome by line of the one run that there was."""
        return {line["id"].partition(".")[2]: line["outcome"] for line in self.results()["lines"]}


@pytest.fixture(scope="session")
def interpreter() -> Iterator[str]:
    """To call in place of `sys.executable`: runs of pytest and of the gate do not start from nothing."""
    if forked.VARIABLE in os.environ:
        yield os.environ[forked.VARIABLE]
        return
    with tempfile.TemporaryDirectory() as folder, forked.interpreter(Path(folder)) as program:
        yield str(program)


@pytest.fixture(scope="module")
def quick_start(interpreter: str) -> Iterator[None]:
    """What this module starts with `sys.executable` does not start from nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", interpreter)
        yield


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, interpreter: str) -> Project:
    """A small project; its checks are files that a test may write over."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "executable", interpreter)
    # a small project is not a checkout of this suite: tests_self/fast/run/commit has such ones
    monkeypatch.setattr("noxgate.plugin.committed.doubts", lambda *_: iter(()))
    return Project(pytester)


# ---------------------------------------------------------------- servers on loopback, for the clients


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all tests: keys take a moment."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def loopback(authority: Authority) -> Iterator[Loopback]:
    """Servers that end with the test."""
    servers = Loopback(authority)
    yield servers
    servers.close()
