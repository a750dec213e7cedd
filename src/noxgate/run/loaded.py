"""What this process has loaded: all of it must be Python's own, of a locked package, or of the commit."""

import base64
import csv
import hashlib
import os
import re
import site
import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

from noxgate.run.commit import Commit
from noxgate.run.compiled import otherwise
from noxgate.run.native import libraries

OURS = (
    "noxgate"  # installed from the checkout itself: no lock file names it, and RECORD vouches for no module
)
OF_ENVIRONMENTS = {"pip", "setuptools"}  # which Python puts into a new environment
PACKAGES = ("site-packages", "dist-packages")
# Under these Python takes its own modules, settings or compiled files from elsewhere.
ELSEWHERE = (
    *("PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONPYCACHEPREFIX", "PYTHONUSERBASE", "PYTHONWARNINGS"),
    *("PYTHONOPTIMIZE", "PYTHONINSPECT"),
)
NOT_OF_SOURCE = "says something else than the source that it is to be of: remove it"
AT_START = ("sitecustomize", "usercustomize")  # which Python imports by itself
_LOADED = re.compile(r"\.(py|pth|so|so\.[\d.]+)$")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


class RecordedFile(NamedTuple):
    """What a package's RECORD says of a file."""

    package: str
    version: str
    digest: str
    is_command: bool  # in bin/, beside the packages


@dataclass(frozen=True)
class Vouchers:
    """Who vouches for files: the folders of packages, the project and its commit, the lock files."""

    folders: tuple[Path, ...]
    root: Path
    commit: Commit
    pinned: frozenset[tuple[str, str]]  # empty without a lock file
    begun: float  # when this process began

    def why_not(self, file: Path, found_as: str) -> str:
        """Why nothing vouches for a file; "" if something does. `found_as` is its path with its links."""
        for folder in self.folders:
            if (recorded := _records(folder).get(str(file))) is not None:
                return self._not_as_recorded(file, recorded)
        if any(file.is_relative_to(folder) for folder in self.folders):
            return "no package's RECORD names it"
        if file.is_relative_to(self.root):
            name = file.relative_to(self.root).as_posix()
            return (
                "" if name in self.commit.blobs else "is not in the commit"
            )  # whose bytes are compared anyway
        # a distribution may have linked one of Python's own to its settings
        if _is_pythons_own(file) or _is_pythons_own(Path(found_as)):
            return ""
        return "is of no locked package"

    def _not_as_recorded(self, file: Path, found: RecordedFile) -> str:
        try:
            as_recorded = found.digest == _digest(file, *_stamp(file))
            # by its own time, not the inode's: an installer elsewhere links to files that it shares with us
            is_new = self.begun < file.stat().st_mtime <= time.time()
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        if not as_recorded:
            return f"is not as the RECORD of {found.package} {found.version} has it"
        if is_new:  # it may have been otherwise when it was loaded
            return "was written while the gate ran"
        if found.package == OURS:
            return self._not_of_the_gate(file, found)
        brought = (found.package, found.version)
        if self.pinned and brought not in self.pinned and brought not in _of_environments(file):
            return f"{found.package} {found.version} is in no lock file"
        return ""

    def _not_of_the_gate(self, file: Path, found: RecordedFile) -> str:
        if file.suffix == ".pth":
            return "" if _only_paths(file) else "does more than to name the folder of the gate"
        return "" if found.is_command else "is an installed copy of the gate, which is of no commit"


def strangers(root: Path, commit: Commit, *, begun: float, asked: Iterable[str] = ()) -> Iterator[str]:
    """Modules and start-up files that were loaded without anything that vouches for them, and why.

    The process began at `begun`; `asked` are plugins, by the names of their modules or others.
    """
    pinned = {
        (normal(name), version)
        for lock in sorted(root.glob("requirements*.lock"))
        for name, version in _PINNED.findall(lock.read_text(encoding="utf-8"))
    }
    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    places = [Path(path) for path in (*sys.path, *site.getsitepackages(), *users) if path]
    there = tuple(dict.fromkeys(Path(os.path.realpath(place)) for place in places if place.is_dir()))
    known = Vouchers(
        tuple(folder for folder in there if any(folder.glob("*.dist-info"))),
        Path(os.path.realpath(root)),
        commit,
        frozenset(pinned),
        begun,
    )
    files = {Path(os.path.realpath(file)): (name, file) for name, file in (*_modules(), *_sought(asked))}
    files |= {file: (file.name, str(file)) for folder in there for file in folder.glob("*.pth")}
    files |= {file: (file.name, str(file)) for file in libraries()}
    for file, (name, found_as) in sorted(files.items()):
        if why := known.why_not(file, found_as):
            yield f"{name} ({file}: {why})"
    for name, _, compiled in otherwise((*known.folders, known.root)):
        yield f"{name} ({compiled}: {NOT_OF_SOURCE})"
    yield from (f"${name} (leads Python elsewhere)" for name in ELSEWHERE if os.environ.get(name))


def _modules() -> Iterator[tuple[str, str]]:
    """Each module with its file, as each place has it that says so: a module may write any of them anew."""
    for name, module in list(sys.modules.items()):
        said = getattr(module, "__dict__", {})
        spec = said.get("__spec__")
        origin = getattr(spec, "origin", None) if getattr(spec, "has_location", False) else None
        places = (said.get("__file__"), origin, getattr(getattr(spec, "loader", None), "path", None))
        for file in dict.fromkeys(place for place in places if isinstance(place, str)):  # often one, thrice
            if os.path.isabs(file):  # noqa: PTH117 (no Path for thousands of files)
                yield name, file


def _sought(asked: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Where Python finds what was imported for certain, or asked for: it may have left, or lie of its file.

    And what stands on PYTHONPATH in the place of any module, as this process was given it.
    """
    names = dict.fromkeys(name.partition(".")[0] for name in (*AT_START, *asked))
    first = [path for path in _given().get("PYTHONPATH", "").split(os.pathsep) if path]
    tops = {name.partition(".")[0] for name in list(sys.modules)}
    for name, path in (
        *((name, [*first, *sys.path]) for name in names),
        *((name, first) for name in sorted(tops)),
    ):
        spec = PathFinder.find_spec(name, path) if path else None
        if spec and spec.origin and spec.has_location:
            yield name, spec.origin


def _given() -> Mapping[str, str]:
    """The environment that this process was started with, before any change."""
    try:
        words = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return os.environ
    return dict(os.fsdecode(word).partition("=")[::2] for word in words)


def _only_paths(start: Path) -> bool:
    """Whether a start-up file adds to Python's path and does nothing else: any code in it is run."""
    lines = start.read_text(encoding="utf-8", errors="replace").splitlines()
    return not any(line.lstrip().startswith("import") for line in lines)


@cache
def _records(folder: Path) -> Mapping[str, RecordedFile]:
    """Each file that the packages of a folder have brought and vouch for, commands in bin/ among them.

    By its path as text: no Path for ten thousand files, of which a process has loaded some hundreds.
    """
    found = {}
    for record in folder.glob("*.dist-info/RECORD"):
        package, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
        with record.open(encoding="utf-8", newline="") as file:
            for path, digest, *_ in (row for row in csv.reader(file) if len(row) > 1):
                is_command = path.startswith("..")
                if digest and (is_command or _LOADED.search(path)):
                    place = os.path.normpath(f"{folder}/{path}")
                    value = digest.partition("=")[2]
                    found[place] = RecordedFile(normal(package), version, value, is_command)
    return found


def _of_environments(file: Path) -> frozenset[tuple[str, str]]:
    """What Python put into the environment that runs: no lock file names it."""
    own = {Path(os.path.realpath(sysconfig.get_path(name))) for name in ("purelib", "platlib")}
    folder = next((folder for folder in own if file.is_relative_to(folder)), None)
    if folder is None:
        return frozenset()
    return _environments(folder)


@cache
def _environments(folder: Path) -> frozenset[tuple[str, str]]:
    records = _records(folder).values()
    return frozenset((one.package, one.version) for one in records if one.package in OF_ENVIRONMENTS)


@cache
def _digest(file: Path, *_: int) -> str:
    """The SHA-256 of a file as RECORD writes it; cached as long as its stamp is the same."""
    with file.open("rb") as content:
        value = hashlib.file_digest(content, "sha256").digest()
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _stamp(file: Path) -> tuple[int, int, int]:
    stat = file.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _is_pythons_own(file: Path) -> bool:
    return not set(PACKAGES) & set(file.parts) and any(file.is_relative_to(place) for place in _pythons_own())


@cache
def _pythons_own() -> tuple[Path, ...]:
    named = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    return tuple(dict.fromkeys(Path(path) for one in named for path in (one, os.path.realpath(one))))


def normal(name: str) -> str:
    """A package's name as all of its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()
