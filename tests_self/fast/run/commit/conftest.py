"""Checkouts to change, and a folder of installed packages."""

import shutil
import sys
from pathlib import Path

import pytest
from tests_self.building.checkouts import with_engine
from tests_self.conftest import PROFILE, PYPROJECT, RUNBOOK
from tests_self.fast.run.commit.edited import CHECK, LINE, Checkout, module

from noxgate.run import loaded, native


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "gate"
    made = Checkout(root)
    with_engine(root)
    made.write("pyproject.toml", PYPROJECT)
    made.write(
        "runbook.toml", RUNBOOK + LINE.format(name="version", number=1) + LINE.format(name="health", number=2)
    )
    made.write("targets/staging.toml", PROFILE)
    made.write("waivers.toml", "")
    made.write(".gitignore", "__pycache__/\n/reports/\n*.ini\n")
    for name in ("version", "health"):
        made.write(f"tests_staging/test_{name}.py", CHECK.format(name=name))
    (root / "tests_production").mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit()
    return root


@pytest.fixture
def checkout(made: Path, tmp_path: Path) -> Checkout:
    """A copy for each test; git takes it for unchanged."""
    shutil.copytree(made, tmp_path / "gate", symlinks=True)
    found = Checkout(tmp_path / "gate")
    found.git("status")  # the index learns of the copies
    return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages with one that is as its RECORD says."""
    folder = tmp_path / "lib" / "site-packages"
    (folder / "fine-1.0.dist-info").mkdir(parents=True)
    (folder / "fine.py").write_text("VALUE = 42\n")
    digest = loaded._digest(folder / "fine.py", 0)  # noqa: SLF001
    (folder / "fine-1.0.dist-info" / "RECORD").write_text(
        f"fine.py,sha256={digest},11\nfine-1.0.dist-info/RECORD,,\n"
    )
    loaded._digest.cache_clear()  # noqa: SLF001
    monkeypatch.setattr(native, "MAPS", folder / "none")  # this process has libraries of its own
    monkeypatch.setattr(loaded, "_given", dict)
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.setattr(sys, "modules", {"fine": module("fine", folder / "fine.py")})
    return folder
