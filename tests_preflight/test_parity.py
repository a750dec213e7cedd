"""Runbook 1, parity: what staging proved holds for production only where both are alike."""

import pytest

from noxgate.clients.cache import Cache
from noxgate.clients.database import Database
from noxgate.runbook import Runbook


@pytest.mark.runbook("preflight.postgresql-parity")
def test_both_run_the_same_postgresql(
    database: Database, production_database: Database, runbook: Runbook
) -> None:
    """The servers' own answer, to the patch level; what the distribution adds behind it does not count."""
    versions = [each.rows("SHOW server_version") for each in (database, production_database)]
    staging, production = (rows[0][0].split()[0] for rows in versions)

    assert staging == production
    assert int(staging.partition(".")[0]) == runbook.lines["preflight.postgresql-parity"].limits["major"]


@pytest.mark.runbook("preflight.redis-parity")
def test_both_run_the_same_redis(cache: Cache, production_cache: Cache, runbook: Runbook) -> None:
    staging, production = cache.version(), production_cache.version()

    assert staging == production
    assert int(staging.partition(".")[0]) == runbook.lines["preflight.redis-parity"].limits["major"]
