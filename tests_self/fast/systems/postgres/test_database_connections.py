"""Ways to a real PostgreSQL: behind PgBouncer, and as libpq reads an address."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from tests_self.building.databases import target_at

from noxgate.errors import UnreachableError
from noxgate.look.database_url import database_passwords, is_database_url
from noxgate.look.waiting import eventually
from noxgate.machine import postgresql
from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.trials.scratch import SUPERUSER, ScratchServer

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


CASE = "postgresql://nox_gate:n7Q2vX9pL4sT@pg-0.db:5432,pg-1.db:5432/nox_production?target_session_attrs=read-write"


@pytest.fixture
def pooled(server: ScratchServer) -> Iterator[str]:
    """The database through a PgBouncer that has one server connection, and lends it for a transaction."""
    folder = server.folder / "pool"
    folder.mkdir()
    settings = folder / "pgbouncer.ini"
    (folder / "users.txt").write_text(f'"{SUPERUSER}" ""\n')
    settings.write_text(
        f"""[databases]
* = host={server.folder} port=5432
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 1
"""
    )
    owner = postgresql.server_user()  # it refuses to run as root, too
    if owner is not None:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, owner.pw_uid, owner.pw_gid)
    url = f"postgresql://{SUPERUSER}@/postgres?host={folder}&port=6432"
    log = (folder.parent / "pool.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [program("pgbouncer"), settings], stdout=log, stderr=log, cwd="/", user=owner and owner.pw_uid
        ) as pool,
    ):

        def answers() -> None:
            assert pool.poll() is None, (folder.parent / "pool.log").read_text()
            try:
                psycopg.connect(url, connect_timeout=2).close()
            except psycopg.OperationalError as error:
                raise AssertionError(str(error)) from None

        try:
            eventually(answers, within=60, every=0.05)
            yield url
        finally:
            pool.kill()


def test_behind_pgbouncer(pooled: str, loopback: "Loopback") -> None:
    """Run after run on one server connection, on which the application then finds nothing of ours."""
    query = "SELECT current_setting('transaction_read_only'), current_setting('statement_timeout')"
    for _ in range(3):
        with closing(DatabaseSession(settings.database(target_at(loopback, pooled)))) as session:
            database = Database(session, lambda _: None)
            for _ in range(8):
                assert database.rows(query) == [("on", "8s")]

    with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as application:
        found = application.execute(
            "SELECT current_setting('default_transaction_read_only'),"
            " current_setting('transaction_read_only'), current_setting('statement_timeout'),"
            " (SELECT count(*) FROM pg_prepared_statements)"
        ).fetchone()
        assert found == ("off", "off", "0", 0)
        application.execute("CREATE TABLE IF NOT EXISTS written (x int)")


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://{user}@%2Fno%2Fsocket,{quoted}/postgres?target_session_attrs=read-write",
        "postgresql://{user}@/postgres?host=/no/socket,{folder}&port=5432,5432",
        "postgresql://{user}@{quoted}:5432/postgres?sslmode=prefer",
        "postgresql://?service=nox",
        "postgres:///postgres?service=nox",
        "service=nox",
        "host={folder} user='{user}' dbname = postgres",
    ],
)
def test_as_libpq_reads_it(
    server: ScratchServer, loopback: "Loopback", form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several hosts, a socket, a service file: the profile takes it, and the gate gets there."""
    url = form.format(user=SUPERUSER, folder=server.folder, quoted=quote(str(server.folder), safe=""))
    (tmp_path / "service").write_text(f"[nox]\nhost={server.folder}\nuser={SUPERUSER}\ndbname=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "service"))

    assert is_database_url(url)
    with closing(DatabaseSession(settings.database(target_at(loopback, url)))) as session:
        assert Database(session, lambda _: None).rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("query", "words"),
    [("target_session_attrs=standby", "standby"), ("service=nobody", "nobody")],
)
def test_what_libpq_refuses(server: ScratchServer, loopback: "Loopback", query: str, words: str) -> None:
    """In its words, and nothing is known of the database."""
    url = f"{server.url('postgres')}&{query}"
    with (
        closing(DatabaseSession(settings.database(target_at(loopback, url)))) as session,
        pytest.raises(UnreachableError, match=words),
    ):
        Database(session, lambda _: None).rows("SELECT 1")


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        (CASE, ["n7Q2vX9pL4sT"]),
        ("postgresql://nox:a%2Fb-secret@[::1]:5432,db/nox", ["a%2Fb-secret", "a/b-secret"]),
        ("postgresql://nox@/nox?host=/run/postgresql&password=a+secret", ["a secret"]),
        (r"host=db password='it\'s a secret' sslpassword=another", ["it's a secret", "another"]),
        ("host=/run/postgresql dbname=nox", []),
    ],
)
def test_forms_of_an_address(url: str, passwords: list[str]) -> None:
    """Taken, and what is secret in them is known."""
    assert is_database_url(url)
    assert database_passwords(url) == passwords


@pytest.mark.parametrize(
    "url",
    [
        *("postgresql:///nox", "postgresql://nox:secret@db:5432,db:99999/nox", "dbname=nox", "nox", ""),
        *("postgresql://nox:se/cret@a,b/nox", "host=db pass word", "mysql://db/nox", "postgresql://db:x/nox"),
        "postgresql://nox:se\ncret@db/nox",
    ],
)
def test_what_is_no_address(url: str) -> None:
    """The address is missing, or we could not know the password."""
    assert not is_database_url(url)
