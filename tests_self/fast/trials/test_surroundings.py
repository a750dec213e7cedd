"""What a database finds around it on its server: put on the scratch server, or said to be missing there."""

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from noxgate.errors import UnreachableError
from noxgate.machine.doctor import program
from noxgate.trials.lacking import extension, lack
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.surroundings import QUERY, Setting, Surroundings
from noxgate.trials.table_contents import contents

MAJOR = int(program("postgres").parents[1].name)


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(MAJOR))
    yield server
    server.close()


def test_settings_roles_and_tablespaces(server: ScratchServer) -> None:
    """As the target has them: of the database, of a role, and of a role in that database."""
    server.surround(
        Surroundings(
            roles={"api": "LOGIN", "owner": "NOINHERIT BYPASSRLS", 'O\'Neil, "x"': ""},
            members=(("owner", "api", ""),),
            settings=(
                Setting("", "search_path", 'app, "My Shop", public'),
                Setting("", "TimeZone", "Europe/Berlin"),
                Setting("", "app.tenant", "a, b"),
                Setting("api", "statement_timeout", "3s", here=False),
                Setting("api", "role", "owner"),
                Setting("", "default_tablespace", "fast"),
                Setting("", "default_transaction_read_only", "on"),
            ),
            tablespaces=("fast",),
            encoding="LATIN1",
            collate="de_XX.iso88591",
            ctype="de_XX.iso88591",
        )
    )
    empty = server.create()
    made = server.run(
        empty, "made.sql", 'CREATE SCHEMA "My Shop"; CREATE TABLE "My Shop".t (i int);', within=30
    )
    assert made.error is None
    copy = server.create(empty)
    asked: LiteralString = (
        "SELECT current_setting('search_path'), current_setting('timezone'), current_setting('app.tenant'),"
        " current_setting('default_tablespace'), current_setting('server_encoding'),"
        " to_regclass('t') IS NOT NULL"
    )
    found = ('app, "My Shop", public', "Europe/Berlin", "a, b", "fast", "LATIN1", True)
    assert server.execute(empty, asked) == [found]
    assert server.execute(copy, asked) == [found]
    assert server.execute(empty, "SHOW default_transaction_read_only") == [("off",)]
    assert server.execute(copy, "SHOW default_transaction_read_only") == [("on",)]
    with psycopg.connect(server.url(copy).replace("scratch@", "api@")) as connection:
        row = connection.execute("SELECT current_user, current_setting('statement_timeout')").fetchone()
    assert row == ("owner", "3s")
    kinds = {row[0] for row in server.execute(copy, QUERY)}
    assert kinds == {"role", "member", "setting", "tablespace", "extension", "database"}
    server.surround(Surroundings())


def test_what_a_member_may_do_with_the_role(server: ScratchServer) -> None:
    """Whoever made a role may give it away; since 16 it need not have its rights, nor become it."""
    options = "ADMIN OPTION" if MAJOR < 16 else "ADMIN OPTION, INHERIT false, SET false"
    plain = "" if MAJOR < 16 else "INHERIT true, SET true"
    members = (("clerks", "maker", options), ("clerks", "clerk", plain))
    server.surround(Surroundings(roles=dict.fromkeys(("clerks", "maker", "clerk"), "LOGIN"), members=members))

    found = {row[1:] for row in server.execute("postgres", QUERY) if row[0] == "member"}
    assert set(members) <= found
    asked: LiteralString = (
        "SELECT pg_has_role('maker', 'clerks', 'USAGE'), pg_has_role('clerk', 'clerks', 'USAGE')"
    )
    assert server.execute("postgres", asked) == [(MAJOR < 16, True)]
    server.create_roles(["guest"])
    with psycopg.connect(server.url("postgres", "maker"), autocommit=True) as connection:
        connection.execute("GRANT clerks TO guest")
    server.surround(Surroundings())


def test_what_the_target_does_at_each_login(server: ScratchServer) -> None:
    """A row for each of our own looks would be one that the backup has not; the application's are its own."""
    event = "login" if MAJOR >= 17 else "ddl_command_end"
    name = server.create()
    made = f"""
    CREATE TABLE logins (who text);
    CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
    AS $$BEGIN INSERT INTO public.logins VALUES (session_user); END$$;
    CREATE EVENT TRIGGER noted ON {event} EXECUTE FUNCTION note();
    """
    assert server.run(name, "made.sql", made, within=30).error is None

    assert [contents(server.url(name))["logins"].rows for _ in range(2)] == [0, 0]
    server.surround(Surroundings(roles={"visitor": "LOGIN"}))
    psycopg.connect(server.url(name, "visitor")).close()
    assert contents(server.url(name))["logins"].rows == (1 if MAJOR >= 17 else 0)
    server.surround(Surroundings())


def test_event_trigger_of_a_script(server: ScratchServer) -> None:
    """Such as one that shuts each new table: a schema that somebody wrote may have it first."""
    name = server.create()
    script = """
    CREATE FUNCTION shut() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE made record;
    BEGIN
        FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made.object_identity);
        END LOOP;
    END$$;
    CREATE EVENT TRIGGER shut ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION shut();
    CREATE TABLE t (n int);
    """

    assert server.run(name, "schema.sql", script, within=30).error is None
    assert server.execute(name, "SELECT relrowsecurity FROM pg_class WHERE relname = 't'") == [(True,)]


def test_setting_that_this_machine_does_not_know(server: ScratchServer) -> None:
    server.surround(Surroundings(settings=(Setting("", "lc_monetary", "xx_XX.UTF-8"),)))
    with pytest.raises(UnreachableError, match=r"does not take the target's setting lc_monetary = xx_XX"):
        server.create()
    server.surround(Surroundings())


def test_extension_of_the_target(server: ScratchServer) -> None:
    """Said before anything is restored."""
    with pytest.raises(
        UnreachableError, match=rf"^no extension postgis .*postgresql-{MAJOR}-postgis-3.*postgres_bin"
    ):
        server.surround(Surroundings(extensions=("plpgsql", "postgis")))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("CREATE EXTENSION IF NOT EXISTS nosuch;", r"no extension nosuch .*nosuch\.control"),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/nosuch', 'f';",
            r"no library (\$libdir/)?nosuch .* postgres_bin",
        ),
        ("CREATE COLLATION german (provider = libc, locale = 'xx_XX.utf8');", r"no collation xx_XX\.utf8 "),
        ('CREATE TABLE t (a text COLLATE "xx_XX.utf8");', r"no collation xx_XX\.utf8 .*locales-all"),
    ],
)
def test_what_the_scratch_server_lacks(server: ScratchServer, script: str, said: str) -> None:
    with pytest.raises(UnreachableError, match=said):
        server.run(server.create(), "dump.sql", script, within=30)


POSTGIS = """\
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;
CREATE TABLE public.sites (id integer NOT NULL, place public.geometry(Point,4326));
COPY public.sites (id) FROM stdin;
1
\\.
"""
PGVECTOR = """\
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS embeddings (id bigint PRIMARY KEY, embedding vector(3));
"""


@pytest.mark.parametrize(
    ("script", "package"),
    [
        (POSTGIS, f"postgresql-{MAJOR}-postgis-3"),
        (PGVECTOR, f"postgresql-{MAJOR}-pgvector"),
        (f"BEGIN;\n{PGVECTOR}COMMIT;\n", f"postgresql-{MAJOR}-pgvector"),
        (PGVECTOR.replace("vector;", "pg_stat_kcache;"), "postgresql_bin|apt-file|kcache"),
    ],
    ids=["a dump with PostGIS", "a migration with pgvector", "in a transaction", "one of no known package"],
)
def test_extensions_that_people_have_and_this_machine_has_not(
    server: ScratchServer, script: str, package: str
) -> None:
    """Neither the dump's fault nor the migration's: what to install is said."""
    with pytest.raises(UnreachableError, match=rf"^no extension .*({package})"):
        server.run(server.create(), "dump.sql", script, within=30)


@pytest.mark.parametrize(
    "message",
    [
        'relation "jobs" does not exist',
        'tablespace "fast" does not exist',
        'role "nox_owner" does not exist',
        'unrecognized configuration parameter "transaction_timeout"',
        'extension "citext" already exists',
        'syntax error at or near "collation"',
    ],
)
def test_what_is_the_scripts_own_fault(message: str) -> None:
    assert lack(message, 15) is None


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("vector", "postgresql-15-pgvector"),
        ("rdkit", "postgresql-15-rdkit"),
        ("plpython3u", "postgresql-plpython3-15"),
        ("ours", "apt-file search /ours.control"),
    ],
)
def test_where_an_extension_comes_from(name: str, package: str) -> None:
    assert package in extension(name, 15)


@pytest.mark.parametrize("command", ["restrict", "unrestrict"])
def test_psql_that_is_older_than_the_dump(command: str) -> None:
    """pg_dump writes it since 15.14, 16.10 and 17.6."""
    found = lack(f"invalid command \\{command}", 15)
    assert found is not None
    assert found.startswith(f"a dump with \\{command} in it, which the psql that is here does not know")
    assert lack("invalid command \\restricted", 15) is None


def test_library_that_must_be_loaded_at_the_start() -> None:
    found = lack("pg_cron can only be loaded via shared_preload_libraries", 15)
    assert found is not None
    assert found.startswith("pg_cron must be loaded when the server starts")
