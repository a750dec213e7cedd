"""Runbook 2, validation suite > database: the catalog itself, since a version row alone proves nothing."""

import pytest

from nox_service.clients import Clients
from noxgate.systems.postgres import catalog as found
from noxgate.systems.postgres import definitions, settings
from noxgate.systems.postgres.search_path import homes


@pytest.mark.runbook("staging.database-answers")
def test_database_answers(clients: Clients) -> None:
    """SELECT 1, as the role that the profile names, and from a database that takes writes."""
    rows = clients.database.rows("SELECT 1")
    unfit = settings.unfit(clients.database, clients.catalog)

    assert rows == [(1,)]
    assert unfit == []


@pytest.mark.runbook("staging.database-schema-version")
def test_schema_version_is_the_release(clients: Clients) -> None:
    """`config_value` is JSONB: the value is a JSON string. It stands in the application's own schema."""
    catalog = clients.catalog
    at = homes(clients.database, catalog.schema_name, ["system_configuration"])
    rows = clients.database.rows(
        "SELECT config_value FROM system_configuration WHERE config_key = 'database_schema_version'"
    )

    assert at == {"system_configuration": [catalog.schema_name]}
    assert rows == [(catalog.schema_version,)]


@pytest.mark.runbook("staging.database-tables")
def test_every_table_has_its_columns(clients: Clients) -> None:
    """New tables whole, new columns of the old, as they are defined. A second table would hide the first."""
    database, catalog = clients.database, clients.catalog
    columns = found.columns(database, catalog.schema_name, catalog.columns)
    at = homes(database, catalog.schema_name, catalog.columns)
    hidden = found.hidden_rows(database, catalog.schema_name, catalog.columns)
    unlike = definitions.unlike(database, catalog)

    expected = [(table, column) for table, columns in catalog.columns.items() for column in columns]
    assert expected != []
    assert [pair for pair in expected if pair not in columns] == []
    assert at == {table: [catalog.schema_name] for table in catalog.columns}
    assert hidden == []
    assert unlike == []


@pytest.mark.runbook("staging.database-indexes")
def test_every_index_is_valid(clients: Clients) -> None:
    """An index whose CREATE INDEX CONCURRENTLY failed exists and is never used."""
    catalog = clients.catalog
    indexes = found.valid_indexes(clients.database, catalog.schema_name, catalog.indexes)
    at = homes(clients.database, catalog.schema_name, catalog.indexes)

    assert catalog.indexes != {}
    assert found.other(catalog.indexes, indexes) == {}
    assert at == {index: [catalog.schema_name] for index in catalog.indexes}


@pytest.mark.runbook("staging.database-trigger")
def test_trigger_and_function_work(clients: Clients) -> None:
    """Present, enabled and calling our function: a disabled trigger looks like a present one."""
    database, catalog = clients.database, clients.catalog
    triggers = found.enabled_triggers(database, catalog.schema_name, catalog.triggers)
    functions = found.functions(database, catalog.schema_name, catalog.functions)
    bodies = found.bodies(database, catalog.schema_name, catalog.bodies)
    beside = definitions.beside(database, catalog)

    assert catalog.triggers != {}
    assert catalog.functions != ()
    assert [name for name in catalog.functions if name not in functions] == []
    assert bodies == catalog.bodies
    assert found.other(catalog.triggers, triggers) == {}
    called = {name: triggers[name].function for name in catalog.triggers}
    assert {name: function for name, function in called.items() if function not in catalog.functions} == {}
    assert beside == []
