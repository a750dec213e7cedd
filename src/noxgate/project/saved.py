"""The files that an engineer leaves tonight in the folder that the profile names as `backups`."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.project.keys.release import BACKUP_FORMS
from noxgate.project.target import Target

FOLDER = BACKUP_FORMS["directory"]


@dataclass(frozen=True)
class SavedFiles:
    """The folder of these files, if `profile`, the name of its file, names one."""

    folder: Path | None
    profile: str

    def newest(self, pattern: str) -> Path:
        """The file of this pattern that was written last. Raises AssertionError if it does not exist."""
        if self.folder is None:
            raise UnreachableError(f"{self.profile} names no backups, the folder of tonight's files")
        files = [path for path in self.folder.glob(pattern) if path.is_file() or pattern.endswith(FOLDER)]
        assert files != [], f"expected a file {pattern} in {self.folder}, saw none"
        return max(files, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def listing(self, pattern: str) -> str:
        """The command that shows them."""
        return f"ls -lt {shlex.quote(str(self.folder))}/{pattern}"


@dataclass(frozen=True)
class SavedManifests:
    """The rollback manifests among these files, and the namespace that they were saved of."""

    namespace: str
    files: SavedFiles


def saved_files(target: Target) -> SavedFiles:
    """Those that this target's profile names."""
    return SavedFiles(target.backups, target.path.name)


def saved_manifests(target: Target) -> SavedManifests:
    """Those of this target's namespace."""
    return SavedManifests(target.namespace, saved_files(target))
