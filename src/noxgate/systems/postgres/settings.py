"""Settings that decide whether a session of a role can write: of the server, the database and the role."""

from collections.abc import Iterable

from noxgate.systems.postgres.catalog import Catalog
from noxgate.systems.postgres.database import Database

READ_ONLY = "default_transaction_read_only"


def unfit(database: Database, catalog: Catalog) -> list[str]:
    """Why it will not do as the application's: it is a standby, or takes no writes of the tables' owners."""
    ((is_standby,),) = database.rows("SELECT pg_is_in_recovery()")
    said = ["a standby, expected the primary"] if is_standby else []
    return said + read_only(database, owners(database, catalog.schema_name, catalog.columns))


def read_only(database: Database, roles: Iterable[str]) -> list[str]:
    """Whoever of these roles, or of all without a setting of their own, begins with read-only transactions.

    As PostgreSQL reads the value, which people spell in many ways. A setting of the role in this database
    wins over one of the role, that over one of the database, and that over the server's own.
    """
    ((server, source),) = database.rows(
        "SELECT reset_val::boolean, source FROM pg_settings WHERE name = 'default_transaction_read_only'"
    )
    rows = database.rows(
        "SELECT coalesce(r.rolname, ''), d.setdatabase <> 0, split_part(c, '=', 2)::boolean"
        " FROM pg_db_role_setting d LEFT JOIN pg_roles r ON r.oid = d.setrole, unnest(d.setconfig) AS c"
        " WHERE starts_with(c, 'default_transaction_read_only=') AND d.setdatabase IN"
        " (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 1, 2"
    )
    given = {(str(role), bool(here)): bool(on) for role, here, on in rows}
    # what our own role, or our address, was given says nothing of others
    of_all = bool(server) and source in {"configuration file", "command line", "environment variable"}
    found = []
    for role in ("", *roles):
        places = dict.fromkeys([(role, True), (role, False), ("", True), ("", False)])
        if next((given[place] for place in places if place in given), of_all):
            found.append(f"{role or 'every role'}: {READ_ONLY}=on")
    return found


def owners(database: Database, schema: str, tables: Iterable[str]) -> list[str]:
    """Who owns these tables."""
    rows = database.rows(
        "SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)"
        " AND c.relkind IN ('r', 'p') ORDER BY 1",
        schema=schema,
        names=sorted(tables),
    )
    return [str(owner) for (owner,) in rows]
