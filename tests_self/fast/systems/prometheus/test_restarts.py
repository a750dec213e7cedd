"""Restarts that a cluster counts in values that are not numbers."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from noxgate.errors import UnreachableError
from noxgate.systems.prometheus.answers import Series
from noxgate.systems.prometheus.restarts import restarted

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("values", [(0, math.nan), (math.nan, 0), (math.nan, math.nan), (0, math.nan, 0)])
def test_a_number_that_is_none(values: tuple[float, ...]) -> None:
    """NaN is no more than any limit: nothing is known of that pod."""
    points = [(SINCE + timedelta(minutes=at), value) for at, value in enumerate(values)]
    quiet = [(at, 0.0) for at, _ in points]

    with pytest.raises(UnreachableError, match=r"expected numbers of restarts, saw NaN: a$"):
        restarted([[Series({"pod": "a"}, points), Series({"pod": "b"}, quiet)]], [], SINCE)
    assert restarted([[Series({"pod": "b"}, quiet)]], [], SINCE).over(0) == {}
