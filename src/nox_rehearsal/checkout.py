"""The checkout that a rehearsal is part of: it plays with the profiles, documents and checks of that."""

from pathlib import Path

MARK = "runbook.toml"
HERE = Path(__file__).parent  # as it was found: another checkout may lead to the same files
NOX = HERE / "nox"  # what the release's own repository has


def _root() -> Path:
    """The nearest folder above with the mark; without one, where it was installed, which has no targets."""
    return next((folder for folder in HERE.parents if (folder / MARK).is_file()), HERE.parent)


ROOT = _root()
