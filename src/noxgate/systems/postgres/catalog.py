"""The database catalog: what a release's migration must leave behind, and what is there."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

from noxgate.errors import UnreachableError
from noxgate.look.documents import of_toml
from noxgate.systems.postgres.database import Database

# Every schema but PostgreSQL's own: what the search path of our role finds first may be hidden from the
# application's, so each object is looked up with its schema.
_OURS: LiteralString = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_NAMED: LiteralString = "n.nspname = %(schema)s"


@dataclass(frozen=True)
class Thing:
    """An index or a trigger: its table, and its definition where it is known."""

    table: str
    definition: str | None = None


@dataclass(frozen=True)
class Catalog:
    """What must be in `schema_name`: `columns` by table, indexes and triggers by name, functions.

    `run_logs` are tables that each run of the migration adds rows to; `loses` are the tables, and the columns
    as table.column, whose rows the migration takes away or changes on purpose. `defined` are columns as
    table.column, `keys` the keys by table, `enums` the labels by type, `rights` what the application may do
    with each of the tables, `known_triggers` those that may stand beside ours.
    """

    schema_version: str
    schema_name: str
    columns: Mapping[str, tuple[str, ...]]
    indexes: Mapping[str, Thing]
    triggers: Mapping[str, Thing]
    functions: tuple[str, ...]
    run_logs: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    bodies: Mapping[str, str] = field(default_factory=dict)
    defined: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rights: tuple[str, ...] = ()
    known_triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trigger(Thing):
    """A trigger that is there, and the function that it calls."""

    function: str = ""


def read_catalog(path: Path) -> Catalog:
    """Read the expected catalog, such as `schema/8.0.0.toml`. Raises UnreachableError if it is not valid."""
    try:
        content = of_toml(path.read_text(encoding="utf-8"))
        catalog = Catalog(
            schema_version=content["schema_version"],
            schema_name=content.get("schema_name", "public"),
            columns={table: _names(columns) for table, columns in content["tables"].items()},
            indexes=_things(content["indexes"]),
            triggers=_things(content["triggers"]),
            functions=_names(content["functions"]["names"]),
            run_logs=_names(content.get("run_logs", [])),
            loses=_names(content.get("loses", [])),
            bodies=_texts(content["functions"].get("bodies", {})),
            defined=_texts(content.get("defined", {})),
            keys={table: _names(texts) for table, texts in content.get("keys", {}).items()},
            enums={name: _names(labels) for name, labels in content.get("enums", {}).items()},
            rights=_names(content.get("rights", [])),
            known_triggers=_names(content.get("known_triggers", [])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreachableError(
            f"{path.name}: expected a catalog, saw {type(error).__name__}: {error}"
        ) from None
    if not catalog.columns or not all(catalog.columns.values()) or not catalog.indexes:
        raise UnreachableError(f"{path.name}: expected tables with their columns, and indexes; saw none")
    return catalog


def columns(database: Database, schema: str, tables: Iterable[str]) -> set[tuple[str, str]]:
    """The (table, column) pairs that exist, of these tables."""
    rows = database.rows(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_NAMED} AND c.relname = ANY(%(names)s)"
        " AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2",
        schema=schema,
        names=sorted(tables),
    )
    return {(table, column) for table, column in rows}


def homes(database: Database, names: Iterable[str]) -> dict[str, list[str]]:
    """The schemas that have a table, view or index of each of these names."""
    found: dict[str, list[str]] = {}
    for name, home in database.rows(
        "SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE {_OURS} AND c.relkind <> 'S' AND c.relname = ANY(%(names)s) ORDER BY 1, 2",
        names=sorted(names),
    ):
        found.setdefault(name, []).append(home)
    return found


def valid_indexes(database: Database, schema: str, names: Iterable[str]) -> dict[str, Thing]:
    """Those that PostgreSQL may use, of these indexes: a failed CONCURRENTLY leaves others."""
    return {
        index: Thing(table, _plain(definition, schema))
        for index, table, definition in database.rows(
            "SELECT i.relname, t.relname, pg_get_indexdef(i.oid) FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
            f" JOIN pg_namespace n ON n.oid = i.relnamespace WHERE {_NAMED} AND i.relname = ANY(%(names)s)"
            " AND x.indisvalid AND x.indisready AND x.indislive ORDER BY 1, 2",
            schema=schema,
            names=sorted(names),
        )
    }


def enabled_triggers(database: Database, schema: str, names: Iterable[str]) -> dict[str, Trigger]:
    """Those that fire in an ordinary session, of these triggers."""
    return {
        trigger: Trigger(table, _plain(definition, schema), function)
        for trigger, table, definition, function in database.rows(
            "SELECT g.tgname, c.relname, pg_get_triggerdef(g.oid), p.proname FROM pg_trigger g"
            " JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid"
            f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_NAMED} AND g.tgname = ANY(%(names)s)"
            " AND p.pronamespace = n.oid AND NOT c.relispartition"
            " AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') ORDER BY 1, 2",
            schema=schema,
            names=sorted(names),
        )
    }


def functions(database: Database, schema: str, names: Iterable[str]) -> set[str]:
    """Those that exist, of these functions."""
    rows = database.rows(
        f"SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        f" WHERE {_NAMED} AND p.proname = ANY(%(names)s) ORDER BY 1",
        schema=schema,
        names=sorted(names),
    )
    return {name for (name,) in rows}


def bodies(database: Database, schema: str, names: Iterable[str]) -> dict[str, str]:
    """What each of these functions does, as a sum over its text: line ends and white space do not count."""
    rows = database.rows(
        "SELECT p.proname, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        f" WHERE {_NAMED} AND p.proname = ANY(%(names)s) ORDER BY p.oid",
        schema=schema,
        names=sorted(names),
    )
    texts: dict[str, str] = {}
    for name, text in rows:
        texts[name] = f"{texts.get(name, '')} {text}"
    return {
        name: hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16] for name, text in texts.items()
    }


def hidden_rows(database: Database, schema: str, tables: Iterable[str]) -> list[str]:
    """Those of these tables whose row security hides every row: it is on, and no policy permits one.

    The owner sees them all the same, unless it is forced.
    """
    rows = database.rows(
        "SELECT c.relname, CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'on, for all but the owner' END"
        f" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_NAMED}"
        " AND c.relname = ANY(%(names)s) AND c.relrowsecurity AND NOT EXISTS"
        " (SELECT FROM pg_policy WHERE polrelid = c.oid AND polpermissive) ORDER BY 1",
        schema=schema,
        names=sorted(tables),
    )
    return [f"{table}: row security is {how}, and no policy permits a row" for table, how in rows]


def other(expected: Mapping[str, Thing], found: Mapping[str, Thing]) -> dict[str, Thing | None]:
    """What is there in place of what is expected; a definition that is not known may be any."""
    return {
        name: found.get(name)
        for name, thing in expected.items()
        if name not in found
        or found[name].table != thing.table
        or (thing.definition is not None and found[name].definition != thing.definition)
    }


def _names(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise TypeError(f"expected a list of names, saw {given!r}")
    return tuple(given)


def _texts(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise TypeError(f"expected texts by name, saw {given!r}")
    return dict(given)


def _things(table: Mapping[str, Any]) -> dict[str, Thing]:
    """`name = "table"`, or `name = {table = "…", definition = "…"}`."""
    return {name: Thing(value) if isinstance(value, str) else Thing(**value) for name, value in table.items()}


def _plain(definition: str, schema: str) -> str:
    """The definition without the schema, which PostgreSQL names or not by the search path of who asks."""
    return " ".join(definition.replace(f" {schema}.", " ").split())
