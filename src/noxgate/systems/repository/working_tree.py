"""What `git status` says of a working tree, where Git LFS was not asked."""

import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from noxgate.machine.blobs import is_kept_elsewhere

# Git LFS would send each large file through a program, to compare what its digest tells.
# Filters of other names are run: without them, what git-crypt keeps would seem changed.
WITHOUT_LFS = ("-c", "filter.lfs.clean=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false")
_MODES = {"100644": False, "100755": True}  # of files, and whether they can be run


@dataclass(frozen=True)
class Entry:
    """One of `status --porcelain -z`: what is staged, what lies there, the name, and the one before it."""

    staged: str
    there: str
    name: str
    before: str = ""

    def __str__(self) -> str:
        said = f"{self.staged}{self.there} {self.name}{f' (from {self.before})' if self.before else ''}"
        return shown(said)


def entries(status: str) -> Iterator[Entry]:
    """The name before follows as an entry of its own."""
    parts = iter(status.split("\0"))
    for part in parts:
        if part:
            staged, there, name = part[0], part[1], part[3:]
            yield Entry(staged, there, name, next(parts, "") if {"R", "C"} & {staged, there} else "")


def changed(status: str, kept: Collection[str] = ()) -> Iterator[Entry]:
    """The entries, without what only seems changed since Git LFS keeps it elsewhere."""
    for entry in entries(status):
        if entry.there != "M" or entry.name not in kept:
            yield entry
        elif entry.staged != " ":
            yield Entry(entry.staged, " ", entry.name, entry.before)


def kept_elsewhere(folder: Path, names: Collection[str], index: str) -> Iterator[str]:
    """Those of the names that are as the index has them: `ls-files --stage -z` gives mode and blob."""
    for about, _, name in (part.partition("\t") for part in index.split("\0") if part):
        mode, blob, _ = about.split()
        path = folder / name
        with suppress(OSError):
            if name in names and mode in _MODES and not path.is_symlink():
                is_program = bool(path.stat().st_mode & stat.S_IXUSR)
                if is_program is _MODES[mode] and is_kept_elsewhere(path, blob):
                    yield name


def shown(text: str) -> str:
    """A name in one line."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
