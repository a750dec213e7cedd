"""How the release's tables are defined, on a real PostgreSQL with the rehearsal's own migration."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from noxgate.errors import UnreachableError
from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.postgres import released
from noxgate.systems.postgres.catalog import read_catalog
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.postgres.definitions import beside, not_allowed, unlike
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

ROOT = Path(__file__).parents[4]
NOX = ROOT / "src/nox_rehearsal/nox"
CATALOG = read_catalog(ROOT / "schema/8.0.0.toml")
API, FOREIGN = "nox_api", "nox_foreign"
FUNCTION = "CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
BESIDE = "CREATE TRIGGER another BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION undo()"
GRANTED = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {API};"

USERS = "id, email, display_name, role, oauth_provider, oauth_subject, settings, created_at, " + ", ".join(
    CATALOG.columns["users"]
)
COPIES = count()
OTHER_KEY = """
ALTER TABLE websocket_connections DROP CONSTRAINT websocket_connections_user_id_fkey,
ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE NOT VALID
"""
OTHER_LABELS = """
CREATE TYPE other AS ENUM ('none', 'toxic'); DROP VIEW reagents_by_weight;
ALTER TABLE reagents DROP hazard; DROP TYPE hazard; ALTER TYPE other RENAME TO hazard
"""
MAJOR = int(program("postgres").parents[1].name)
NOT_VALID = """
ALTER TABLE users ALTER mfa_enabled DROP NOT NULL;
ALTER TABLE users ADD CONSTRAINT later NOT NULL mfa_enabled NOT VALID
"""
# Before 18 there are no words for it: what 18 would keep of it.
KEPT = """
SET allow_system_table_mods = on;
INSERT INTO pg_constraint (
    oid, conname, connamespace, contype, condeferrable, condeferred, convalidated, conrelid, contypid,
    conindid, conparentid, confrelid, confupdtype, confdeltype, confmatchtype, conislocal, coninhcount,
    connoinherit, conkey
)
SELECT
    4711, 'later', relnamespace, 'n', false, false, false, c.oid, 0,
    0, 0, 0, ' ', ' ', ' ', true, 0,
    false, ARRAY[attnum]
FROM pg_class AS c JOIN pg_attribute AS a ON attrelid = c.oid AND attname = 'mfa_enabled'
WHERE c.oid = 'users'::regclass
"""
SLEEPS = "; ALTER TABLE computational_jobs DISABLE TRIGGER another"
SEQUENCE = """
CREATE SEQUENCE numbers OWNED BY migration_log.step;
ALTER TABLE migration_log ALTER step SET DEFAULT nextval('numbers')::text
"""

Made = Callable[..., Database]


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(MAJOR))
    server.create_roles([API, FOREIGN])
    yield server
    server.close()


@pytest.fixture(scope="module")
def migrated(server: ScratchServer) -> str:
    """A database on which the release's migration has run."""
    name = server.create()
    for script in ("db/schema_7.9.3.sql", "migrations/v8_to_v8.0.0.sql"):
        command = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", server.url(name), "-f", str(NOX / script)]
        subprocess.run(command, check=True, capture_output=True)
    return name


@pytest.fixture
def made(server: ScratchServer, migrated: str, loopback: "Loopback") -> Made:
    """Makes a copy of it, on which these statements have run."""

    def make(*statements: str) -> Database:
        name = f"copy_{next(COPIES)}"
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}".encode())
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        target = loopback.target(9)
        object.__setattr__(target, "variables", {"DATABASE_URL": server.url(name)})
        session = DatabaseSession(settings.database(target))
        loopback.at_end.append(session.close)
        return Database(session, lambda _: None)

    return make


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("ALTER TABLE users ALTER mfa_enabled DROP DEFAULT", "users.mfa_enabled: expected boolean NOT NULL"),
        ("ALTER TABLE users ALTER ai_daily_quota SET DEFAULT 1", "saw bigint NOT NULL DEFAULT 1"),
        ("ALTER TABLE users ALTER mfa_enabled DROP NOT NULL", "saw boolean DEFAULT false"),
        (NOT_VALID if MAJOR >= 18 else KEPT, "saw boolean NOT NULL NOT VALID DEFAULT false"),
        ("ALTER TABLE computational_jobs ALTER priority TYPE integer", "saw integer NOT NULL DEFAULT 5"),
        ('ALTER TABLE admin_audit_trail ALTER action TYPE text COLLATE "C"', 'saw text COLLATE "C" NOT NULL'),
        (
            "ALTER TABLE migration_log ALTER id DROP IDENTITY",
            "migration_log.id: expected bigint",
        ),
        ("ALTER TABLE migration_validation ALTER passed DROP EXPRESSION", "migration_validation.passed"),
        ("ALTER TABLE users DROP CONSTRAINT users_email_key", "users: expected UNIQUE (email), saw"),
        ("ALTER TABLE system_configuration DROP CONSTRAINT system_configuration_pkey", "PRIMARY KEY (id)"),
        (
            OTHER_KEY,
            "ON DELETE CASCADE, saw FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE NOT VALID",
        ),
        ("ALTER TABLE users DISABLE TRIGGER ALL", "(a trigger of it sleeps)"),
        ("DROP TABLE rate_limit_buckets", "rate_limit_buckets: expected PRIMARY KEY (id), saw none"),
        (OTHER_LABELS, "type hazard: expected none, irritant, toxic in this order, saw none, toxic"),
    ],
)
def test_other_definition_is_named(made: Made, broken: str, said: str) -> None:
    found = unlike(made(broken), CATALOG)

    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    "odd",
    [
        "SELECT 1",
        "ALTER DATABASE {} SET search_path = pg_catalog",  # definitions name their schema then
        "ALTER TABLE users ADD nickname text UNIQUE",
        "ALTER TABLE users ALTER display_name SET DEFAULT 'x'",  # an older column is not asked for
        "ALTER TYPE hazard ADD VALUE 'explosive' BEFORE 'toxic'",
        "ALTER TABLE users RENAME CONSTRAINT users_email_key TO people_email_once",
    ],
)
def test_odd_and_healthy(made: Made, odd: str) -> None:
    named = "DO $$BEGIN EXECUTE format($_$" + odd.format("%I") + "$_$, current_database()); END$$"
    assert unlike(made(named if "{}" in odd else odd), CATALOG) == []


def test_whole_catalog_is_there(made: Made) -> None:
    """As the migration leaves it."""
    assert released.amiss(made(), CATALOG) == {}


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("ALTER TABLE users DROP mfa_enabled", {"columns", "definitions"}),
        (f"DROP INDEX {next(iter(CATALOG.indexes))}", {"indexes"}),
        (f"DROP FUNCTION {CATALOG.functions[0]} CASCADE", {"functions", "bodies", "triggers"}),
    ],
)
def test_what_is_not_as_released_is_named(made: Made, broken: str, what: set[str]) -> None:
    """All of it, not what is found first."""
    found = released.amiss(made(broken), CATALOG)

    assert what <= found.keys() <= what | {"definitions"}


@pytest.mark.parametrize("empty", [{"columns": {}}, {"indexes": {}}])
def test_catalog_that_expects_nothing_proves_nothing(made: Made, empty: dict[str, object]) -> None:
    """Any database would have all of it."""
    assert "expected" in released.amiss(made(), replace(CATALOG, **empty))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statements", "known", "said"),
    [
        (BESIDE.format("computational_jobs"), (), ["computational_jobs: expected our triggers and those"]),
        (BESIDE.format("computational_jobs"), ("another",), []),
        (BESIDE.format("computational_jobs") + SLEEPS, (), []),
        (BESIDE.format("reagents"), (), []),
    ],
)
def test_another_trigger_beside_ours(
    made: Made, statements: str, known: tuple[str, ...], said: list[str]
) -> None:
    found = beside(made(FUNCTION + statements), replace(CATALOG, known_triggers=known))

    assert len(found) == len(said)
    assert all(line.startswith(start) for line, start in zip(found, said, strict=True))


@pytest.mark.parametrize(
    ("statements", "role", "said"),
    [
        (GRANTED, API, []),
        (f"GRANT pg_read_all_data, pg_write_all_data TO {API}", API, []),
        (
            f"{GRANTED} REVOKE INSERT ON migration_log FROM {API}",
            API,
            [f"migration_log: {API} has no right to INSERT"],
        ),
        (
            f"{GRANTED} REVOKE USAGE ON SCHEMA public FROM PUBLIC",
            API,
            [f"the schema: {API} has no right to USAGE"],
        ),
        (GRANTED + SEQUENCE, API, [f"numbers: {API} has no right to USAGE"]),
        (GRANTED + SEQUENCE + f"; GRANT UPDATE ON numbers TO {API}", API, []),
        (f"{GRANTED} REVOKE SELECT ON users FROM {API}; GRANT SELECT ({USERS}) ON users TO {API}", API, []),
    ],
)
def test_rights_of_the_application(
    made: Made, server: ScratchServer, statements: str, role: str, said: list[str]
) -> None:
    assert not_allowed(made(statements), CATALOG, role) == said
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"REVOKE pg_read_all_data, pg_write_all_data FROM {API}".encode())


def test_new_table_without_a_grant_is_named(made: Made) -> None:
    found = not_allowed(made(f"GRANT ALL ON users, computational_jobs TO {FOREIGN}"), CATALOG, FOREIGN)

    assert f"webvitals_metrics: {FOREIGN} has no right to SELECT" in found
    assert not any(line.startswith(("users", "computational_jobs")) for line in found)


@pytest.mark.parametrize(
    ("role", "said"), [(None, "saw none"), ("nobody_at_all", "which the server has not")]
)
def test_role_that_nobody_named_or_has(made: Made, role: str | None, said: str) -> None:
    database = made()
    with pytest.raises(UnreachableError, match=f"application_role: expected the role .*{said}"):
        not_allowed(database, CATALOG, role)
    assert not_allowed(database, replace(CATALOG, rights=()), role) == []
