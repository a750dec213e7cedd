"""Large and plain databases, and the settings of roles, on a real PostgreSQL."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from noxgate.machine.doctor import program
from noxgate.systems.postgres import catalog, search_path, settings
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.settings import database as settings_of
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

OWNER, OTHER = "nox_owner", "nox_other"
BOTH = (
    "ALTER DATABASE here SET default_transaction_read_only = on; "
    f"ALTER ROLE {OWNER} SET default_transaction_read_only = off"
)


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    server.create_roles([OWNER, OTHER])
    yield server
    server.close()


def database(server: ScratchServer, loopback: "Loopback", *statements: str) -> Database:
    """A database in which these have run, `here` being its name."""
    here = server.create()
    with psycopg.connect(server.url(here), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.replace("DATABASE here", f"DATABASE {here}").encode())
    target = loopback.target(9)
    object.__setattr__(target, "variables", {"DATABASE_URL": server.url(here)})
    session = DatabaseSession(settings_of(target))
    loopback.at_end.append(session.close)
    return Database(session, lambda _: None)


def test_many_partitions(server: ScratchServer, loopback: "Loopback") -> None:
    """In another schema, and in the application's own, with more columns than a look has rows."""
    columns = ", ".join(f"c{n} int" for n in range(20))
    homes = ("metrics", "public")
    fill = """DO $$BEGIN FOR n IN 1..300 LOOP EXECUTE format(
        'CREATE TABLE %I.p%s PARTITION OF %I.events FOR VALUES IN (%s)', {0}, n, {0}, n
    ); END LOOP; END$$"""
    asked = database(
        server,
        loopback,
        "CREATE SCHEMA metrics",
        *(f"CREATE TABLE {home}.events (at int, {columns}) PARTITION BY LIST (at)" for home in homes),
        *(f"CREATE INDEX events_at ON {home}.events (at)" for home in homes),
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER counted AFTER INSERT ON public.events FOR EACH ROW EXECUTE FUNCTION f()",
        *(fill.format(f"'{home}'") for home in homes),
    )

    assert len(catalog.columns(asked, "public", ["events"])) == 21
    assert catalog.homes(asked, ["events"]) == {"events": ["metrics", "public"]}
    assert catalog.valid_indexes(asked, "public", ["events_at"])["events_at"].table == "events"
    assert catalog.enabled_triggers(asked, "public", ["counted"])["counted"].table == "events"
    assert catalog.functions(asked, "public", ["f", "g"]) == {"f"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        *(
            (f"ALTER DATABASE here SET default_transaction_read_only = {no}", [])
            for no in ("false", "'no'", "0", "'of'")
        ),
        *(
            (f"ALTER DATABASE here SET default_transaction_read_only = {yes}", ["every role", OWNER])
            for yes in ("on", "true", "'yes'", "1", "'t'")
        ),
        (f"ALTER ROLE {OWNER} IN DATABASE here SET default_transaction_read_only = true", [OWNER]),
        (f"ALTER ROLE {OWNER} SET default_transaction_read_only = on", [OWNER]),
        (f"ALTER ROLE {OTHER} SET default_transaction_read_only = on", []),
        (BOTH, ["every role"]),
        ("ALTER DATABASE here SET default_transaction_deferrable = on", []),
    ],
)
def test_who_cannot_write(
    server: ScratchServer, loopback: "Loopback", statements: str, expected: list[str]
) -> None:
    """However the value is spelt, and for whomever it is set; what others were given does not count."""
    asked = database(
        server,
        loopback,
        f"ALTER ROLE {OWNER} RESET ALL",
        f"ALTER ROLE {OTHER} RESET ALL",
        f"CREATE TABLE jobs (id int); ALTER TABLE jobs OWNER TO {OWNER}",
        *statements.split("; "),
    )

    assert settings.owners(asked, "public", ["jobs"]) == [OWNER]
    found = settings.read_only(asked, [OWNER])
    assert found == [f"{who}: default_transaction_read_only=on" for who in expected]


OURS = f"CREATE TABLE jobs (id int); GRANT INSERT ON jobs TO {OWNER}"
COPY = f"{OURS}; CREATE SCHEMA archive; CREATE TABLE archive.jobs (LIKE public.jobs)"
FIRST = f"ALTER ROLE {OWNER} SET search_path = archive, public"
LATER = f"ALTER ROLE {OWNER} SET search_path = public, archive"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (COPY, ["public"]),  # an archive, which is in no search path
        (f"{COPY}; {LATER}", ["public"]),
        (f"{COPY}; {FIRST}", ["archive", "public"]),
        (f"{COPY}; {FIRST}; ALTER ROLE {OWNER} NOLOGIN", ["public"]),
        (f"{COPY}; {FIRST.replace(OWNER, OTHER)}", ["public"]),  # who may write nothing of ours
        (f"{COPY}; ALTER DATABASE here SET search_path = archive", ["archive", "public"]),
        (f"{COPY}; {FIRST}; ALTER ROLE {OWNER} IN DATABASE here SET search_path = public", ["public"]),
        (f"{COPY.replace('archive', OWNER)}", [OWNER, "public"]),  # "$user" comes first
        (f"{COPY.replace('archive', OTHER)}", ["public"]),
        ("CREATE SCHEMA archive; CREATE TABLE archive.jobs (id int)", ["archive"]),
        ("SELECT", None),
    ],
)
def test_a_second_table_of_a_name(
    server: ScratchServer, loopback: "Loopback", statements: str, expected: list[str] | None
) -> None:
    """It hides ours from whoever looks there first, and from no other."""
    reset = (f"ALTER ROLE {who} LOGIN; ALTER ROLE {who} RESET ALL" for who in (OWNER, OTHER))
    asked = database(server, loopback, *reset, *statements.split("; "))

    found = search_path.homes(asked, "public", ["jobs"])
    assert found == ({} if expected is None else {"jobs": expected})


def test_what_functions_do_and_who_sees_rows(server: ScratchServer, loopback: "Loopback") -> None:
    """An emptied function keeps its name, and row security without a policy every row."""
    head = "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
    asked, again, emptied = (
        database(
            server, loopback, f"{head}'{body}'", "CREATE TABLE jobs (id int)", f"ALTER TABLE jobs {secured}"
        )
        for body, secured in (
            ("BEGIN NEW.id := 1; RETURN NEW; END", "ENABLE ROW LEVEL SECURITY"),
            ("BEGIN NEW.id := 1;\r\n RETURN NEW; END\n", "NO FORCE ROW LEVEL SECURITY"),
            ("BEGIN RETURN NEW; END", "FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY"),
        )
    )

    sums = [catalog.bodies(each, "public", ["f", "g"]) for each in (asked, again, emptied)]
    assert sums[0] == sums[1]
    assert sums[0] != sums[2]
    assert set(sums[2]) == {"f"}
    hidden = [catalog.hidden_rows(each, "public", ["jobs"]) for each in (asked, again, emptied)]
    assert [len(each) for each in hidden] == [1, 0, 1]
    assert "row security is forced" in hidden[2][0]
