"""Databases of the scratch server, made as the target's is: its roles, settings, tablespaces, encoding."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString, TypeAlias

from noxgate.errors import UnreachableError
from noxgate.machine.late import late
from noxgate.trials.surroundings import Surroundings

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg = late("psycopg")
    sql = late("psycopg.sql")

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"

# Settings whose value is a list of names: quoted one by one.
_LISTS = ("search_path", "temp_tablespaces", "datestyle")
_PROVIDERS: dict[str, LiteralString] = {
    "i": " LOCALE_PROVIDER icu ICU_LOCALE {}",
    "b": " LOCALE_PROVIDER builtin BUILTIN_LOCALE {}",
}
STRATEGIES = 150_000  # PostgreSQL 15 has two ways to copy a database, those before have FILE_COPY alone
# They would keep even a dump out of an empty database.
_KEEPS_OUT = ("default_transaction_read_only",)


def create(connection: Connection, database: str, template: str, like: Surroundings) -> None:
    """An empty database has the encoding of the target's, and its locale where this machine has that."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(database), sql.Identifier(template)
    )
    if connection.info.server_version >= STRATEGIES:  # the other one writes all of it into the log, too
        statement += sql.SQL(" STRATEGY FILE_COPY")
    for locale in _locales(like) if like.encoding else []:
        try:
            connection.execute(statement + locale)
        except psycopg.Error:
            continue
        return
    connection.execute(statement)


def _locales(like: Surroundings) -> Iterator["sql.Composed"]:
    """The target's, then those that are ever less like it. C alone knows no letter but those of ASCII."""
    libc = [
        sql.SQL(" ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(like.encoding, collate, ctype)
        for collate, ctype in ((like.collate, like.ctype), ("C.UTF-8", "C.UTF-8"), ("C", "C"))
    ]
    kind, name, rules = like.provider or ("", "", "")
    if kind in _PROVIDERS:
        own = sql.SQL(_PROVIDERS[kind]).format(name)
        if rules:
            own += sql.SQL(" ICU_RULES {}").format(rules)
        yield from (each + own for each in libc)
    yield from libc


def settle(connection: Connection, database: str, around: Surroundings, *, is_empty: bool) -> None:
    """The settings of the target's database; those of its roles in it, too."""
    name = sql.Identifier(database)
    for each in around.settings:
        if (is_empty and each.name in _KEEPS_OUT) or (each.role and not each.here):
            continue
        start = sql.SQL("ALTER DATABASE {}").format(name)
        if each.role:
            start = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(each.role), name)
        _set(connection, start, each.name, each.value)


def roles(connection: Connection, around: Surroundings, ours: str) -> None:
    """Attributes, memberships and settings of roles that are there."""
    for role, attributes in around.roles.items():
        if attributes and role != ours:
            words = sql.SQL(" ").join(sql.SQL(word) for word in attributes.split())
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), words))
    for role, member, options in around.members:
        if member != ours:
            grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member))
            connection.execute(grant + sql.SQL(f" WITH {options}" if options else ""))
    for each in around.settings:
        if each.role and not each.here and each.role != ours:
            start = sql.SQL("ALTER ROLE {}").format(sql.Identifier(each.role))
            _set(connection, start, each.name, each.value)


def tablespace(connection: Connection, name: str, home: Path) -> None:
    """One more place, in the server's own folder."""
    connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(name), str(home)))


def _set(connection: Connection, start: "sql.Composed", name: str, value: str) -> None:
    is_list = name.lower() in _LISTS
    words = [word.strip().strip('"') for word in value.split(",")] if is_list else [value]
    values = sql.SQL(", ").join(map(sql.Literal, words))
    statement = start + sql.SQL(" SET {} TO {}").format(sql.Identifier(*name.split(".")), values)
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise UnreachableError(
            f"the scratch server does not take the target's setting {name} = {value}: {reason}"
        ) from None
