"""What a database finds around it on its server, and no dump has: roles, settings, tablespaces."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import LiteralString

from noxgate.systems.postgres.database import Database

QUERY: LiteralString = """
SELECT 'role', rolname::text, concat_ws(' ', CASE WHEN rolsuper THEN 'SUPERUSER' END,
    CASE WHEN NOT rolinherit THEN 'NOINHERIT' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
    CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcanlogin THEN 'LOGIN' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' END), ''
FROM pg_roles WHERE rolname !~ '^pg_'
UNION ALL
SELECT 'member', pg_get_userbyid(roleid)::text, pg_get_userbyid(member)::text, concat_ws(', ',
    CASE WHEN bool_or(admin_option) THEN 'ADMIN OPTION' END,
    'INHERIT ' || bool_or((to_jsonb(m) ->> 'inherit_option')::boolean),
    'SET ' || bool_or((to_jsonb(m) ->> 'set_option')::boolean))
FROM pg_auth_members AS m WHERE pg_get_userbyid(member) !~ '^pg_' GROUP BY roleid, member
UNION ALL
SELECT 'setting', coalesce(rolname::text, ''), CASE setdatabase WHEN 0 THEN '' ELSE 'here' END, each
FROM pg_db_role_setting LEFT JOIN pg_roles AS r ON r.oid = setrole, unnest(setconfig) AS each
WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
UNION ALL
SELECT 'tablespace', spcname::text, '', '' FROM pg_tablespace WHERE spcname !~ '^pg_'
UNION ALL
SELECT 'extension', extname::text, extversion, '' FROM pg_extension
UNION ALL
SELECT 'database', pg_encoding_to_char(encoding)::text, datcollate::text, datctype::text
FROM pg_database WHERE datname = current_database()
UNION ALL
SELECT 'provider', to_jsonb(d) ->> 'datlocprovider',
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', ''),
    coalesce(to_jsonb(d) ->> 'daticurules', '')
FROM pg_database AS d WHERE datname = current_database() AND to_jsonb(d) ->> 'datlocprovider' <> 'c'
ORDER BY 1, 2, 3, 4
"""
# They say what a server writes of itself, load what this machine may lack, and change no outcome.
_OF_NO_ACCOUNT = ("log_", "lc_messages", "local_preload_libraries", "session_preload_libraries", "track_")


@dataclass(frozen=True)
class Setting:
    """A setting of the database, of a role, or of a role in this database."""

    role: str
    name: str
    value: str
    here: bool = True


@dataclass(frozen=True)
class Surroundings:
    """As the target's server has them; roles with their attributes, of no database but this one."""

    roles: dict[str, str] = field(default_factory=dict)
    members: tuple[tuple[str, str, str], ...] = ()  # of a role, who is in it, and with which options
    settings: tuple[Setting, ...] = ()
    tablespaces: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    encoding: str = ""
    collate: str = ""
    ctype: str = ""
    provider: tuple[str, str, str] | None = None  # i (ICU) or b (builtin), its locale, its rules; else libc


def surroundings(database: Database) -> Surroundings:
    """Those of the target's database."""
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in database.rows(QUERY):
        match row:
            case (str(kind), str(name), str(one), str(other)):
                found[kind].append((name, one, other))
    encoding, collate, ctype = found["database"][0] if found["database"] else ("", "", "")
    return Surroundings(
        roles={name: attributes for name, attributes, _ in found["role"]},
        members=tuple(found["member"]),
        settings=tuple(
            Setting(role, *_halves(text), here=here != "")
            for role, here, text in found["setting"]
            if not text.startswith(_OF_NO_ACCOUNT)
        ),
        tablespaces=tuple(name for name, _, _ in found["tablespace"]),
        extensions=tuple(name for name, _, _ in found["extension"]),
        encoding=encoding,
        collate=collate,
        ctype=ctype,
        provider=next(iter(found["provider"]), None),
    )


def _halves(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
