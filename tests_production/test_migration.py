"""Runbook 3, database migration on production: its output, the whole catalog, and the version row."""

from datetime import timedelta

import pytest

from nox_service.clients import Clients
from noxgate.systems.postgres import definitions, released
from noxgate.systems.postgres.run_log import FINISHED, steps
from noxgate.systems.postgres.search_path import homes
from noxgate.trials.migration.output import Output

CLOCKS = timedelta(minutes=1)  # that the database's clock and this machine's may be apart


@pytest.mark.runbook("prep.migration-log")
def test_migration_ended_without_an_error(clients: Clients, migration_output: Output) -> None:
    """By itself psql ends with 0 after errors; and the output of another run ended before this one did."""
    logged = steps(clients.database, clients.catalog)

    assert migration_output.lines > 0
    assert migration_output.errors == ()
    assert [step.name for step in logged][-1:] == [FINISHED]
    assert migration_output.written >= logged[-1].at - CLOCKS, "the output was written before the run ended"


@pytest.mark.runbook("prep.migration-catalog")
def test_production_has_the_whole_catalog(clients: Clients) -> None:
    """The version row alone proves nothing: a migration may write it after any number of errors."""
    database, catalog = clients.database, clients.catalog
    names = [*catalog.columns, *catalog.indexes]
    amiss = released.amiss(database, catalog)
    at = homes(database, catalog.schema_name, names)

    assert amiss == {}
    assert at == {name: [catalog.schema_name] for name in names}
    assert definitions.not_allowed(database, catalog, clients.target.application_role) == []


@pytest.mark.runbook("prep.schema-version")
def test_schema_version_is_the_release(clients: Clients) -> None:
    """`config_value` is JSONB: the value is a JSON string. It stands in the application's own schema."""
    catalog = clients.catalog
    at = homes(clients.database, catalog.schema_name, ["system_configuration"])
    rows = clients.database.rows(
        "SELECT config_value FROM system_configuration WHERE config_key = 'database_schema_version'"
    )

    assert at == {"system_configuration": [catalog.schema_name]}
    assert rows == [(catalog.schema_version,)]
