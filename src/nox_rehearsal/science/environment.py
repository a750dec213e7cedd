"""The Python of the rehearsal's API image: RDKit, Cantera, xtb and Psi4, all real, and eleven packages.

Usage: python -m nox_rehearsal.science.environment [ROOT]

Psi4 is Debian's, made for Debian's Python alone: so this is an environment on /usr/bin/python3 that sees
Debian's packages, and has the others from requirements-science.lock. It is made once, in half a minute.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nox_rehearsal.error import RehearsalError
from nox_service import science_script
from noxgate.machine import packages
from noxgate.machine.doctor import MissingError, program

SYSTEM_PYTHON = Path("/usr/bin/python3")
FOLDER = ".venv-science"
LOCK = "requirements-science.lock"
MADE = ".made"  # what it was made from, written when it is whole
ADVICE = "run make setup"


def interpreter(root: Path) -> Path:
    """The environment's Python. Raises MissingError unless it is there, whole and of today's lock file."""
    python = root / FOLDER / "bin" / "python"
    if not _is_made(root):
        raise MissingError(f"no science environment of {LOCK} in {root / FOLDER}: {ADVICE}")
    return python


def command(root: Path, image: Path) -> tuple[str, ...]:
    """What a profile calls `science`: modules and programs in the folder `image` come before the real ones.

    It is empty, unless a sabotage puts something there.
    """
    path = ":".join(map(str, (image, program("xtb").parent, "/usr/bin", "/bin")))
    return ("env", f"PYTHONPATH={image}", f"PATH={path}", str(interpreter(root)), "-")


def make(root: Path) -> bool:
    """Make the environment below `root`, unless it is there; whether there was anything to do."""
    if _is_made(root):
        return False
    folder = root / FOLDER
    if not SYSTEM_PYTHON.exists():
        raise MissingError(f"no {SYSTEM_PYTHON}, for which Debian's Psi4 is made")
    modules = _psi4_modules()
    shutil.rmtree(folder, ignore_errors=True)
    _run(
        "venv",
        [str(SYSTEM_PYTHON), "-I", "-m", "venv", "--without-pip", "--system-site-packages", str(folder)],
    )
    python = folder / "bin" / "python"
    try:  # numpy is Debian's, hence no dependencies
        packages.install(root, LOCK, python, ["--no-deps", "--only-binary", ":all:"])
    except packages.InstallError as error:
        raise RehearsalError(f"science environment: {error}") from error
    site = next(folder.glob("lib/python3*/site-packages"))
    (site / "psi4.pth").write_text(f"{modules}\n", encoding="utf-8")
    # compile what will be imported, and nothing else: 23 MB in seconds, not 120 MB in a minute
    names = [*science_script.PACKAGES, "rdkit.Chem.Descriptors", "cantera", "psi4"]
    _run("import", [str(python), "-I", "-c", f"import {', '.join(names)}"])
    (folder / MADE).write_text(json.dumps(_made_from(root)), encoding="utf-8")
    return True


def _is_made(root: Path) -> bool:
    try:
        made = json.loads((root / FOLDER / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(made == _made_from(root)) and (root / FOLDER / "bin" / "python").exists()


def _made_from(root: Path) -> dict[str, str]:
    return {
        "lock": hashlib.sha256((root / LOCK).read_bytes()).hexdigest(),
        "python": str(SYSTEM_PYTHON.resolve()),
    }


def _psi4_modules() -> str:
    """The folder of Psi4's Python module, in its own words: `export PYTHONPATH=FOLDER:$PYTHONPATH`."""
    said = _run("psi4", [str(program("psi4")), "--psiapi-path"])
    found = re.search(r"^export PYTHONPATH=([^:\n]+)", said, re.MULTILINE)
    if found is None:
        raise RehearsalError(f"expected psi4 --psiapi-path to name PYTHONPATH, saw {said!r}")
    return str(Path(found.group(1)))


def _run(what: str, command: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:  # Psi4 leaves a file where it runs
        answer = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if answer.returncode != 0:
        lines = [line for line in answer.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        raise RehearsalError(
            f"science environment: {what} ended with status {answer.returncode}: {' '.join(errors)}"
        )
    return answer.stdout


def main(arguments: list[str]) -> int:
    """Make it below ROOT, by default the working folder."""
    root = Path(arguments[0] if arguments else ".").resolve()
    started = time.monotonic()
    try:
        made = make(root)
    except (MissingError, RehearsalError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if made:
        sys.stdout.write(f"Made {FOLDER} in {time.monotonic() - started:.0f} s.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
