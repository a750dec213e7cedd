"""All that a database is made of, but for its rows: thing by thing, to be compared with another's."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, LiteralString, NamedTuple, TypeAlias

from noxgate.machine.late import late
from noxgate.systems.postgres.database import Database

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"

_FILE = files("noxgate.trials").joinpath("whole_catalog.sql")
QUERY: LiteralString = _FILE.read_text(encoding="utf-8")
# What a value or a definition looks like as text hangs on these, and they on who asks. What row security
# hides from who asks is an error.
SPELLING: tuple[LiteralString, ...] = (
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL lc_monetary = 'C'",
    "SET LOCAL search_path = pg_catalog",
    "SET LOCAL quote_all_identifiers = off",
    "SET LOCAL row_security = off",
)

_HAVE_STATES = ("column", "trigger", "rule", "policy")
# What has columns, rights, an owner … of its own.
_HOLD_OTHERS = ("table", "view", "sequence", "function", "procedure", "type", "schema")


class Part(NamedTuple):
    """One thing: what it is; the table or other object that it belongs to, or is; its name there."""

    kind: str
    place: str
    name: str
    definition: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it this one and no other."""
        return self[:3]

    def __str__(self) -> str:
        place = self.place.replace("public.", "")
        if self.kind.endswith("index"):
            return f"{self.kind} {self.name.replace('public.', '')}"
        return f"{self.kind} {place}{': ' if self.kind == 'right' else '.' if self.name else ''}{self.name}"


Pairs: TypeAlias = "list[tuple[Part | None, Part | None]]"


def parts(connection: Connection) -> list[Part]:
    """Each thing of the database, in the open transaction; what belongs to an extension comes with that."""
    for statement in SPELLING:
        connection.execute(statement)
    return [_part(row) for row in connection.execute(QUERY.encode()).fetchall()]


def of_target(database: Database) -> list[Part]:
    """Each thing of the target's database."""
    return [_part(row) for row in database.catalog(QUERY, SPELLING, str(_FILE))]


def different_parts(here: Iterable[Part], there: Iterable[Part]) -> Pairs:
    """What is not the same: each pair has the one here and the one there, where there is one."""
    ours, theirs = ({part.key: part for part in side} for side in (here, there))
    return [
        (ours.get(key), theirs.get(key))
        for key in sorted({*ours, *theirs})
        if ours.get(key) != theirs.get(key)
    ]


def told(pairs: Pairs, only_here: str, only_there: str, other: str) -> list[str]:
    """A line for each; of what is on one side only, nothing that hangs on it."""
    alone = {
        (part.place, part.name if part.kind in _HAVE_STATES else "", one is None)
        for one, another in pairs
        if one is None or another is None
        if (part := one or another) is not None and part.kind in (*_HOLD_OTHERS, *_HAVE_STATES)
    }
    found = []
    for one, another in pairs:
        part = one or another
        assert part is not None
        if one is not None and another is not None:
            found.append(f"{part}: {other}")
        elif not alone & _above(part, is_there=one is None):
            found.append(f"{part}: {only_there if one is None else only_here}")
    return found


def without_partitions(given: Iterable[Part]) -> list[Part]:
    """Partitions come and go, each with all that hangs on it."""
    found = list(given)
    partitions = {
        part.place for part in found if part.kind == "table" and " FOR VALUES " in f"{part.definition} "
    } | {part.place for part in found if part.kind == "table" and part.definition.endswith(" DEFAULT")}
    theirs = partitions | {f"table {place}" for place in partitions}
    return [part for part in found if part.place not in theirs]


def _above(part: Part, *, is_there: bool) -> set[tuple[str, str, bool]]:
    """What this hangs on, which says enough if it is on this side only."""
    if part.kind in _HOLD_OTHERS:
        return set()
    found = {(part.place, "", is_there), (part.place.partition(" ")[2], "", is_there)}
    return found if part.kind in _HAVE_STATES else found | {(part.place, part.name, is_there)}


def _part(row: Sequence[object]) -> Part:
    return Part(*("" if each is None else str(each) for each in row))
