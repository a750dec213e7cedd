"""Runbook 2, validation suite > Redis."""

import pytest

from nox_service.clients import Clients


@pytest.mark.runbook("staging.redis-answers")
def test_redis_answers(clients: Clients) -> None:
    """PONG, the data set is loaded, and the keyspace can be read."""
    cache = clients.cache
    assert cache.ping()
    assert not cache.loading()
    assert cache.readable("noxgate:no-such-key")


@pytest.mark.runbook("staging.redis-primary")
def test_redis_is_the_primary(clients: Clients) -> None:
    """A replica answers PING too, and refuses every write of the application; so does one that is full."""
    role = clients.cache.role()
    refuses = clients.cache.refuses_writes()

    assert role == "master"
    assert refuses == []
