"""Runbook 5, Redis: /ready may be content with PING."""

import pytest

from nox_service.clients import Clients


@pytest.mark.runbook("live.redis")
def test_redis_does_for_the_application(clients: Clients) -> None:
    """A replica answers PING too, and refuses every write of the application; so does one that is full."""
    assert clients.cache.unfit("noxgate:no-such-key") == []
