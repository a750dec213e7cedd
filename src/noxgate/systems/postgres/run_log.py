"""What the migration logs of itself in the database: when it began, and how far it came."""

from dataclasses import dataclass
from datetime import UTC, datetime

from noxgate.systems.postgres import catalog as found
from noxgate.systems.postgres.catalog import Catalog
from noxgate.systems.postgres.database import Database

TABLE = "migration_log"
STARTED, FINISHED = "started", "finished"


@dataclass(frozen=True)
class Step:
    """One entry."""

    name: str
    at: datetime


def steps(database: Database, catalog: Catalog) -> list[Step]:
    """The steps of this release's migration, in order; empty if it has not run."""
    if catalog.schema_name not in found.homes(database, [TABLE]).get(TABLE, []):
        return []
    rows = database.rows("SELECT migration, step, logged_at FROM migration_log ORDER BY id")
    return [
        Step(str(step), at.astimezone(UTC))
        for migration, step, at in rows
        if migration == catalog.schema_version
    ]


def first_run_start(database: Database, catalog: Catalog) -> datetime | None:
    """When its first run began."""
    return min((step.at for step in steps(database, catalog)), default=None)
