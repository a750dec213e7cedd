"""Where a name without a schema leads: a table hides another of its name whose schema comes later."""

import re
from collections.abc import Iterable, Iterator

from noxgate.systems.postgres import catalog
from noxgate.systems.postgres.database import Database

_PART = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')
_OF_ALL = {"configuration file", "command line", "environment variable", "default"}


def homes(database: Database, schema: str, names: Iterable[str]) -> dict[str, list[str]]:
    """The schemas of each name's tables, views and indexes: ours, and those in which a session looks before.

    A copy in a schema that neither we nor whoever may write our tables looks into, such as an archive, hides
    nothing.
    """
    everywhere = catalog.homes(database, names)
    others = {home for its in everywhere.values() for home in its} - {schema}
    hiding = set(_hiding(database, schema)) if others else set()
    found = {name: [home for home in its if home in {schema, *hiding}] for name, its in everywhere.items()}
    return {name: its or everywhere[name] for name, its in found.items()}


def _hiding(database: Database, schema: str) -> Iterator[str]:
    """The schemas that come before ours where somebody looks; all of them, where ours is not among them."""
    ((own,),) = database.rows("SELECT current_schemas(false)::text[]")
    yield from _before([str(each) for each in own], schema)
    ((value,),) = database.rows(
        "SELECT CASE WHEN source = ANY(%(of_all)s) THEN reset_val ELSE boot_val END FROM pg_settings"
        " WHERE name = 'search_path'",
        of_all=sorted(_OF_ALL),
    )
    rows = database.rows(
        "SELECT coalesce(r.rolname, ''), d.setdatabase <> 0, substr(c, length('search_path=') + 1)"
        " FROM pg_db_role_setting d LEFT JOIN pg_roles r ON r.oid = d.setrole, unnest(d.setconfig) AS c"
        " WHERE starts_with(c, 'search_path=') AND d.setdatabase IN"
        " (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 1, 2"
    )
    given = {(str(who), bool(here)): str(text) for who, here, text in rows}
    for who in _writers(database, schema):
        places = dict.fromkeys([(who, True), (who, False), ("", True), ("", False)])
        path = next((given[place] for place in places if place in given), str(value))
        yield from _before(list(_parts(path, who)), schema)


def _writers(database: Database, schema: str) -> list[str]:
    """Who may sign in and write a table of the schema: as one of them the application does."""
    rows = database.rows(
        "SELECT rolname::text FROM pg_roles r WHERE rolcanlogin AND EXISTS (SELECT FROM pg_class c"
        " WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND c.relkind IN ('r', 'p')"
        " AND has_table_privilege(r.oid, c.oid, 'INSERT')) ORDER BY 1",
        schema=schema,
    )
    return [str(who) for (who,) in rows]


def _before(path: list[str], schema: str) -> list[str]:
    return path[: path.index(schema)] if schema in path else path


def _parts(path: str, role: str) -> Iterator[str]:
    """The schemas of a setting, as PostgreSQL reads it."""
    for quoted, plain in _PART.findall(path):
        name = quoted.replace('""', '"') or plain.lower()
        yield role if name == "$user" else name
