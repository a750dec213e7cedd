"""The files that an engineer leaves tonight in the folder that the profile names as `backups`."""

import shlex
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.project.keys.release import BACKUP_FORMS
from noxgate.project.target import Target

FOLDER = BACKUP_FORMS["directory"]


def newest(target: Target, pattern: str) -> Path:
    """The file of this pattern that was written last. Raises AssertionError if it does not exist."""
    folder = target.backups
    if folder is None:
        raise UnreachableError(f"{target.path.name} names no backups, the folder of tonight's files")
    files = [path for path in folder.glob(pattern) if path.is_file() or pattern.endswith(FOLDER)]
    assert files != [], f"expected a file {pattern} in {folder}, saw none"
    return max(files, key=lambda path: (path.stat().st_mtime_ns, path.name))


def listing(target: Target, pattern: str) -> str:
    """The command that shows them."""
    return f"ls -lt {shlex.quote(str(target.backups))}/{pattern}"
