"""Runbook 3, backup: a file with a good name proves nothing, so it is read whole, and restored."""

from datetime import UTC, datetime, timedelta

import pytest

from nox_service.clients import Clients
from noxgate.project.runbook import Limits
from noxgate.systems.postgres.run_log import first_run_start
from noxgate.trials.backup.proof import (
    as_recorded,
    beyond_writes,
    lacking_since,
    misplaced_sequences,
    out_of_place,
)
from noxgate.trials.backup.tonight import Backup, different_tables

# The stamp in the name is in the time zone of whoever made it.
ZONES = timedelta(hours=14)


@pytest.mark.runbook("prep.backup-complete")
def test_backup_is_whole_and_pure(backup: Backup, limits: Limits) -> None:
    """A failed pg_dump leaves an empty file, a broken one no end; `exec -it` mixes messages in."""
    form = backup.form()

    assert form.size >= limits["bytes"]
    assert form.begins, "expected the first lines of pg_dump's plain SQL, saw others"
    assert form.carriage_returns == 0, f"{form.carriage_returns} lines of pg_dump's end in a carriage return"
    assert form.elsewhere == (), f"lines lead into another database than the empty one: {form.elsewhere}"
    assert form.noise == (), f"messages stand between the lines: {form.noise}"
    assert form.ends, "expected pg_dump's closing lines at the end, saw others: it was cut off"


@pytest.mark.runbook("prep.backup-age")
def test_backup_was_taken_just_before(clients: Clients, backup: Backup, limits: Limits) -> None:
    """Before the migration, if that has run; else before now. A copy has a new time, and its old name."""
    limit = timedelta(minutes=limits["age_minutes"])
    times = backup.times()
    migrated = first_run_start(clients.database, clients.catalog)
    until = migrated or datetime.now(UTC)

    assert times.written <= until, "the backup was taken after the migration began"
    assert until - times.written <= limit, f"it is older: {until - times.written} before the migration"
    assert times.named is not None, "expected YYYYMMDD_HHMMSS in the name"
    apart = abs(times.written - times.named)
    assert apart <= ZONES + limit, f"its name says another time: {apart} from when the file was written"


@pytest.mark.runbook("prep.backup-checksum")
def test_backup_is_the_file_that_was_made(backup: Backup) -> None:
    """The record is of a file of this name: that of another backup would be about another file."""
    recorded, own = backup.checksums()

    assert recorded == own


@pytest.mark.runbook("prep.backup-restores")
def test_backup_can_be_restored(backup: Backup) -> None:
    """With the rollback plan's own command; by itself psql ends with 0 after any number of errors."""
    restored = backup.restored()

    assert (restored.ran.line, restored.ran.error) == (None, None)
    assert restored.columns != {}, "nothing was restored"


@pytest.mark.runbook("prep.backup-rows")
def test_restored_rows_are_productions(clients: Clients, backup: Backup, limits: Limits) -> None:
    """Table by table, of this database and no other: staging's backup restores just as well.

    With no record of the dump's own moment, only what an hour of writes and the migration cannot explain.
    """
    catalog = clients.catalog
    restored = backup.restored()
    recorded = backup.recorded()
    name = backup.database()

    assert restored.columns != {}, "nothing was restored"
    if recorded is not None:
        assert recorded.database == name
        assert recorded.system in {None, backup.system()}, "it is of another server of this database's name"
        contents = as_recorded(recorded.tables, restored.contents, restored.with_generated)
        assert different_tables(recorded.tables, contents) == {}
        assert out_of_place(recorded.sequences, restored.sequences) == {}
    if recorded is not None and recorded.parts:
        assert backup.unlike(restored, recorded.parts) == []
    elif first_run_start(clients.database, catalog) is None:
        assert backup.unlike(restored, backup.parts()) == []
    else:
        assert lacking_since(restored.parts, backup.parts(), catalog) == []
    if recorded is None:
        assert misplaced_sequences(restored.sequences, restored.highest, backup.sequences()) == {}
    # last: if rows are hidden from us, other faults were said before
    now = backup.now(restored.columns, is_recorded=recorded is not None)
    assert beyond_writes(restored.contents, now, limits["floor_percent"], catalog.run_logs) == {}
