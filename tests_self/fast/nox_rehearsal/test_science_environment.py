"""The rehearsal's science environment: made once, known to be whole, and what is said where it is not."""

import json
import subprocess
from pathlib import Path

import pytest

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.science import environment
from nox_rehearsal.science.environment import FOLDER, LOCK, command, interpreter, main, make
from noxgate.machine.doctor import MissingError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a lock file that names nothing."""
    (tmp_path / LOCK).write_text("")
    return tmp_path


def test_there_is_one() -> None:
    """`make setup` has made it, of today's lock file; made again, it is left alone."""
    assert interpreter(ROOT) == ROOT / FOLDER / "bin" / "python"
    before = (ROOT / FOLDER / ".made").stat().st_mtime_ns
    assert not make(ROOT)
    assert (ROOT / FOLDER / ".made").stat().st_mtime_ns == before


def test_lock_file_names_no_index() -> None:
    """And has a hash for each package, all that the runbook names among them; numpy is Debian's."""
    lines = (ROOT / LOCK).read_text(encoding="utf-8").splitlines()
    names = [line.partition("==")[0] for line in lines if "==" in line]

    assert [line for line in lines if "://" in line or line.lstrip().startswith(("--index", "--find"))] == []
    assert {"rdkit", "cantera", "scipy", "pandas", "celery", "psycopg2-binary"} <= set(names)
    assert "numpy" not in names
    assert sum("--hash=sha256:" in line for line in lines) >= len(names)


def test_not_made(root: Path) -> None:
    with pytest.raises(MissingError, match=r"no science environment .*: run make setup"):
        interpreter(root)


def test_made_for_another_lock_file(root: Path) -> None:
    python = pretend_made(root)
    assert interpreter(root) == python

    (root / LOCK).write_text("rdkit==1\n")
    with pytest.raises(MissingError, match="run make setup"):
        interpreter(root)


def test_image_comes_first(tmp_path: Path) -> None:
    """What lies in the folder takes the place of a dependency; nothing else is touched."""
    (tmp_path / "cantera.py").write_text("print(1 + 1)")
    words = [*command(ROOT, tmp_path)[:-1], "-c", "import cantera, rdkit; print(rdkit.__file__)"]

    two, real = subprocess.check_output(words, text=True).splitlines()
    assert two == "2"
    assert real.startswith(str(ROOT / FOLDER))


@pytest.mark.parametrize("stamp", ["", "{}", "[]", "not JSON"])
def test_made_halfway(root: Path, stamp: str) -> None:
    pretend_made(root)
    (root / FOLDER / ".made").write_text(stamp)

    with pytest.raises(MissingError, match="run make setup"):
        interpreter(root)


def test_packages_fail(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the installer's own error, and nothing that looks whole."""
    monkeypatch.setattr(environment, "_psi4_modules", lambda: "/nowhere")
    (root / LOCK).write_text("no-such-package @ file:///nowhere/none-1-py3-none-any.whl --hash=sha256:00\n")

    assert main([str(root)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("science environment: python3.11 ended with status 1: ERROR: ")
    assert len(said) == 1
    with pytest.raises(MissingError):
        interpreter(root)


def test_psi4_names_no_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found out before the old environment is taken away."""
    python = pretend_made(root)
    (root / LOCK).write_text("rdkit==1\n")
    monkeypatch.setattr(environment, "program", lambda _name: Path("/bin/echo"))

    with pytest.raises(RehearsalError, match="expected psi4 --psiapi-path to name PYTHONPATH"):
        make(root)
    assert python.exists()


def pretend_made(root: Path) -> Path:
    python = root / FOLDER / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/usr/bin/python3")
    made = environment._made_from(root)  # noqa: SLF001
    (root / FOLDER / ".made").write_text(json.dumps(made))
    return python
