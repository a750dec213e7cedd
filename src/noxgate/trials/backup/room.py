"""Whether a backup has room on this machine, and how long it would take, before it is restored."""

import shutil
from pathlib import Path

from noxgate.errors import UnreachableError

GROWS = {"plain": 2, "custom": 10, "directory": 10}  # rows have heads, indexes come; archives are packed
PER_SECOND = 20_000_000  # bytes of a database that a machine restores, one with slow disks
_GIGA = 1e9


def size(path: Path) -> int:
    """Of a file, or of all in a folder."""
    return sum(each.stat().st_size for each in (path.iterdir() if path.is_dir() else [path]))


def needed(path: Path, form: str, database: int) -> int:
    """Bytes: a copy of the backup, and the database, whose size on the target's server is `database`."""
    own = size(path)
    return own + (database or own * GROWS[form])


def refuse(path: Path, form: str, database: int, home: Path, limit: float) -> None:
    """Raises UnreachableError if it has no room below `home`, or would not end within `limit` seconds."""
    wanted = needed(path, form, database)
    free = shutil.disk_usage(home).free
    if wanted > free:
        raise UnreachableError(
            f"{path.name} needs about {wanted / _GIGA:.1f} GB below {home}, "
            f"which has {free / _GIGA:.1f} GB free: run this where there is room"
        )
    seconds = wanted / PER_SECOND
    if seconds > limit:
        raise UnreachableError(
            f"{path.name} needs about {seconds / 60:.0f} minutes to be restored, "
            f"the limit is {limit / 60:.0f}: restore it on a faster machine"
        )
