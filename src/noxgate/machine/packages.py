"""Installs what a lock file pins, each file known by its hash: with uv, and with pip where uv cannot.

Usage, in the folder of the suite with `src` in PYTHONPATH: python3 -m noxgate.machine.packages ACTION

Runs before any package is there: the standard library alone. uv is pinned and hashed like all the rest; pip
brings it, from the indexes that pip is set up for, and uv then asks the same ones.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from noxgate.errors import Exit, NoxgateError
from noxgate.machine import doctor, pip_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(".venv")
PYTHON = FOLDER / "bin" / "python"
UV = FOLDER / "bin" / "uv"
UV_LOCK = "requirements-uv.lock"
BUILD_LOCK = "requirements-build.lock"
INSTALL_LOCK = "requirements-install.lock"  # what checks a real target
ALL_LOCK = "requirements.lock"  # with the rehearsal and the tools of the suite itself
INSTALLS_ELSEWHERE = (22, 3)  # the first pip with the option --python
ASK_PIP = "import importlib.metadata as installed; print(installed.version('pip'))"
# uv compiles nothing, and a rehearsal starts many processes at once that would each compile the same. These
# are what most of them import; the rest of 700 MB is compiled by whoever comes to need it.
IMPORTED_FIRST = (
    "pytest, xdist.plugin, xdist.remote, pytest_html.plugin, allure_pytest.plugin, httpx, jinja2",
    "promql_parser, psycopg, redis, websocket, yaml, cryptography.x509",
)
BY_REHEARSALS = (
    "random_order.plugin, psycopg_pool, starlette.applications, uvicorn",
    "uvicorn.protocols.http.httptools_impl, rdkit.Chem.Descriptors",
)
COMPILE = """
import compileall
compileall.compile_dir("src", quiet=2)
import """


class InstallError(NoxgateError):
    """One line: what could not be installed, and the installer's own reason."""


def make_environment(root: Path) -> None:
    """Make .venv below `root`, unless it is there, and put uv into it; without uv, say so in one line."""
    if not os.access(root / PYTHON, os.X_OK):
        venv.create(root / FOLDER, symlinks=True)
    command = [*_pip(root), "--python", str(root / PYTHON), "install", "--quiet", "--no-compile"]
    try:
        _run(root, [*command, "--only-binary", ":all:", "--require-hashes", "-r", UV_LOCK])
    except InstallError as error:
        (root / UV).unlink(missing_ok=True)
        sys.stderr.write(f"There is no uv here, so pip installs, more slowly: {error}\n")


def install_suite(root: Path) -> None:
    """Install what checks a real target into .venv, and the suite, whose files are used where they are."""
    _install_with(root, INSTALL_LOCK, IMPORTED_FIRST)


def install_all(root: Path) -> None:
    """The same, with what the rehearsal needs, and the suite's own tests."""
    _install_with(root, ALL_LOCK, (*IMPORTED_FIRST, *BY_REHEARSALS))


def _install_with(root: Path, lock: str, imported: Sequence[str]) -> None:
    python = root / PYTHON
    install(root, lock, python)
    install(root, BUILD_LOCK, python)
    # with the hatchling that is pinned, not with the newest one in an environment of its own
    _install(root, "the suite", python, ["--no-deps", "--no-build-isolation", "-e", "."])
    _run(root, [str(python), "-c", COMPILE + ", ".join(imported)])


def install(root: Path, lock: str, python: Path, options: Sequence[str] = ()) -> None:
    """Install what the file `lock` in `root` pins into the environment of `python`."""
    _install(root, lock, python, ["--require-hashes", "-r", lock, *options])


def _install(root: Path, what: str, python: Path, arguments: Sequence[str]) -> None:
    uv = root / UV
    if uv.exists():
        command = [str(uv), "pip", "install", "--quiet", "--python", str(python)]
        try:
            return _run(root, [*command, *arguments], _environment_of_uv(root))
        except InstallError as error:
            sys.stderr.write(f"uv could not install {what}, so pip tries, more slowly: {error}\n")
    command = [*_pip(root), "--python", str(python), "install", "--quiet", "--no-compile"]
    return _run(root, [*command, *arguments])


@cache
def _pip(root: Path) -> list[str]:
    """The pip of the Python that .venv is made of; if that is missing or too old, one in .venv itself."""
    base = Path(sys.base_exec_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    asked = subprocess.run([base, "-I", "-c", ASK_PIP], capture_output=True, text=True, check=False)
    if asked.returncode == 0 and tuple(map(int, asked.stdout.split(".")[:2])) >= INSTALLS_ELSEWHERE:
        return [str(base), "-m", "pip"]
    if not any((root / FOLDER).glob("lib/python3*/site-packages/pip")):
        if importlib.util.find_spec("ensurepip") is None:
            line = doctor.paste(["python3-venv"])
            raise InstallError(f"expected pip or ensurepip for {base}, saw neither: paste this: {line}")
        _run(root, [str(root / PYTHON), "-m", "ensurepip"])
    return [str(root / PYTHON), "-m", "pip"]


@cache
def _environment_of_uv(root: Path) -> dict[str, str]:
    environment = pip_settings.environment(_pip(root), os.environ)
    environment.pop("UV_NO_VERIFY_HASHES", None)
    return environment


def _run(root: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("ERROR:", "error:", "cause:"))] or lines[-1:]
        reason = pip_settings.without_passwords(" ".join(errors[:2]))
        raise InstallError(f"{Path(command[0]).name} ended with status {done.returncode}: {reason}")


ACTIONS = {"uv": make_environment, "suite": install_suite, "all": install_all}


def main(arguments: Sequence[str]) -> int:
    """Run one action in the working folder."""
    if len(arguments) != 1 or arguments[0] not in ACTIONS:
        sys.stderr.write(f"expected one of {', '.join(ACTIONS)}, saw {' '.join(arguments)!r}\n")
        return Exit.USAGE
    if doctor.check(doctor.COMPONENTS[:1]) != 0:
        return Exit.REFUSED
    try:
        ACTIONS[arguments[0]](Path.cwd())
    except InstallError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.REFUSED
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
