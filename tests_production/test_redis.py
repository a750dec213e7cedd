"""Runbook 5, Redis: /ready may be content with PING."""

import pytest

from noxgate.systems.redis import Cache


@pytest.mark.runbook("live.redis")
def test_redis_does_for_the_application(cache: Cache) -> None:
    """A replica answers PING too, and refuses every write of the application; so does one that is full."""
    assert cache.unfit("noxgate:no-such-key") == []
