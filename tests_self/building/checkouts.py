"""Checkouts with real git: of the release's repository, and of a project with the engine in it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from noxgate.systems.repository.repository import Repository

if TYPE_CHECKING:
    from noxgate.look.observation import Observation


ROOT = Path(__file__).parents[2]


def with_engine(root: Path) -> None:
    """Give a project an engine of its own, which PYTHONPATH then leads to."""
    for package in ("noxgate", "nox_service"):
        shutil.copytree(
            ROOT / "src" / package, root / "src" / package, ignore=shutil.ignore_patterns("__pycache__")
        )


WHO = ("-c", "user.name=someone", "-c", "user.email=someone@nox.example", "-c", "protocol.file.allow=always")


class Checkout:
    """A repository with one commit on main, and the remote that it was pushed to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "source"
        self.remote = folder / "remote.git"
        self.observed: list[Observation] = []
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.remote), folder=folder)
        self.git("init", "--quiet", "--initial-branch=main", str(self.folder), folder=folder)
        self.commit("README", "8.0.0\n")
        self.git("remote", "add", "origin", str(self.remote))
        self.git("push", "--quiet", "origin", "main")

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        answer = subprocess.run(
            ["git", *WHO, *arguments],
            cwd=folder or self.folder,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        )
        return answer.stdout.strip()

    def commit(self, name: str, content: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        self.git("add", name)
        self.git("commit", "--quiet", "-m", f"change {name}")
        return self.git("rev-parse", "HEAD")

    def client(self, folder: Path | None = None) -> Repository:
        return Repository(folder or self.folder, self.observed.append)

    def seen(self) -> str:
        return "\n".join(observation.seen for observation in self.observed)
