"""Runbook 2, validation suite > database: the catalog itself, since a version row alone proves nothing."""

import pytest

from noxgate.clients import catalog as found
from noxgate.clients.catalog import Catalog
from noxgate.clients.database import Database


@pytest.mark.runbook("staging.database-answers")
def test_database_answers(database: Database) -> None:
    """SELECT 1, as the role that the profile names."""
    rows = database.rows("SELECT 1")

    assert rows == [(1,)]


@pytest.mark.runbook("staging.database-schema-version")
def test_schema_version_is_the_release(database: Database, catalog: Catalog) -> None:
    """`config_value` is JSONB: the value is a JSON string."""
    rows = database.rows(
        "SELECT config_value FROM system_configuration WHERE config_key = 'database_schema_version'"
    )

    assert rows == [(catalog.schema_version,)]


@pytest.mark.runbook("staging.database-tables")
def test_every_table_has_its_columns(database: Database, catalog: Catalog) -> None:
    """The new tables whole, and the new columns of the old tables."""
    columns = found.columns(database)

    expected = [(table, column) for table, columns in catalog.columns.items() for column in columns]
    assert expected != []
    assert [pair for pair in expected if pair not in columns] == []


@pytest.mark.runbook("staging.database-indexes")
def test_every_index_is_valid(database: Database, catalog: Catalog) -> None:
    """An index whose CREATE INDEX CONCURRENTLY failed exists and is never used."""
    indexes = found.valid_indexes(database)

    assert catalog.indexes != {}
    assert {index: table for index, table in catalog.indexes.items() if indexes.get(index) != table} == {}


@pytest.mark.runbook("staging.database-trigger")
def test_trigger_and_function_work(database: Database, catalog: Catalog) -> None:
    """Present and enabled: a disabled trigger looks like a present one."""
    triggers = found.enabled_triggers(database)
    functions = found.functions(database)

    assert catalog.triggers != {}
    assert {name: table for name, table in catalog.triggers.items() if triggers.get(name) != table} == {}
    assert [name for name in catalog.functions if name not in functions] == []
