"""Who owns a scratch database, and who may do what in it, as in the target: a superuser would not notice."""

from typing import TYPE_CHECKING, LiteralString

from noxgate.errors import UnreachableError
from noxgate.machine.late import late
from noxgate.systems.postgres.database import Database

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg = late("psycopg")
    sql = late("psycopg.sql")

_QUERY: LiteralString = """
SELECT pg_get_userbyid(datdba)::text, privilege_type, coalesce(rolname::text, '')
FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
LEFT JOIN pg_roles AS r ON r.oid = grantee
WHERE datname = current_database() ORDER BY 1, 2, 3
"""

Right = tuple[str, str, str]  # the owner, the right, and who has it: all roles, if none is named


def rights(database: Database) -> list[Right]:
    """Of the target's database itself; what is in it comes with its dump."""
    found: list[Right] = []
    for row in database.rows(_QUERY):
        match row:
            case (str(owner), str(right), str(role)):
                found.append((owner, right, role))
    return found


def hand_over(url: str, database: str, given: list[Right]) -> None:
    """Make a scratch database the owner's of the target's, with the same rights."""
    name = sql.Identifier(database)
    with psycopg.connect(url, autocommit=True) as connection:
        for owner in {owner for owner, _, _ in given}:
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(owner)))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        for _, right, role in given:
            grantee = sql.Identifier(role) if role else sql.SQL("PUBLIC")
            words = sql.SQL("GRANT {} ON DATABASE {} TO {}").format(sql.SQL(right), name, grantee)
            connection.execute(words)


def let_in(url: str, role: str, key: str) -> None:
    """A role that the profile names may log in here.

    Raises UnreachableError if the target does not have the role.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            raise UnreachableError(f"{key}: expected a role of the target's server, saw {role}: it has none")
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(role)))
