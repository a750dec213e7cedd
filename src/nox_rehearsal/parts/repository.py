"""The release repository: NOX's source as the rehearsal has it, a git checkout with a remote of its own."""

import os
import shutil
import subprocess
from pathlib import Path

from nox_rehearsal import release
from nox_rehearsal.checkout import NOX
from nox_rehearsal.cluster.release import write_release
from nox_rehearsal.error import RehearsalError

MIGRATION = f"migrations/{release.MIGRATION.name}"
SCHEMA = "db/schema.sql"  # of the version before, with its data
OLD_QUERIES = f"db/queries_{release.PREVIOUS}.sql"
ALERT_TESTS = "alerts/nox-api.tests.yaml"
ALERT_RULES = "alerts/nox-api.rules.yaml"  # as promtool reads them; the cluster's are of k8s
# What makes a database as the version before has it.
BEFORE = (NOX / "db" / f"schema_{release.FIRST}.sql", NOX / "db" / "seed.sql", *release.BEFORE)
CHECKLIST = "STAGING_VALIDATION_RELEASE_CHECKLIST.md"


def write(source: Path, registry: str, version: str, previous: str, owner: str) -> None:
    """Write the source."""
    write_release(source, registry, version, previous)
    for file in (MIGRATION, OLD_QUERIES, ALERT_TESTS, ALERT_RULES):
        (source / file).parent.mkdir(exist_ok=True)
        shutil.copy(NOX / file, source / file)
    text = "\n".join(part.read_text(encoding="utf-8") for part in BEFORE)
    (source / SCHEMA).write_text(f"SET ROLE {owner};\n{text}\nRESET ROLE;\n", encoding="utf-8")
    (source / CHECKLIST).write_text(
        f"# Staging validation of {version}\n\n- [ ] pytest -m staging\n", encoding="utf-8"
    )


def publish(source: Path, version: str) -> None:
    """Commit the source on main, and push it to a bare repository beside it."""
    remote = source.with_name("source.git")
    git(source.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(source, "init", "--quiet", "--initial-branch=main")
    git(source, "remote", "add", "origin", str(remote))
    commit(source, f"NOX {version}")


def commit(source: Path, message: str) -> None:
    """Commit everything that lies there, and push it."""
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--allow-empty", f"--message={message}")
    git(source, "push", "--quiet", "--force", "--set-upstream", "origin", "main")


def back_to(source: Path, commit_: str) -> None:
    """As it was at a commit, here and at the remote."""
    git(source, "reset", "--quiet", "--hard", commit_)
    git(source, "clean", "--quiet", "--force", "-d")
    git(source, "push", "--quiet", "--force", "origin", "main")


def head(source: Path) -> str:
    return git(source, "rev-parse", "HEAD").strip()


def git(folder: Path, *words: str) -> str:
    """Run git without the user's own configuration. Raises RehearsalError, with git's words, if it fails."""
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in _WHO.items()}
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment | who, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RehearsalError(f"git {words[0]}: {' '.join(done.stderr.split())}")
    return done.stdout


_WHO = {"NAME": "NOX rehearsal", "EMAIL": "rehearsal@nox.invalid"}
