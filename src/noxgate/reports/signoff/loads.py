"""The load tests that a run's evidence holds: their plots and what they measured."""

from collections.abc import Iterator
from pathlib import Path

from noxgate.look.documents import of_json
from noxgate.look.observation import shortened
from noxgate.reports.signoff.model import Load, ShownRun
from noxgate.slo.table import TABLE

LARGEST = 2_000_000  # bytes of one picture: the page holds them
ROWS, COLUMNS = 200, 20


def loads_of(run: ShownRun) -> Iterator[Load]:
    """Every load test in a run's folder."""
    folder = run.folder / "load"
    for path in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else ():
        picture = _content(path / "load.svg")
        rows = tuple(_rows(_content(path / TABLE)))
        if picture or rows:
            yield Load(shortened(path.name), picture, rows, run.seal.believed)


def _content(path: Path) -> bytes:
    """What a regular file of a proper size holds; empty for anything else."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def _rows(content: bytes) -> Iterator[tuple[str, ...]]:
    """Lists of texts; nothing of anything else."""
    try:
        rows = of_json(content)
    except (ValueError, RecursionError):
        return
    for row in rows[:ROWS] if isinstance(rows, list) else ():
        if isinstance(row, list):
            yield tuple(shortened(str(cell)) for cell in row[:COLUMNS])
