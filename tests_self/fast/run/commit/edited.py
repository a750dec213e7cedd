"""A checkout of a small gate, and what may be changed in it."""

import math
import os
import subprocess
from pathlib import Path
from types import ModuleType

from tests_self.conftest import LOOK

from noxgate.run import commit, loaded

ROOT = Path(__file__).parents[4]
PYTHON = ROOT / ".venv" / "bin" / "python"
CHECK = f"""
import pytest
from noxgate.look.observation import Observation

@pytest.mark.runbook("staging.{{name}}")
def test_{{name}}(observe):
    {LOOK.strip().replace("{line}", "{name}")}
"""
LINE = """
[staging.{name}]
ref = "RB-2.{number}"
kind = "auto"
section = "2. Staging"
seed = [{number}]
expected = "all is well"
next = "mend it"
"""


class Checkout:
    """A small project with the engine of its own, in git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("GIT", "PYTEST"))
        }
        self.env |= {"PYTHONPATH": str(root / "src"), "HOME": str(root.parent), "TEST_TOKEN": "x" * 20}

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.root, env=self.env, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=all")

    def gate(self, *words: str, **env: str) -> tuple[int, str]:
        """Run staging, by a Python that starts from nothing; its exit status and what it said."""
        done = subprocess.run(
            [PYTHON, "-m", "pytest", "-m", "staging", "--target=staging", *words],
            cwd=self.root,
            env=self.env | env,
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr


WEAK = CHECK.format(name="version") + "    return\n"


def edited(checkout: Checkout) -> str:
    checkout.write("tests_staging/test_version.py", WEAK)
    return "tests_staging/test_version.py (was changed)"


def module(name: str, file: Path) -> ModuleType:
    found = ModuleType(name)
    found.__file__ = str(file)
    return found


def found(
    root: Path,
    lock: str | None = "fine==1.0 \\\n    --hash=sha256:0\n",
    begun: float = math.inf,
    asked: tuple[str, ...] = (),
) -> list[str]:
    root.mkdir(exist_ok=True)
    if lock is not None:
        (root / "requirements-install.lock").write_text(lock)
    loaded._records.cache_clear()  # noqa: SLF001
    return list(loaded.strangers(root, commit.Commit("0" * 40, {}), begun=begun, asked=asked))
