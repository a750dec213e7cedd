"""Runbook 3, database migration, before the day: on a scratch server of our own, never on the target."""

import pytest

from nox_service.clients import Clients
from noxgate.project.runbook import Limits
from noxgate.systems.postgres import definitions, released
from noxgate.trials.migration.release import Migration


@pytest.mark.runbook("preflight.migration-lint")
def test_migration_is_accepted_where_it_stands(migration: Migration) -> None:
    """The squawk rule, and ours, that mean a refusal; what else squawk finds is shown, not judged."""
    statements = migration.statements()
    refused = migration.refused()
    early = migration.used_too_early()

    assert statements != ()
    assert refused == []
    assert early == []


@pytest.mark.runbook("preflight.migration-rehearsal")
def test_migration_leaves_the_catalog(clients: Clients, migration: Migration, limits: Limits) -> None:
    """By itself psql ends with exit 0 after any number of errors; a version row alone proves nothing."""
    catalog = clients.catalog
    assert migration.unlike_the_target() == []  # else it is tried on what it will not meet
    ran = migration.first_run()
    assert (ran.error, ran.line) == (None, None)
    changes = migration.changes()
    lost = migration.losses()
    takes = migration.takes([*catalog.triggers, *catalog.indexes])
    held = migration.held_too_long(limits["lock_seconds"])
    after = migration.after()
    amiss = released.amiss(after, catalog)
    version = after.rows(
        "SELECT config_value FROM system_configuration WHERE config_key = 'database_schema_version'"
    )

    assert changes != []  # else the schema was the release's already, and nothing is proven
    assert amiss == {}
    assert version == [(catalog.schema_version,)]
    assert {name: what for name, what in lost.items() if name not in catalog.loses} == {}
    assert takes == {}
    assert held == []
    assert definitions.not_allowed(after, catalog, clients.target.application_role) == []


@pytest.mark.runbook("preflight.migration-idempotent")
def test_migration_can_be_repeated(clients: Clients, migration: Migration) -> None:
    """A run that breaks off at night is run again. Tables in which each run is logged may grow."""
    second = migration.second_run()

    assert second.error is None
    assert second.catalog == ()
    assert {table: rows for table, rows in second.rows.items() if table not in clients.catalog.run_logs} == {}


@pytest.mark.runbook("preflight.blue-on-new-schema")
def test_version_before_works_on_the_new_schema(migration: Migration) -> None:
    """Between the migration and the switch, and after a rollback, blue serves with the new schema."""
    queries = migration.old_queries()
    broken = migration.broken_queries()

    assert queries != []
    assert broken == []


@pytest.mark.runbook("preflight.restore-rehearsal")
def test_backup_can_be_restored(migration: Migration) -> None:
    """Made as the runbook makes it, restored as the rollback plan does, into an empty database."""
    restored = migration.restored()

    assert restored.ran.error is None
    assert restored.tables > 0
    assert restored.lost == {}
    assert restored.catalog == ()
