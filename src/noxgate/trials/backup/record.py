"""What docs/backup.psql writes beside a backup: what the database was in the backup's own snapshot."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from noxgate.look.documents import of_json
from noxgate.look.observation import shortened
from noxgate.trials.table_contents import Contents
from noxgate.trials.whole_catalog import Part

_COUNT = re.compile(r"[0-9]{1,18}")
_POSITION = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


@dataclass(frozen=True)
class RecordedBackup:
    """Its name, each table, and all that it is made of, as far as that was written down.

    A sequence has a position before the dump, and one after it.
    """

    database: str
    tables: Mapping[str, Contents]
    system: str | None = None
    sequences: Mapping[str, Sequence[Decimal]] = field(default_factory=dict)
    parts: Sequence[Part] = ()


def read_record(path: Path) -> RecordedBackup:
    """Raises AssertionError if a line is not valid, FileNotFoundError if the file is missing."""
    tables: dict[str, Contents] = {}
    sequences: dict[str, list[Decimal]] = {}
    parts: list[Part] = []
    database, system = "", None
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise AssertionError(f"{path.name}: expected UTF-8 text: {error.reason}") from None
    for number, line in enumerate(lines, start=1):
        match line.split("\t"):
            case [""]:
                continue
            case ["database", name]:
                database = name
            case ["system", name]:
                system = name
            case ["part", text] if (part := _part(text)) is not None:
                parts.append(part)
            case ["sequence", name, position] if _POSITION.fullmatch(position):
                sequences.setdefault(name, []).append(Decimal(position))
            case [table, rows, digest] if _COUNT.fullmatch(rows):
                tables[table] = Contents(int(rows), digest)
            case _:
                raise AssertionError(
                    f"{path.name}:{number}: expected TABLE, ROWS, SUM, saw {shortened(line, 60)!r}"
                )
    return RecordedBackup(database, tables, system, sequences, parts)


def _part(text: str) -> Part | None:
    """None if it is not valid: as the catalog's own query writes one, a list of texts."""
    try:
        found = of_json(text)
    except ValueError:
        return None
    if not isinstance(found, list) or len(found) != len(Part._fields):
        return None
    texts = ["" if each is None else each for each in found]
    return Part(*texts) if all(isinstance(each, str) for each in texts) else None
