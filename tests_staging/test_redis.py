"""Runbook 2, validation suite > Redis."""

import pytest

from noxgate.systems.redis import Cache


@pytest.mark.runbook("staging.redis-answers")
def test_redis_answers(cache: Cache) -> None:
    """PONG, the data set is loaded, and the keyspace can be read."""
    assert cache.ping()
    assert not cache.loading()
    assert cache.readable("noxgate:no-such-key")


@pytest.mark.runbook("staging.redis-primary")
def test_redis_is_the_primary(cache: Cache) -> None:
    """A replica answers PING too, and refuses every write of the application; so does one that is full."""
    role = cache.role()
    refuses = cache.refuses_writes()

    assert role == "master"
    assert refuses == []
