"""The load tests that a run's evidence holds: their plots and what they measured."""

import re
from collections.abc import Iterator
from pathlib import Path

from noxgate.look.observation import shortened
from noxgate.reports.signoff.model import Load, ShownRun

LARGEST = 2_000_000  # bytes of one picture: the page holds them
ROWS = 200


def loads_of(run: ShownRun) -> Iterator[Load]:
    """Every load test in a run's folder."""
    folder = run.folder / "load"
    for path in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else ():
        picture = _content(path / "load.svg")
        table = _content(path / "table.txt").decode("utf-8", "replace")
        if picture or table:
            yield Load(shortened(path.name), picture, tuple(_rows(table)), run.seal.believed)


def _content(path: Path) -> bytes:
    """What a plain file of a proper size holds; nothing of anything else."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def _rows(table: str) -> Iterator[tuple[str, ...]]:
    """The columns stand apart by two spaces or more."""
    for line in table.splitlines()[:ROWS]:
        if line.strip():
            yield tuple(shortened(cell) for cell in re.split(r"\s{2,}", line.strip()))
