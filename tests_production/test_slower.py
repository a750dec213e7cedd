"""Runbook 5, ours: users wait no longer than before the switch."""

import pytest

from noxgate.blue_green.slower.check import SinceSwitch


@pytest.mark.runbook("live.slower-than-before")
def test_users_wait_no_longer_than_on_blue(since_switch: SinceSwitch) -> None:
    """A limit of 300 ms lets one through that is three times slower."""
    assert since_switch.found() == []
