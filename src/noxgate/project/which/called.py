"""How a command names a target: the commands that are printed run when they are pasted."""

import os
from pathlib import Path


def called(root: Path, path: Path) -> str:
    """By its name if its profile is in targets/, else by the profile's path as one types it here."""
    if path.parent.resolve() == (root / "targets").resolve():
        return path.stem
    near = os.path.relpath(path)
    return str(path) if path.is_absolute() and near.startswith(os.pardir) else near
