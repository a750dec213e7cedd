"""The database catalog: what a release's migration must leave behind, and what is there."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from noxgate.clients.database import Database

# Objects in the schemas of the connection's own search path, as an application would find them.
_HERE: LiteralString = "n.nspname = ANY (current_schemas(false))"


@dataclass(frozen=True)
class Catalog:
    """Names only: `columns` by table; `indexes` and `triggers` name the table they belong to."""

    schema_version: str
    columns: Mapping[str, tuple[str, ...]]
    indexes: Mapping[str, str]
    triggers: Mapping[str, str]
    functions: tuple[str, ...]


def read_catalog(path: Path) -> Catalog:
    """Read the expected catalog, such as `schema/8.0.0.toml`."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return Catalog(
        schema_version=content["schema_version"],
        columns={table: tuple(columns) for table, columns in content["tables"].items()},
        indexes=content["indexes"],
        triggers=content["triggers"],
        functions=tuple(content["functions"]["names"]),
    )


def columns(database: Database) -> set[tuple[str, str]]:
    """The (table, column) pairs that exist."""
    return {
        (table, column)
        for table, column in database.rows(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_HERE} AND c.relkind IN ('r', 'p')"
            " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2"
        )
    }


def valid_indexes(database: Database) -> dict[str, str]:
    """Index name -> table, for the indexes that PostgreSQL may use: a failed CONCURRENTLY leaves others."""
    return dict(
        database.rows(
            "SELECT i.relname, t.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
            " JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = i.relnamespace"
            f" WHERE {_HERE} AND x.indisvalid AND x.indisready AND x.indislive ORDER BY 1"
        )
    )


def enabled_triggers(database: Database) -> dict[str, str]:
    """Trigger name -> table, for the triggers that fire in an ordinary session."""
    return dict(
        database.rows(
            "SELECT g.tgname, c.relname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid"
            f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_HERE}"
            " AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') ORDER BY 1"
        )
    )


def functions(database: Database) -> set[str]:
    """The names of the functions that exist."""
    return {
        name
        for (name,) in database.rows(
            "SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            f" WHERE {_HERE} ORDER BY 1"
        )
    }
