"""What a migration takes from the version that serves: things, rights, freedoms that it had in the catalog.

That version has no word in the release: a UNIQUE that is gone, a right that is revoked, a CHECK that its rows
break, a trigger that sleeps. What is taken on purpose is listed beside the migration, in the release's
repository.
"""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from noxgate.errors import UnreachableError
from noxgate.machine.late import late
from noxgate.trials.whole_catalog import Pairs, Part, different_parts, told

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")

GONE, OTHER, NEW = "is gone", "is another now", "is new"
# They decide nothing; an invalid index was of no use.
_OF_NO_ACCOUNT = ("comment", "statistics", "invalid index", "index use")
_SETTINGS: LiteralString = (
    "SELECT coalesce(rolname, 'every role') || ' ' || split_part(each, '=', 1), each FROM pg_db_role_setting"
    " LEFT JOIN pg_roles AS r ON r.oid = setrole, unnest(setconfig) AS each"
    " WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


def settings(url: str) -> list[Part]:
    """Those of roles and of this database, which no dump has."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(_SETTINGS).fetchall()
    return [Part("setting", str(name), "", str(value)) for name, value in rows]


def differences(before: Iterable[Part], after: Iterable[Part]) -> list[str]:
    """Every one, to be shown."""
    return told(different_parts(before, after), GONE, NEW, OTHER)


def taken(before: Collection[Part], after: Collection[Part], wanted: Collection[str]) -> dict[str, str]:
    """By thing, as `constraint users.users_email_key`: what became of it.

    What is `wanted` by name, such as the release's own trigger, is not taken when it is new.
    """
    new = _New(before, after)
    pairs: Pairs = [
        (one, other)
        for one, other in different_parts(before, after)
        if (one or other).kind not in _OF_NO_ACCOUNT  # type: ignore[union-attr]
        and not (one is not None and other is not None and one.kind == "label")  # its place among others
        and not (one is not None and _is_validated(one, other))
        and (one is not None or (other is not None and other.name not in wanted and new.hinders(other)))
    ]
    lines = (line.rpartition(": ") for line in told(pairs, GONE, NEW, OTHER))
    return {thing: what for thing, _, what in lines}


def allowed(migration: Path) -> set[str]:
    """The list beside the migration, if there is one: a thing on each line, and comments after a #."""
    path = beside(migration)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreachableError(f"{path}: expected what the migration may take, saw {error}") from None
    return {line for text in lines if (line := text.partition("#")[0].strip())}


def beside(migration: Path) -> Path:
    """Where that list is."""
    return migration.with_suffix(".takes.txt")


def _is_validated(one: Part, other: Part | None) -> bool:
    """A constraint that met each new row before. Of a NOT NULL (since 18) its column alone is left then."""
    before, _, end = one.definition.rpartition(" NOT VALID")
    if one.kind != "constraint" or not before or end:
        return False
    return before.startswith("NOT NULL ") if other is None else other.definition == before


class _New:
    """What is new, and whether the version that serves may stumble over it."""

    def __init__(self, before: Collection[Part], after: Collection[Part]) -> None:
        self._places = {part.place for part in before if part.kind == "table"}
        self._columns = {(part.place, part.name) for part in before if part.kind == "column"}
        self._filled = {(part.place, part.name) for part in after if part.kind in ("default", "generated")}

    def hinders(self, part: Part) -> bool:
        if part.kind == "setting":
            return True
        if part.place not in self._places:
            return False
        if part.kind == "column":
            is_filled = (part.place, part.name) in self._filled or "identity" in part.definition
            return "NOT NULL" in part.definition and not is_filled
        if part.kind == "index":
            return part.definition.startswith("CREATE UNIQUE")
        if part.kind == "constraint":
            words = set(re.findall(r'"[^"]*"|[\w$]+', part.definition.partition(" REFERENCES ")[0]))
            refuses = not part.definition.endswith(" NOT ENFORCED")  # since 18
            return refuses and any((part.place, word) in self._columns for word in words)
        return part.kind in ("trigger", "rule", "policy")
