"""Runbook 3, backup: a file with a good name proves nothing, so it is read whole, and restored."""

from datetime import UTC, datetime, timedelta

import pytest

from noxgate.clients.backup import Backup, differing
from noxgate.clients.catalog import Catalog
from noxgate.clients.database import Database
from noxgate.clients.run_log import started
from noxgate.runbook import Runbook

# The stamp in the name is in the time zone of whoever made it.
ZONES = timedelta(hours=14)


@pytest.mark.runbook("prep.backup-complete")
def test_backup_is_whole_and_pure(backup: Backup, runbook: Runbook) -> None:
    """A failed pg_dump leaves an empty file, a broken one no end; `exec -it` mixes messages in."""
    limits = runbook.lines["prep.backup-complete"].limits
    form = backup.form()

    assert form.size >= limits["bytes"]
    assert form.begins, "expected the first lines of pg_dump's plain SQL, saw others"
    assert form.carriage_returns == 0, f"{form.carriage_returns} lines of pg_dump's end in a carriage return"
    assert form.noise == (), f"messages stand between the lines: {form.noise}"
    assert form.ends, "expected pg_dump's closing lines at the end, saw others: it was cut off"


@pytest.mark.runbook("prep.backup-age")
def test_backup_was_taken_just_before(
    backup: Backup, database: Database, catalog: Catalog, runbook: Runbook
) -> None:
    """Before the migration, if that has run; else before now. A copy has a new time, and its old name."""
    limit = timedelta(minutes=runbook.lines["prep.backup-age"].limits["age_minutes"])
    times = backup.times()
    migrated = started(database, catalog)
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
    assert restored.contents != {}, "nothing was restored"


@pytest.mark.runbook("prep.backup-rows")
def test_restored_rows_are_productions(backup: Backup) -> None:
    """Table by table, of this database and no other: staging's backup restores just as well."""
    restored = backup.restored()
    wanted = backup.recorded() or backup.now(restored.columns)
    database, owners = backup.database(), backup.owners()

    assert restored.contents != {}, "nothing was restored"
    assert wanted.database == database
    assert differing(wanted.tables, restored.contents) == {}
    others = {
        table: f"{owner}, in production {owners.get(table, 'no such table')}"
        for table, owner in restored.owners.items()
        if owner != owners.get(table)
    }
    assert others == {}
