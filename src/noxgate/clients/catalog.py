"""The database catalog: what a release's migration must leave behind, and what is there."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from noxgate.clients.database import Database
from noxgate.target import UnreachableError

# Every schema but PostgreSQL's own: what the search path of our role finds first may be hidden from the
# application's, so each object is looked up with its schema.
_OURS: LiteralString = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"


@dataclass(frozen=True)
class Thing:
    """An index or a trigger: its table, and its definition where it is known."""

    table: str
    definition: str | None = None


@dataclass(frozen=True)
class Catalog:
    """What must be in `schema_name`: `columns` by table, indexes and triggers by name, functions.

    `run_logs` are tables that each run of the migration adds rows to; `loses` are the tables, and the columns
    as table.column, whose rows the migration takes away or changes on purpose.
    """

    schema_version: str
    schema_name: str
    columns: Mapping[str, tuple[str, ...]]
    indexes: Mapping[str, Thing]
    triggers: Mapping[str, Thing]
    functions: tuple[str, ...]
    run_logs: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trigger(Thing):
    """A trigger that is there, and the function that it calls."""

    function: str = ""


def read_catalog(path: Path) -> Catalog:
    """Read the expected catalog, such as `schema/8.0.0.toml`; UnreachableError where it is none."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        catalog = Catalog(
            schema_version=content["schema_version"],
            schema_name=content.get("schema_name", "public"),
            columns={table: _names(columns) for table, columns in content["tables"].items()},
            indexes=_things(content["indexes"]),
            triggers=_things(content["triggers"]),
            functions=_names(content["functions"]["names"]),
            run_logs=_names(content.get("run_logs", [])),
            loses=_names(content.get("loses", [])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreachableError(
            f"{path.name}: expected a catalog, saw {type(error).__name__}: {error}"
        ) from None
    if not catalog.columns or not all(catalog.columns.values()) or not catalog.indexes:
        raise UnreachableError(f"{path.name}: expected tables with their columns, and indexes; saw none")
    return catalog


def columns(database: Database, schema: str) -> set[tuple[str, str]]:
    """The (table, column) pairs that exist."""
    return {
        (table, column)
        for home, table, column in database.rows(
            "SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} AND c.relkind IN ('r', 'p')"
            " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 3"
        )
        if home == schema
    }


def homes(database: Database, names: Iterable[str]) -> dict[str, list[str]]:
    """The schemas that have a table, view or index of each of these names."""
    wanted = set(names)
    found: dict[str, list[str]] = {}
    for name, home in database.rows(
        "SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE {_OURS} AND c.relkind <> 'S' ORDER BY 1, 2"
    ):
        if name in wanted:
            found.setdefault(name, []).append(home)
    return found


def valid_indexes(database: Database, schema: str) -> dict[str, Thing]:
    """The indexes that PostgreSQL may use: a failed CONCURRENTLY leaves others."""
    return {
        index: Thing(table, _plain(definition, schema))
        for home, index, table, definition in database.rows(
            "SELECT n.nspname, i.relname, t.relname, pg_get_indexdef(i.oid) FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
            f" JOIN pg_namespace n ON n.oid = i.relnamespace WHERE {_OURS}"
            " AND x.indisvalid AND x.indisready AND x.indislive ORDER BY 1, 2"
        )
        if home == schema
    }


def enabled_triggers(database: Database, schema: str) -> dict[str, Trigger]:
    """The triggers that fire in an ordinary session."""
    return {
        trigger: Trigger(table, _plain(definition, schema), function)
        for home, trigger, table, definition, function in database.rows(
            "SELECT n.nspname, g.tgname, c.relname, pg_get_triggerdef(g.oid), p.proname FROM pg_trigger g"
            " JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid"
            f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} AND p.pronamespace = n.oid"
            " AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') ORDER BY 1, 2"
        )
        if home == schema
    }


def functions(database: Database, schema: str) -> set[str]:
    """The names of the functions that exist."""
    return {
        name
        for home, name in database.rows(
            "SELECT DISTINCT n.nspname, p.proname FROM pg_proc p"
            f" JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_OURS} ORDER BY 1, 2"
        )
        if home == schema
    }


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


def _things(table: Mapping[str, Any]) -> dict[str, Thing]:
    """`name = "table"`, or `name = {table = "…", definition = "…"}`."""
    return {name: Thing(value) if isinstance(value, str) else Thing(**value) for name, value in table.items()}


def _plain(definition: str, schema: str) -> str:
    """The definition without the schema, which PostgreSQL names or not by the search path of who asks."""
    return " ".join(definition.replace(f" {schema}.", " ").split())
