"""What a machine needs for the rehearsal: what is there, what is missing, how to get it.

Usage: python3 src/noxgate/machine/doctor.py [report | check | install | install-venv | install-for-tests]

Runs before any environment exists: the standard library alone, on Python 3.9 or newer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence  # noqa: TC003 (as plain as every other import)
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

# Folders that PATH may lack: an ordinary user's has no sbin, and none has PostgreSQL's servers.
SBIN = ("/usr/sbin", "/sbin", "/usr/local/sbin")
POSTGRESQL = Path("/usr/lib/postgresql")
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")
CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.conf")


class MissingError(Exception):
    """A program is not on this machine; the message is one line that says what to paste."""


@dataclass(frozen=True)
class Component:
    """One thing that the machine must have. Without `minimum` any version will do."""

    name: str
    programs: tuple[str, ...]
    package: str
    version_command: tuple[str, ...]
    purpose: str
    minimum: tuple[int, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What was seen of a component; `problem` is None if it will do."""

    component: Component
    version: str
    path: Path | None
    problem: str | None


COMPONENTS = (
    Component(
        "Python", (), "python3", (sys.executable, "--version"), "runs the suite and the rehearsal", (3, 11)
    ),
    Component(
        "venv",
        (),
        "python3-venv",
        (sys.executable, "-c", "import ensurepip, venv; print(ensurepip.version())"),
        "makes the suite's own environment",
    ),
    Component("Git", ("git",), "git", ("git", "--version"), "the release repository"),
    Component(
        "PostgreSQL",
        ("postgres", "initdb", "psql", "pg_dump", "pg_restore"),
        "postgresql",
        ("postgres", "--version"),
        "the rehearsal's database",
        (15,),
    ),
    Component(
        "Redis",
        ("redis-server",),
        "redis-server",
        ("redis-server", "--version"),
        "the rehearsal's cache",
        (7,),
    ),
    Component(
        "nginx",
        ("nginx",),
        "nginx-light",
        ("nginx", "-v"),
        "the rehearsal's ingress: TLS, headers, redirect",
        (1, 18),
    ),
    Component(
        "Prometheus",
        ("prometheus", "promtool"),
        "prometheus",
        ("prometheus", "--version"),
        "the rehearsal's Prometheus; promtool tries the shipped alert rules",
        (2, 42),
    ),
    Component(
        "Registry",
        ("docker-registry",),
        "docker-registry",
        ("docker-registry", "--version"),
        "the rehearsal's registry of container images",
        (2, 8),
    ),
    Component("xtb", ("xtb",), "xtb", ("xtb", "--version"), "computes the rehearsal's xtb jobs"),
    Component("Psi4", ("psi4",), "psi4", ("psi4", "--version"), "computes the rehearsal's Psi4 jobs"),
)
# What must be there before the suite can be installed, and while the rest is.
FOR_THE_SUITE = tuple(component for component in COMPONENTS if component.name in {"Python", "venv"})
# What only the suite's own tests need: a browser is the largest of packages, and others do not wait for it.
FOR_TESTS = (
    Component("Chromium", ("chromium",), "chromium", ("chromium", "--version"), "opens the sign-off page"),
    Component(
        "PgBouncer",
        ("pgbouncer",),
        "pgbouncer",
        ("pgbouncer", "--version"),
        "between the gate and a database",
        (1, 18),
    ),
)


def program(name: str) -> Path:
    """Where a component's program is. Raises MissingError if it is not on this machine."""
    path = find(name)
    if path is None:
        known = (*COMPONENTS, *FOR_TESTS)
        packages = [component.package for component in known if name in component.programs]
        raise MissingError(f"no program {name} on this machine: {paste(packages)}")
    return path


def find(name: str) -> Path | None:
    """Where a program is. PostgreSQL's own come first: on PATH Debian has wrappers of the same name."""
    versions = [folder for folder in POSTGRESQL.glob("*/bin") if folder.parent.name.isdigit()]
    versions.sort(key=lambda folder: int(folder.parent.name), reverse=True)
    in_postgresql = [folder / name for folder in versions if os.access(folder / name, os.X_OK)]
    if in_postgresql:
        return in_postgresql[0]
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN]))
    return None if found is None else Path(found)


def examine(component: Component) -> Finding:
    """Look for a component's programs and ask for its version."""
    missing = [name for name in component.programs if find(name) is None]
    if missing:
        return Finding(component, "", None, f"no {', '.join(missing)}")
    command = list(component.version_command)
    path = find(command[0]) or Path(command[0])
    version = _version([str(path), *command[1:]])
    if not version:
        return Finding(component, "", path, "does not run")
    if tuple(int(part) for part in version.split(".")) < component.minimum:
        wanted = ".".join(str(part) for part in component.minimum)
        return Finding(component, version, path, f"{version}, but {wanted} or newer is needed")
    return Finding(component, version, path, None)


def missing(components: Sequence[Component] | None = None) -> list[Finding]:
    """The components, by default COMPONENTS, that will not do."""
    return [finding for finding in _examined(components or COMPONENTS) if finding.problem is not None]


def _examined(components: Sequence[Component]) -> list[Finding]:
    """All at once: each is a program that is asked for its version, and Psi4 takes a second or two."""
    with ThreadPoolExecutor() as asking:
        return list(asking.map(examine, components))


def paste(packages: Sequence[str]) -> str:
    """The line to paste into a terminal."""
    return f"sudo apt-get install --no-install-recommends {' '.join(packages)}"


def report() -> int:
    """Print every component: version, path, or what is missing and the line to paste."""
    findings = _examined(COMPONENTS)
    lacking = [finding for finding in findings if finding.problem is not None]
    print("NAME\n    What the rehearsal needs on this machine\n\nCOMPONENTS")
    for finding in findings:
        component = finding.component
        if finding.problem is None:
            print(f"    {component.name:<12}{finding.version:<12}{finding.path}")
        else:
            print(f"    {component.name:<12}{'MISSING':<12}{finding.problem}")
        print(f"    {'':<12}{'':<12}{component.purpose}")
    if lacking:
        print(f"\nMISSING\n    {paste([finding.component.package for finding in lacking])}")
        return 1
    print("\nNothing is missing.")
    return 0


def check(components: Sequence[Component] | None = None) -> int:
    """Whether `install` can do its work; if not, one line that says what to paste. Changes nothing."""
    lacking = missing(components)
    old = [finding for finding in lacking if finding.component.name == "Python"]
    if old:
        print(f"{sys.executable}: {old[0].problem}: run make with PYTHON=<a newer one>", file=sys.stderr)
        return 1
    if not lacking or (_has_apt() and _may_become_root()):
        return 0
    names = ", ".join(finding.component.name for finding in lacking)
    line = paste([finding.component.package for finding in lacking])
    advice = f"Paste this, then run make again: {line}"
    if not _has_apt():
        own_means = "install them by your system's own means"
        advice = f"This is not Debian or Ubuntu: {own_means} (on Debian: {line})"
    print(f"missing: {names}. {advice}", file=sys.stderr)
    return 1


def install(components: Sequence[Component] | None = None, action: str = "install") -> int:
    """Install what is missing, as `action` does, and start no service; says nothing if nothing is missing."""
    packages = [finding.component.package for finding in missing(components)]
    if not packages:
        return 0
    if check(components) != 0:
        return 1
    if os.getuid() != 0:
        return subprocess.run(["sudo", "-n", sys.executable, __file__, action], check=False).returncode
    print(f"Installing {', '.join(packages)} with apt-get; a minute or two.", flush=True)
    try:
        with _no_service_starts(SERVICE_POLICY), ExitStack() as settings:
            if "postgresql" in packages:
                _apt_get("install", "postgresql-common")
                settings.enter_context(_no_cluster(CLUSTER_SETTINGS))
            _apt_get("install", *packages)
    except _AptError as error:
        print(f"apt-get could not install {' '.join(packages)}: {error}", file=sys.stderr)
        return 1
    still = missing(components)
    for finding in still:
        print(f"{finding.component.name} is installed but will not do: {finding.problem}", file=sys.stderr)
    return 1 if still else 0


class _AptError(Exception):
    pass


def _apt_get(action: str, *packages: str) -> None:
    """Run apt-get; where that fails, fetch the lists of packages once and run it again."""
    command = ["apt-get", action, "-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *packages]
    if _quietly(command).returncode == 0:
        return
    _quietly(["apt-get", "update", "-qq"])
    second = _quietly(command)
    if second.returncode != 0:
        lines = [line for line in second.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("E: ")] or lines[-1:]
        raise _AptError(" ".join(errors) or f"exit status {second.returncode}")


def _quietly(command: Sequence[str], folder: str = "/") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        check=False,
    )


@contextmanager
def _no_service_starts(policy: Path) -> Iterator[None]:
    """Debian's packages ask this script before they start a service; one that was there is put back."""
    kept = policy.with_name(f"{policy.name}.noxgate")
    if os.path.lexists(policy) and not os.path.lexists(kept):
        policy.rename(kept)
    try:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
        yield
    finally:
        policy.unlink()
        if os.path.lexists(kept):
            kept.rename(policy)


@contextmanager
def _no_cluster(settings: Path) -> Iterator[None]:
    """The package makes no database cluster of its own; the settings are put back."""
    before = settings.read_bytes()
    try:
        settings.write_bytes(before + b"\ncreate_main_cluster = false\n")
        yield
    finally:
        settings.write_bytes(before)


def _version(command: Sequence[str]) -> str:
    """The first version number that a command prints, or "" if it fails."""
    try:
        with tempfile.TemporaryDirectory() as folder:  # Psi4 leaves a file where it runs
            answer = _quietly(command, folder)
    except OSError:
        return ""
    found = re.search(r"\d+(\.\d+)+", answer.stdout)
    return found.group() if answer.returncode == 0 and found else ""


def _has_apt() -> bool:
    """Whether this is Debian or a relative, where our names of packages are right."""
    try:
        release = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return False
    is_debian = re.search(r"^ID(_LIKE)?=.*\b(debian|ubuntu)\b", release, re.MULTILINE) is not None
    return is_debian and shutil.which("apt-get") is not None


def _may_become_root() -> bool:
    if os.getuid() == 0:
        return True
    return shutil.which("sudo") is not None and _quietly(["sudo", "-n", "true"]).returncode == 0


ACTIONS: dict[str, Callable[[], int]] = {
    "report": report,
    "check": check,
    "install": install,
    "install-venv": lambda: install(FOR_THE_SUITE, "install-venv"),
    "install-for-tests": lambda: install(FOR_TESTS, "install-for-tests"),
}


def main(arguments: Sequence[str]) -> int:
    """Run one action; the default is `report`."""
    action = arguments[0] if arguments else "report"
    if len(arguments) > 1 or action not in ACTIONS:
        print(f"expected one of {', '.join(ACTIONS)}, saw {' '.join(arguments)!r}", file=sys.stderr)
        return 2
    return ACTIONS[action]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
