"""The command that restores what the migration changed."""

import pytest
from tests_self.building.migrations import RESTORE
from tests_self.fast.trials.migration.workshop import Workshop

from noxgate.errors import UnreachableError


def test_restore(workshop: Workshop) -> None:
    """With the placeholders anywhere in the words."""
    words = ("psql", "-X", "--set=ON_ERROR_STOP=1", "--dbname={database}", "--file={file}")
    for restore in (RESTORE, words):
        restored = workshop.migration(restore=restore).restored()

        assert (restored.ran.error, restored.tables, restored.lost, restored.catalog) == (None, 1, {}, ())


def test_restore_of_nothing(workshop: Workshop) -> None:
    """Every row is there again, but there was no row: this proves nothing."""
    with pytest.raises(UnreachableError, match=r"schema\.sql has no row: nothing could get lost"):
        workshop.migration(schema="CREATE TABLE users (id bigint);").restored()


def test_restore_without_an_index(workshop: Workshop) -> None:
    """All rows are there, and the key is not."""
    words = (*RESTORE, "-c", "ALTER TABLE public.users DROP CONSTRAINT users_pkey")
    restored = workshop.migration(restore=words).restored()

    assert (restored.ran.error, restored.lost) == (None, {})
    assert "constraint users.users_pkey: is not restored" in restored.catalog


def test_restore_of_what_postgresql_writes_anew(workshop: Workshop) -> None:
    """An IN over varchar reads otherwise after the load, for the first time and never again."""
    schema = """
    CREATE FUNCTION made_on_windows() RETURNS int LANGUAGE sql AS '\r\n SELECT 1\r\n';
    CREATE TABLE jobs (id int, status varchar(9) CHECK (status IN ('queued', 'done')));
    CREATE INDEX open ON jobs (id) WHERE status IN ('queued', 'running');
    CREATE VIEW a_few AS SELECT * FROM jobs WHERE id BETWEEN 1 AND 9 AND status <> 'done';
    INSERT INTO jobs VALUES (1, 'done');
    """
    restored = workshop.migration(schema=schema).restored()

    assert (restored.ran.error, restored.lost, restored.catalog) == (None, {}, ())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "expected a command of psql or pg_restore, saw nothing"),
        (("sh", "-c", "psql {database} < {file}"), "saw sh"),
        (("psql", "-f", "{file}"), "expected {database} in the command"),
        (("psql", "-d", "{database}"), "expected {file} in the command"),
        ((*RESTORE, "-h", "db.nox"), "expected {database} and no other server"),
        ((*RESTORE, "-Xhdb.nox"), "no other server"),
        ((*RESTORE, "--hos=db.nox"), "no other server"),
        ((*RESTORE, "-d", "host=db.nox dbname=nox"), "no other server"),
        ((*RESTORE, "-d", "postgresql://nox:hunter2hunter2@db.nox/nox"), "no other server"),
        ((*RESTORE, "-c", "\\connect nox"), "no other server"),
    ],
)
def test_restore_that_might_lead_elsewhere(workshop: Workshop, words: tuple[str, ...], reason: str) -> None:
    """The rollback plan names the live server: a backup of ours must not get there, nor its password out."""
    with pytest.raises(AssertionError) as raised:
        workshop.migration(restore=words).restored()

    assert reason in str(raised.value)
    assert "hunter2" not in f"{raised.value} {workshop.observed}"


def test_restore_to_a_name_alone(workshop: Workshop) -> None:
    """A database's name means one on the scratch server, not one on this machine's own."""
    restored = workshop.migration(restore=(*RESTORE, "-d", "postgres_of_nobody")).restored()

    assert restored.ran.error is not None
    assert 'database "postgres_of_nobody" does not exist' in restored.ran.error
