"""What docs/backup.psql writes beside a backup: what the database was in the backup's own snapshot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from noxgate.look.observation import shortened
from noxgate.trials.table_contents import Contents
from noxgate.trials.whole_catalog import Part


@dataclass(frozen=True)
class Recorded:
    """Its name, each table, and all that it is made of, as far as that was written down.

    A sequence has a position before the dump, and one after it.
    """

    database: str
    tables: Mapping[str, Contents]
    system: str | None = None
    sequences: Mapping[str, Sequence[Decimal]] = field(default_factory=dict)
    parts: Sequence[Part] = ()


def read_record(path: Path) -> Recorded:
    """AssertionError where a line is none; FileNotFoundError where there is no file."""
    tables: dict[str, Contents] = {}
    sequences: dict[str, list[Decimal]] = {}
    parts: list[Part] = []
    database, system = "", None
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        match line.split("\t"):
            case [""]:
                continue
            case ["database", name]:
                database = name
            case ["system", name]:
                system = name
            case ["part", text]:
                parts.append(Part(*("" if each is None else each for each in json.loads(text))))
            case ["sequence", name, position]:
                sequences.setdefault(name, []).append(Decimal(position))
            case [table, rows, digest] if rows.isdecimal():
                tables[table] = Contents(int(rows), digest)
            case _:
                raise AssertionError(
                    f"{path.name}:{number}: expected TABLE, ROWS, SUM, saw {shortened(line, 60)!r}"
                )
    return Recorded(database, tables, system, sequences, parts)
