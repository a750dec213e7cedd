"""Which release is rehearsed: the runbook's, after the one that the migration before its own leads to."""

import re
from pathlib import Path

from nox_rehearsal.checkout import MARK, NOX, ROOT
from nox_rehearsal.error import RehearsalError
from noxgate.project.runbook import read_runbook

FIRST = "7.9.3"  # what there was before the first migration
_NAME = re.compile(r".*_to_v(\d+\.\d+\.\d+)\.sql")


def _leading_to(version: str) -> dict[str, Path]:
    """The migrations of the rehearsal's NOX up to a version, its own last, by the version each leads to."""
    paths = (NOX / "migrations").iterdir()
    found = {match[1]: path for path in paths if (match := _NAME.fullmatch(path.name))}
    if version not in found:
        raise RehearsalError(
            f"expected a migration to {version}, which {MARK} names, and saw none in {NOX / 'migrations'}: "
            "docs/NEXT-RELEASE.md"
        )
    reached = sorted((one for one in found if _order(one) <= _order(version)), key=_order)
    return {one: found[one] for one in reached}


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


_release = read_runbook(ROOT / MARK).release
VERSION, DATE = _release.version, _release.date
_migrations = _leading_to(VERSION)
MIGRATION = _migrations.pop(VERSION)
BEFORE = tuple(_migrations.values())  # where the version before serves they have been run
PREVIOUS = next(reversed(_migrations), FIRST)
