"""A migration run as production's own roles, and what it takes from the version that serves."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import pytest
from tests_self.building.migrations import CATALOG, MAJOR, NOX, RESTORE

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

from noxgate.errors import UnreachableError
from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.postgres.catalog import read_catalog
from noxgate.systems.postgres.database import Database, DatabaseSession, Value
from noxgate.trials.migration.files import MigrationFiles
from noxgate.trials.migration.owning import hand_over, let_in
from noxgate.trials.migration.release import Migration
from noxgate.trials.migration.taken import beside, taken
from noxgate.trials.migration.trial import Trial
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.whole_catalog import Part

OWNER, API, OTHER = "nox_owner", "nox_api", "nox_other"
SCHEMA = f"""
CREATE TYPE state AS ENUM ('queued', 'done');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE users (
    id bigint PRIMARY KEY, email text CONSTRAINT users_email UNIQUE, age int DEFAULT 1, state state
);
CREATE TABLE jobs (id bigint PRIMARY KEY, user_id bigint REFERENCES users ON DELETE SET NULL);
CREATE INDEX users_age ON users (age);
CREATE TRIGGER stamped BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE users OWNER TO {OWNER};
ALTER TABLE jobs OWNER TO {OWNER};
ALTER FUNCTION stamp() OWNER TO {OWNER};
ALTER TYPE state OWNER TO {OWNER};
GRANT SELECT, INSERT, UPDATE, DELETE ON users, jobs TO {API};
CREATE TABLE foreign_to_us (id int);
ALTER TABLE foreign_to_us OWNER TO {OTHER};
INSERT INTO users SELECT n, 'user ' || n, n FROM generate_series(1, 9) AS n;
"""
NOT_OURS = "must be owner of table foreign_to_us"
CASCADE = (
    "ALTER TABLE jobs DROP CONSTRAINT jobs_user_id_fkey, ADD CONSTRAINT jobs_user_id_fkey"
    " FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE;"
)
EMPTIED = """
CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
"""
QUERIES = "SELECT id FROM users WHERE id = 2;\nUPDATE users SET age = 3 WHERE id = 2;\n"


class Asked(Database):
    """In place of the target's database, which `OWNER` owns and the API's role may connect to."""

    def __init__(self) -> None:
        pass

    def rows(self, query: LiteralString, **_: Value) -> list[tuple[Any, ...]]:
        if query == "SHOW server_version_num":
            return [(f"{MAJOR}0004",)]
        if "datacl" in query:
            return [(OWNER, "CONNECT", ""), (OWNER, "CREATE", OWNER)]
        if "rolname FROM pg_roles" in query:
            return [(OWNER,), (API,), (OTHER,)]
        return []


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    server.create_roles([OWNER, API, OTHER])
    yield server
    server.close()


@pytest.fixture
def made(server: ScratchServer, tmp_path: Path) -> Iterator[Callable[..., Migration]]:
    """Makes the rehearsal of a migration as the profile's roles."""
    trials: list[Trial] = []

    def make(script: str, schema: str = SCHEMA, **roles: Any) -> Migration:
        paths = [tmp_path / name for name in ("m.sql", "schema.sql", "queries.sql")]
        for path, text in zip(paths, (script, schema, QUERIES), strict=True):
            path.write_text(text)
        files = MigrationFiles("target.toml", paths[0], paths[1], paths[2], restore=RESTORE)
        files = dataclasses.replace(files, **({"migration_role": OWNER, "application_role": API} | roles))
        trials.append(Trial(files, server=server))
        return Migration(trials[-1], Asked(), lambda _: None)

    yield make
    for trial in trials:
        trial.close()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for role in (OWNER, API):
            connection.execute(f"ALTER ROLE {role} RESET ALL".encode())


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("ALTER TABLE foreign_to_us ADD x int;", NOT_OURS),
        ("RESET ROLE; ALTER TABLE foreign_to_us ADD x int;", NOT_OURS),
        ("SET SESSION AUTHORIZATION DEFAULT; ALTER TABLE foreign_to_us ADD x int;", NOT_OURS),
        ("CREATE ROLE nobody;", "permission denied to create role"),
        ("ALTER SYSTEM SET work_mem = '1GB';", "permission denied to set parameter"),
        ("COMMENT ON TABLE users IS 'ours'; CREATE TABLE made (id int); CREATE SCHEMA more;", None),
    ],
)
def test_migration_as_its_role(made: Callable[..., Migration], script: str, error: str | None) -> None:
    """Connected as it, not SET from a superuser; in the owner's database it may make what production lets."""
    found = made(script).first_run().error

    assert found is None if error is None else error in (found or "")


def test_migration_as_another_role(made: Callable[..., Migration]) -> None:
    """Who owns nothing makes nothing in schema public."""
    migration = made("CREATE TABLE made (id int);", migration_role=OTHER)

    assert "permission denied for schema public" in (migration.first_run().error or "")


def test_schema_without_owners(made: Callable[..., Migration]) -> None:
    """Then all is the scratch superuser's, and what is refused is not the migration's fault."""
    migration = made("ALTER TABLE users ADD x int;", schema="CREATE TABLE users (id int);")

    with pytest.raises(UnreachableError, match="names no owner, so that nox_owner may change nothing"):
        migration.first_run()


def test_role_that_is_not_there(made: Callable[..., Migration]) -> None:
    with pytest.raises(UnreachableError, match=r"target\.toml: migration_role: .* saw nobody: it has none"):
        made("SELECT 1;", migration_role="nobody").first_run()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("REVOKE UPDATE ON users FROM nox_api;", "permission denied for table users"),
        ("ALTER TABLE users ENABLE ROW LEVEL SECURITY;", "0 rows, 1 before the migration"),
        (
            "ALTER TABLE users RENAME TO people; CREATE VIEW users AS TABLE people;",
            "permission denied for view",
        ),
        ("ALTER TABLE users ADD x int;", None),
    ],
)
def test_old_queries_as_the_api(made: Callable[..., Migration], script: str, reason: str | None) -> None:
    """As the API's role they are asked: it sees what its rights and row security let it see."""
    broken = made(script).broken_queries()

    assert (broken == []) if reason is None else any(reason in each for each in broken)


@pytest.mark.parametrize(
    ("script", "takes"),
    [
        (
            "ALTER TABLE users DROP CONSTRAINT users_email;",
            {"constraint users.users_email": "is gone", "index users_email": "is gone"},
        ),
        ("DROP INDEX users_age;", {"index users_age": "is gone"}),
        ("REVOKE DELETE ON users FROM nox_api;", {"right table users: DELETE to nox_api": "is gone"}),
        ("ALTER TABLE users ENABLE ROW LEVEL SECURITY;", {"table users": "is another now"}),
        ("ALTER TABLE users FORCE ROW LEVEL SECURITY;", {"table users": "is another now"}),
        ("ALTER TABLE jobs SET UNLOGGED;", {"table jobs": "is another now"}),
        ("ALTER TABLE users ALTER age SET NOT NULL;", {"column users.age": "is another now"}),
        ("ALTER TABLE users ALTER age DROP DEFAULT;", {"default users.age": "is gone"}),
        ("ALTER TABLE jobs ADD x int NOT NULL;", {"column jobs.x": "is new"}),
        ("ALTER TABLE users ADD CHECK (age < 100);", {"constraint users.users_age_check": "is new"}),
        (CASCADE, {"constraint jobs.jobs_user_id_fkey": "is another now"}),
        ("ALTER TABLE users DISABLE TRIGGER stamped;", {"trigger state users.stamped": "is another now"}),
        (EMPTIED, {"function stamp()": "is another now"}),
        (
            "CREATE TRIGGER slow BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION stamp();",
            {"trigger users.slow": "is new"},
        ),
        ("CREATE UNIQUE INDEX users_ages ON users (age);", {"index users_ages": "is new"}),
        (
            "ALTER ROLE nox_owner SET statement_timeout = '1s';",
            {"setting nox_owner statement_timeout": "is new"},
        ),
        ("ALTER TYPE state RENAME VALUE 'done' TO 'over';", {"label state.'done'": "is gone"}),
        ("DROP TABLE jobs;", {"table jobs": "is gone"}),
    ],
)
def test_what_is_taken_from_the_version_that_serves(
    made: Callable[..., Migration], script: str, takes: dict[str, str]
) -> None:
    """Each is red unless the list beside the migration, in the release's repository, has it."""
    migration = made(script)
    assert migration.takes([]) == takes

    path = migration.files.migration
    assert path is not None
    beside(path).write_text("# on purpose\n" + "".join(f"{thing}  # why\n" for thing in takes))
    assert migration.takes([]) == {}


@pytest.mark.parametrize(
    "script",
    [
        "ALTER TABLE users ADD quota bigint NOT NULL DEFAULT 100, ADD note text;",
        "ALTER TABLE users ADD batch bigint CHECK (batch > 0) REFERENCES jobs ON DELETE SET NULL;",
        "CREATE TABLE made (id int PRIMARY KEY, age int NOT NULL CHECK (age > 0));",
        "CREATE TABLE made (id int); GRANT SELECT ON made TO nox_api;",
        "CREATE INDEX users_state ON users (state); CREATE VIEW old AS SELECT * FROM users WHERE age > 1;",
        "COMMENT ON TABLE users IS 'people'; ALTER TYPE state ADD VALUE 'begun' BEFORE 'done';",
        "CREATE TRIGGER wanted BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION stamp();",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON users TO nox_other;",
    ],
)
def test_what_takes_nothing(made: Callable[..., Migration], script: str) -> None:
    """What is new, and asks nothing of whoever does not know it; what the release wants by name."""
    assert made(script).takes(["wanted"]) == {}


@pytest.mark.parametrize("is_dumped", [True, False])
def test_migration_of_the_rehearsal_as_its_role(
    server: ScratchServer,
    loopback: "Loopback",
    tmp_path: Path,
    is_dumped: bool,  # noqa: FBT001
) -> None:
    """In a database as the rehearsal's production is: nothing is refused, taken, or held for long."""
    production = server.create()
    hand_over(server.url("postgres"), production, [(OWNER, "CONNECT", ""), (OWNER, "CREATE", OWNER)])
    let_in(server.url("postgres"), OWNER, "migration_role")
    text = "\n".join((NOX / "db" / name).read_text() for name in ("schema_7.9.3.sql", "seed.sql"))
    assert server.run(production, "production.sql", text, within=60, role=OWNER).error is None
    script = server.backup(production) if is_dumped else f"SET ROLE {OWNER};\n{text}\nRESET ROLE;\n"
    (tmp_path / "schema.sql").write_text(script, newline="")
    files = MigrationFiles(
        "target.toml",
        NOX / "migrations" / "v8_to_v8.0.0.sql",
        tmp_path / "schema.sql",
        NOX / "db" / "queries_7.9.3.sql",
        migration_role=OWNER,
        application_role=OWNER,
        restore=RESTORE,
    )
    target = loopback.target(9)
    object.__setattr__(target, "variables", {"DATABASE_URL": server.url(production)})
    session = DatabaseSession(settings.database(target))
    trial = Trial(files, server=server)
    loopback.at_end += [session.close, trial.close]
    migration = Migration(trial, Database(session, lambda _: None), lambda _: None)
    catalog = read_catalog(CATALOG)

    assert migration.unlike_the_target() == []
    assert migration.first_run().error is None
    assert migration.takes([*catalog.triggers, *catalog.indexes]) == {}
    assert migration.held_too_long(5) == []
    assert migration.second_run().error is None
    assert migration.broken_queries() == []


@pytest.mark.parametrize(
    ("definition", "hinders"),
    [
        ("CHECK ((age > 5))", True),
        ("CHECK ((age > 5)) NOT VALID", True),
        ("CHECK ((age > 5)) NOT ENFORCED", False),
        ("FOREIGN KEY (age) REFERENCES public.jobs(id) NOT ENFORCED", False),
        ("CHECK ((name <> ' NOT ENFORCED'::text))", True),
    ],
)
def test_new_constraint_that_is_not_enforced(definition: str, *, hinders: bool) -> None:
    """As 18 writes one: it refuses no row of the version that serves."""
    table = [Part("table", "public.users", "", "")]
    before = [*table, *(Part("column", "public.users", name, "text") for name in ("age", "name"))]

    found = taken(before, [*before, Part("constraint", "public.users", "later", definition)], set())
    assert found == ({"constraint users.later": "is new"} if hinders else {})


@pytest.mark.parametrize(
    ("column", "found"),
    [("integer NOT NULL", {}), ("integer", {"column users.age": "is another now"})],
    ids=["validated", "dropped"],
)
def test_not_null_that_is_validated(column: str, found: dict[str, str]) -> None:
    """Since 18, as some do a release later: it took the same rows before."""
    table = Part("table", "public.users", "", "")
    later = Part("constraint", "public.users", "later", "NOT NULL age NOT VALID")
    age = Part("column", "public.users", "age", "integer NOT NULL")

    assert taken([table, age, later], [table, age._replace(definition=column)], set()) == found


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        ("CHECK ((age > 5))", {}),
        ("CHECK ((age > 6))", {"constraint users.later": "is another now"}),
        ("CHECK ((age > 5)) NOT ENFORCED", {"constraint users.later": "is another now"}),
        (None, {"constraint users.later": "is gone"}),
    ],
)
def test_check_that_is_validated(definition: str | None, found: dict[str, str]) -> None:
    table = Part("table", "public.users", "", "")
    later = Part("constraint", "public.users", "later", "CHECK ((age > 5)) NOT VALID")
    after = [] if definition is None else [later._replace(definition=definition)]

    assert taken([table, later], [table, *after], set()) == found
