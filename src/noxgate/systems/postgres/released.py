"""Whether a database has what the release's migration must leave in it: all of the catalog."""

from noxgate.systems.postgres import catalog as found
from noxgate.systems.postgres import definitions
from noxgate.systems.postgres.catalog import Catalog
from noxgate.systems.postgres.database import Database


def amiss(database: Database, catalog: Catalog) -> dict[str, object]:
    """What is absent or otherwise, by what it is; a catalog without a column or an index proves nothing."""
    schema = catalog.schema_name
    columns = found.columns(database, schema, catalog.columns)
    indexes = found.valid_indexes(database, schema, catalog.indexes)
    triggers = found.enabled_triggers(database, schema, catalog.triggers)
    functions = found.functions(database, schema, catalog.functions)
    bodies = found.bodies(database, schema, catalog.bodies)
    expected = [(table, column) for table, names in catalog.columns.items() for column in names]
    every = {
        "expected": [] if expected and catalog.indexes else ["the catalog names no column, or no index"],
        "columns": [pair for pair in expected if pair not in columns],
        "indexes": found.other(catalog.indexes, indexes),
        "triggers": found.other(catalog.triggers, triggers),
        "functions": [name for name in catalog.functions if name not in functions],
        "bodies": {
            name: bodies.get(name) for name in catalog.bodies if bodies.get(name) != catalog.bodies[name]
        },
        "hidden rows": found.hidden_rows(database, schema, catalog.columns),
        "definitions": definitions.unlike(database, catalog) + definitions.beside(database, catalog),
    }
    return {what: amiss for what, amiss in every.items() if amiss}
