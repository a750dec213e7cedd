"""The folder of one rehearsal: everything that it writes, and the lock that says it is up.

The lock is the kernel's (flock on the folder itself): it ends with the process that holds it, even by
SIGKILL. So a folder that can be locked is not in use, and what is in it and runs from it is left over.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.world import leftovers
from noxgate.look.waiting import eventually

DEFAULT = "rehearsal"  # the name whose profile is the project's target `rehearsal`
PARENT = Path("/var/tmp")  # noqa: S108 (PostgreSQL's user must reach it; the folder is checked to be ours)
_TARGETS = ROOT / "targets"  # none where noxgate is installed without a checkout
DIGITS = 8  # of the checkout's digest: short, since paths of sockets below the folder have 107 bytes at most


def folder_of(name: str) -> Path:
    """Where the rehearsal `name` of this user and this checkout lives."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise RehearsalError(
            f"a rehearsal's name: expected up to 32 lower-case letters, digits or -, saw {name!r}"
        )
    return PARENT / f"noxgate-{os.getuid()}-{name}{_of_checkout()}"


def _of_checkout() -> str:
    """What tells two checkouts' folders apart; no name holds a dot, so it cannot be taken for one."""
    if not _TARGETS.is_dir():
        return ""
    return f".{hashlib.sha256(os.fsencode(ROOT.resolve())).hexdigest()[:DIGITS]}"


def profile_of(folder: Path) -> Path | None:
    """The project's own copy of the profile: only the default rehearsal, and only in a checkout, has one."""
    is_default = folder == folder_of(DEFAULT)
    return _TARGETS / "rehearsal.toml" if is_default and _TARGETS.is_dir() else None


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Make the folder, empty, and hold it; at the end nothing of it is left.

    Raises RehearsalError if it is held.
    """

    def locked() -> int:
        lock = _lock(folder, make=True)
        assert lock is not None
        return lock

    try:
        lock = eventually(locked, within=0.5, every=0.05)  # a look at whether it is stale holds it, too
    except AssertionError:
        raise RehearsalError(
            f"a rehearsal is up in {folder}: wait until it ends, or end it with `noxgate rehearse down`"
        ) from None
    try:
        _clear(folder)
        yield
    finally:
        _remove(folder)
        os.close(lock)


def remove_if_stale(folder: Path) -> bool:
    """Clear what a killed rehearsal left behind; whether nothing is there now."""
    lock = _lock(folder, make=False)
    if lock is None:
        return not folder.exists()
    try:
        _remove(folder)
    finally:
        os.close(lock)
    return True


def _lock(folder: Path, *, make: bool) -> int | None:
    """A descriptor that holds the folder; None if someone else holds it, or is not there nor to be made."""
    while True:
        if make:
            folder.mkdir(mode=0o711, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            if make:
                continue
            return None
        except OSError as error:
            raise RehearsalError(f"{folder}: expected a folder of our own, saw: {error.strerror}") from None
        if os.fstat(descriptor).st_uid != os.getuid():
            os.close(descriptor)
            raise RehearsalError(f"{folder} belongs to another user: remove it, or use another name")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_still(folder, descriptor):
            os.fchmod(descriptor, 0o711)  # with any umask: PostgreSQL's user must pass through
            return descriptor
        os.close(descriptor)  # its former holder removed it in between


def _is_still(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _clear(folder: Path) -> None:
    leftovers.kill_all_of(folder)
    profile = profile_of(folder)
    if profile is not None and profile.is_file() and str(folder) in profile.read_text(encoding="utf-8"):
        profile.unlink()
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _remove(folder: Path) -> None:
    _clear(folder)
    folder.rmdir()
