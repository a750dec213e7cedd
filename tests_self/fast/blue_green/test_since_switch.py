"""Users who wait longer since the switch, by buckets: what they can tell, and what they cannot."""

import math
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests_self.service import queries

from noxgate.blue_green.slower.histogram import Buckets, mean_of
from noxgate.blue_green.slower.since_switch import Beside, Busy, Time, together
from noxgate.errors import UnreachableError
from noxgate.project.runbook import read_runbook
from noxgate.slo.before.judging import Compared, limits_of
from noxgate.slo.before.ratio import percentile_of, ratio
from noxgate.slo.slos import Outcome
from noxgate.systems.prometheus.answers import Series

ROOT = Path(__file__).parents[3]
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, math.inf)
EVERY = 15
START = datetime(2026, 1, 31, 14, tzinfo=UTC)
SWITCH = START + timedelta(hours=1)
END = SWITCH + timedelta(minutes=30)
LIMITS = limits_of(read_runbook(ROOT / "runbook.toml").lines["live.slower-than-before"])
PATH, ASKED_AT_ONCE = "/api/data", "/version"


def le(edge: float) -> str:
    return "+Inf" if math.isinf(edge) else f"{edge:g}"


def window(times: Sequence[float]) -> dict[str, float]:
    return {le(edge): float(sum(seconds <= edge for seconds in times)) for edge in EDGES}


# ---------------------------------------------------------------- buckets


def test_a_percentile_lies_in_its_bucket() -> None:
    """As histogram_quantile() has it: half way where half of the bucket is below."""
    buckets = Buckets.of("x", [window([0.004] * 20 + [0.04] * 20)] * 12, [0.022] * 12)

    assert buckets.percentile(0.75) == pytest.approx(0.0375)
    assert buckets.over(0.0375) == [pytest.approx((40, 10))] * 12
    assert buckets.around(0.0375) == (0.025, 0.05)
    assert (buckets.many, buckets.requests) == (12, 480)
    found = percentile_of(buckets, 0.75)
    assert found.high is not None
    assert 0.025 <= found.low < 0.0375 < found.high <= 0.05


def test_what_is_beyond_all_edges_has_no_end() -> None:
    buckets = Buckets.of("x", [window([3.0] * 30)] * 12, [3.0] * 12)

    assert buckets.percentile(0.5) == 1.0  # the last edge that is one
    assert percentile_of(buckets, 0.5).high is None
    assert buckets.over(2.0) == [(30, 30)] * 12


@pytest.mark.parametrize("windows", [[{"0.1": 3.0}], [{"+Inf": 3.0}], []])
def test_what_is_no_histogram(windows: list[Mapping[str, float]]) -> None:
    with pytest.raises(UnreachableError, match="expected buckets"):
        Buckets.of("x", windows, [])


def test_a_mean_is_exact_and_its_interval_knows_of_bursts() -> None:
    steady = [(20.0, 20 * 0.05)] * 40
    bursts = [(20.0, 20 * (0.05 if number % 20 < 16 else 0.2)) for number in range(40)]

    assert mean_of(steady).measured == pytest.approx(0.05)
    assert mean_of(steady).low == pytest.approx(0.05)
    assert mean_of(bursts).low < mean_of(bursts).measured * 0.8
    found = ratio(mean_of(bursts), mean_of(steady))
    assert found.measured == pytest.approx(1.6)
    assert found.low < 1.2


# ---------------------------------------------------------------- green beside blue


class Scraped:
    """A Prometheus with one pod of each colour, which were scraped all the time."""

    def __init__(
        self,
        colours: Mapping[str, Sequence[tuple[datetime, float]]],
        bursts: Mapping[str, Sequence[datetime]] | None = None,
    ) -> None:
        self.colours = colours  # when each request was answered, and how long it took
        self.bursts = bursts or {}  # when another path was asked
        self.said: list[str] = []

    def say(self, seen: str, _: str) -> None:
        self.said.append(seen)

    def range(self, promql: str, start: datetime, end: datetime, step: float) -> list[Series]:
        colour = next(one for one in self.colours if f'namespace="{one}"' in promql)
        moments = []
        while start <= end:
            moments.append(start)
            start += timedelta(seconds=step)
        if promql.startswith("max_over_time(up"):
            return [Series({"pod": colour}, [(at, 1.0) for at in moments])]
        if "start_time" in promql:
            return []
        if not self.colours[colour]:
            return []
        found = []
        if "requests_total" in promql and "path)" in promql and (burst := self.bursts.get(colour)):
            values = [(at, float(sum(when <= at for when in burst))) for at in moments]
            found.append(Series({"pod": colour, "path": ASKED_AT_ONCE}, values))
        for labels, weigh in self._classes(promql):
            values = [
                (at, sum(weigh(took) for when, took in self.colours[colour] if when <= at)) for at in moments
            ]
            found.append(Series({"pod": colour, **labels}, values))
        return found

    def _classes(self, promql: str) -> list[tuple[dict[str, str], Any]]:
        if "_bucket" in promql:
            return [({"le": le(edge)}, lambda took, edge=edge: float(took <= edge)) for edge in EDGES]
        by = "status" if "status)" in promql else "path"
        value = {"status": "200", "path": PATH}[by]
        return [({by: value}, (lambda took: took) if "_sum" in promql else (lambda _: 1.0))]


def asked(since: datetime, until: datetime, times: float, *, each: float = 2.0, seed: int = 1) -> Any:
    """Requests at random moments, so many seconds apart."""
    rng = random.Random(seed)  # noqa: S311
    count = int((until - since).total_seconds() / each)
    length = (until - since).total_seconds()
    return [
        (since + timedelta(seconds=rng.uniform(0, length)), times * (0.02 + rng.lognormvariate(-3.7, 0.4)))
        for _ in range(count)
    ]


def judged(green: Any, blue: Any, before: Any = (), bursts: Any = None) -> list[Compared]:
    scraped: Any = Scraped({"green": green, "blue": [*before, *blue]}, bursts)
    beside = Beside(scraped, ["pod"], EVERY, LIMITS, Busy(10, 2))
    now = Time("green since the switch", queries("green"), SWITCH, END)
    return beside.judged(now, Time("blue's last hour", queries("blue"), START, SWITCH))


def outcomes(found: Sequence[Compared]) -> dict[str, Outcome | None]:
    return {one.what: one.outcome for one in found}


BLUE = asked(START, SWITCH, 1)


def test_as_fast_as_blue() -> None:
    found = judged(asked(SWITCH, END, 1, seed=2), BLUE)

    assert outcomes(found)["p50"] is Outcome.PASSED
    assert outcomes(found)["mean"] is Outcome.PASSED
    assert together([found]) == ([], [])


def test_three_times_slower_than_blue() -> None:
    """Below 300 ms."""
    found = judged(asked(SWITCH, END, 3, seed=2), BLUE)
    worse, _ = together([found])

    assert outcomes(found)["mean"] is Outcome.FAILED
    assert outcomes(found)["p50"] is Outcome.FAILED
    assert any(one.startswith(f"{PATH}, beside blue's last hour, p50") for one in worse)


def test_a_bucket_that_is_crossed_is_no_slowdown() -> None:
    """From just below an edge to just above: by interpolation alone twice as slow."""
    rng = random.Random(1)  # noqa: S311
    blue = [(when, 0.0249 + rng.uniform(-1e-5, 1e-5)) for when, _ in BLUE]
    green = [(when, 0.0251 + rng.uniform(-1e-5, 1e-5)) for when, _ in asked(SWITCH, END, 1, seed=2)]
    found = judged(green, blue)

    assert outcomes(found)["mean"] is Outcome.PASSED
    assert outcomes(found)["p50"] is not Outcome.FAILED
    assert together([found])[0] == []


def test_slower_within_one_bucket_is_seen_by_the_mean() -> None:
    green = [(when, 0.045) for when, _ in asked(SWITCH, END, 1, seed=2)]
    found = judged(green, [(when, 0.028) for when, _ in BLUE])

    assert outcomes(found)["p50"] is Outcome.PASSED
    assert outcomes(found)["mean"] is Outcome.FAILED


def test_another_load_cannot_be_compared() -> None:
    found = judged(asked(SWITCH, END, 1, each=0.7, seed=2), BLUE)

    assert {one.reason.partition(",")[2] for one in found if one.what == "all"} == {
        " and 0.5 before: another load"
    }
    assert together([found])[1] != []


def test_nobody_asked_blue() -> None:
    assert judged(asked(SWITCH, END, 1), []) == []


def test_few_requests_are_too_few() -> None:
    (found,) = judged(asked(SWITCH, END, 1, each=30, seed=2), BLUE)

    assert (found.outcome, found.what) == (Outcome.NOT_DECIDED, "p50")
    assert f"{PATH} 60 and 1800, of at least 300 each" in found.reason


def test_what_checks_ask_at_once_decides_nothing() -> None:
    """800 requests for the version in one minute: no user's, and too few windows to compare."""
    bursts = {
        "green": [SWITCH + timedelta(minutes=5, seconds=number / 13) for number in range(800)],
        "blue": [START + timedelta(minutes=5, seconds=number / 13) for number in range(800)],
    }
    found = judged(asked(SWITCH, END, 1, seed=2), BLUE, bursts=bursts)
    (left_out,) = (one for one in found if one.where.startswith(ASKED_AT_ONCE))

    assert left_out.outcome is None
    assert "in bursts alone" in str(left_out)
    assert together([found]) == ([], [])


def test_bursts_alone_are_nothing_to_compare() -> None:
    burst = [START + timedelta(minutes=5, seconds=number / 13) for number in range(800)]
    later = [when + (SWITCH - START) for when in burst]
    (found,) = judged([(when, 0.02) for when in later], [(when, 0.02) for when in burst])

    assert (found.outcome, found.what) == (Outcome.NOT_DECIDED, "p50")


def test_two_references_must_agree() -> None:
    """Slower beside one, and not beside the other: undecided, with both."""

    def one(name: str, outcome: Outcome) -> list[Compared]:
        return [Compared(f"/x, beside {name}", "p50", outcome, "so")]

    worse, passed = one("blue", Outcome.FAILED), one("day", Outcome.PASSED)
    assert together([worse, one("day", Outcome.FAILED)])[1] == []
    assert len(together([worse, one("day", Outcome.FAILED)])[0]) == 2
    assert together([worse, passed]) == ([], [str(worse[0]), str(passed[0])])
    assert together([[], passed]) == ([], [])
