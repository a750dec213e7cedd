"""Runbook 2, validation suite > Redis."""

import pytest

from noxgate.clients.cache import Cache


@pytest.mark.runbook("staging.redis-answers")
def test_redis_answers(cache: Cache) -> None:
    """PONG, the data set is loaded, and the keyspace can be read."""
    assert cache.ping()
    assert not cache.loading()
    assert cache.exists("noxgate:no-such-key") == 0


@pytest.mark.runbook("staging.redis-primary")
def test_redis_is_the_primary(cache: Cache) -> None:
    """A replica answers PING too, and refuses every write of the application."""
    role = cache.role()

    assert role == "master"
