"""What a lock file pins is installed by its hash: by uv, or by pip, with one line that says so."""

import hashlib
import subprocess
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from noxgate.errors import Exit
from noxgate.machine import packages, pip_settings

ROOT = Path(__file__).parents[3]
LOCKS = (packages.UV_LOCK, packages.BUILD_LOCK, packages.INSTALL_LOCK, packages.ALL_LOCK)
WRONG = "0" * 64


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout with an empty environment, today's uv, and a folder with one package for an index."""
    venv.create(tmp_path / packages.FOLDER, symlinks=True)
    (tmp_path / packages.UV).symlink_to(ROOT / packages.UV)
    make_wheel(tmp_path)
    for name in pip_settings.INDEXES_OF_UV:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path
    packages._environment_of_uv.cache_clear()  # noqa: SLF001


def make_wheel(folder: Path) -> Path:
    """A wheel with one module and nothing else."""
    wheel = folder / "answer-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("answer.py", "VALUE = 42\n")
        file.writestr("answer-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: answer\nVersion: 1.0\n")
        file.writestr(
            "answer-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr("answer-1.0.dist-info/RECORD", "")
    return wheel


def lock(root: Path, sha256: str | None = None) -> str:
    """A lock file for it, with its own hash or with another."""
    own = hashlib.sha256((root / "answer-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (root / "answer.lock").write_text(f"answer==1.0 --hash=sha256:{sha256 or own}\n")
    return "answer.lock"


def answer(root: Path) -> str:
    """What the installed module says. Empty if it says nothing."""
    command = [str(root / packages.PYTHON), "-c", "import answer; print(answer.VALUE)"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def installed_by(root: Path) -> str:
    """Whom the package's own record names."""
    return (
        next(root.glob(".venv/lib/python3*/site-packages/answer-1.0.dist-info/INSTALLER")).read_text().strip()
    )


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_have_hashes_and_no_index(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if "==" in line and not line.startswith(" ")]

    assert [line for line in lines if "://" in line or line.lstrip().startswith(("--index", "--find"))] == []
    assert pinned
    assert all(line.endswith("\\") for line in pinned)
    assert sum("--hash=sha256:" in line for line in lines) >= len(pinned)


def test_lock_files_agree() -> None:
    """Three of them are for one environment: none takes back what another has put there."""
    build, suite, every = (
        pins(ROOT / name) for name in (packages.BUILD_LOCK, packages.INSTALL_LOCK, packages.ALL_LOCK)
    )

    assert "hatchling" in build
    assert {name: every[name] for name in build if name in every} == {
        name: version for name, version in build.items() if name in every
    }
    assert suite.items() <= every.items()
    assert {"rdkit", "starlette", "uvicorn", "mypy"} <= every.keys() - suite.keys()


def pins(file: Path) -> dict[str, str]:
    """The versions that a lock file names."""
    lines = [
        line for line in file.read_text(encoding="utf-8").splitlines() if "==" in line and line[0] != " "
    ]
    return {line.partition("==")[0]: line.partition("==")[2].split()[0] for line in lines}


def test_uv_installs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From where pip was told to look, without a word."""
    packages.install(root, lock(root), root / packages.PYTHON)

    assert answer(root) == "42"
    assert installed_by(root) == "uv"
    assert capsys.readouterr() == ("", "")


def test_pip_installs_where_uv_cannot(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, with uv's reason."""
    (root / packages.UV).unlink()
    (root / packages.UV).write_text("#!/bin/sh\necho error: no https://me:secret@host/simple here\nexit 2\n")
    (root / packages.UV).chmod(0o755)

    packages.install(root, lock(root), root / packages.PYTHON)

    assert installed_by(root) == "pip"
    assert capsys.readouterr().err == (
        "uv could not install answer.lock, so pip tries, more slowly: "
        "uv ended with status 2: error: no https://***@host/simple here\n"
    )


def test_pip_installs_where_there_is_no_uv(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / packages.UV).unlink()

    packages.install(root, lock(root), root / packages.PYTHON)

    assert (answer(root), installed_by(root)) == ("42", "pip")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("relaxed", ["UV_NO_VERIFY_HASHES", "UV_CACHE_DIR"])
def test_another_file_is_refused(root: Path, relaxed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By uv and by pip, with any setting of hashes in the environment."""
    monkeypatch.setenv(relaxed, "1" if relaxed == "UV_NO_VERIFY_HASHES" else str(root / "cache"))

    with pytest.raises(packages.InstallError, match=r"status 1: ERROR: .*HASHES"):
        packages.install(root, lock(root, WRONG), root / packages.PYTHON)
    assert answer(root) == ""


def test_no_uv_for_this_machine(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said once, and pip is left to install the rest."""
    (root / packages.UV_LOCK).write_text(f"uv==0.13.9 --hash=sha256:{WRONG}\n")

    packages.make_environment(root)

    said = capsys.readouterr().err
    assert said.startswith("There is no uv here, so pip installs, more slowly: ")
    assert said.count("\n") == 1
    assert not (root / packages.UV).exists()


def test_unknown_action(capsys: pytest.CaptureFixture[str]) -> None:
    assert packages.main(["suit"]) == Exit.USAGE
    assert capsys.readouterr().err == "expected one of uv, suite, all, saw 'suit'\n"
