"""Users who wait longer since the switch, by buckets: what they can tell, and what they cannot."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests_self.service import queries

from noxgate.blue_green.slower.check import SinceSwitch
from noxgate.blue_green.slower.histogram import Buckets, mean_of
from noxgate.blue_green.slower.since_switch import GONE, Beside, Busy, Time, together
from noxgate.errors import UndecidedError, UnreachableError
from noxgate.project.runbook import read_runbook
from noxgate.slo.before.judging import Compared, limits_of
from noxgate.slo.before.ratio import percentile_of, ratio
from noxgate.slo.slos import SloOutcome
from noxgate.systems.prometheus.answers import Series

ROOT = Path(__file__).parents[3]
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, math.inf)
EVERY = 15
START = datetime(2026, 1, 31, 14, tzinfo=UTC)
SWITCH = START + timedelta(hours=1)
END = SWITCH + timedelta(minutes=30)
LINE = read_runbook(ROOT / "runbook.toml").lines["live.slower-than-before"]
LIMITS = limits_of(LINE)
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
        edges: Mapping[str, Sequence[float]] | None = None,
        restarted: Mapping[str, datetime] | None = None,
    ) -> None:
        self.edges = edges or {}  # of a colour's buckets, if they are others
        self.restarted = restarted or {}  # when a colour's pod began again to count
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
        again = self.restarted.get(colour, END)
        for labels, weigh in self._classes(promql, self.edges.get(colour, EDGES)):
            values = [
                (
                    at,
                    sum(
                        weigh(took)
                        for when, took in self.colours[colour]
                        if when <= at and (when > again or at < again)
                    ),
                )
                for at in moments
            ]
            found.append(Series({"pod": colour, **labels}, values))
        return found

    def _classes(self, promql: str, edges: Sequence[float]) -> list[tuple[dict[str, str], Any]]:
        if "_bucket" in promql:
            return [({"le": le(edge)}, lambda took, edge=edge: float(took <= edge)) for edge in edges]
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


def judged(green: Any, blue: Any, before: Any = (), bursts: Any = None, **more: Any) -> list[Compared]:
    scraped: Any = Scraped({"green": green, "blue": [*before, *blue]}, bursts, **more)
    beside = Beside(scraped, ["pod"], EVERY, LIMITS, Busy(10, 2))
    now = Time("green since the switch", queries("green"), SWITCH, END)
    return beside.judged(now, Time("blue's last hour", queries("blue"), START, SWITCH))


def outcomes(found: Sequence[Compared]) -> dict[str, SloOutcome | None]:
    return {one.what: one.outcome for one in found}


BLUE = asked(START, SWITCH, 1)


def test_as_fast_as_blue() -> None:
    found = judged(asked(SWITCH, END, 1, seed=2), BLUE)

    assert outcomes(found)["p50"] is SloOutcome.PASSED
    assert outcomes(found)["mean"] is SloOutcome.PASSED
    assert together([found]) == ([], [])


def test_three_times_slower_than_blue() -> None:
    """Below 300 ms."""
    found = judged(asked(SWITCH, END, 3, seed=2), BLUE)
    worse, _ = together([found])

    assert outcomes(found)["mean"] is SloOutcome.FAILED
    assert outcomes(found)["p50"] is SloOutcome.FAILED
    assert any(one.startswith(f"{PATH}, beside blue's last hour, p50") for one in worse)


def test_a_bucket_that_is_crossed_is_no_slowdown() -> None:
    """From just below an edge to just above: by interpolation alone twice as slow."""
    rng = random.Random(1)  # noqa: S311
    blue = [(when, 0.0249 + rng.uniform(-1e-5, 1e-5)) for when, _ in BLUE]
    green = [(when, 0.0251 + rng.uniform(-1e-5, 1e-5)) for when, _ in asked(SWITCH, END, 1, seed=2)]
    found = judged(green, blue)

    assert outcomes(found)["mean"] is SloOutcome.PASSED
    assert outcomes(found)["p50"] is None
    assert "too wide to tell" in next(one.reason for one in found if one.what == "p50")
    assert together([found])[0] == []


def test_slower_within_one_bucket_is_seen_by_the_mean() -> None:
    green = [(when, 0.045) for when, _ in asked(SWITCH, END, 1, seed=2)]
    found = judged(green, [(when, 0.028) for when, _ in BLUE])

    assert outcomes(found)["p50"] is SloOutcome.PASSED
    assert outcomes(found)["mean"] is SloOutcome.FAILED


def test_another_load_cannot_be_compared() -> None:
    found = judged(asked(SWITCH, END, 1, each=0.7, seed=2), BLUE)

    assert {one.reason.partition(",")[2] for one in found if one.what == "all"} == {
        " and 0.5 before: another load"
    }
    assert together([found])[1] != []


def test_nobody_asked_blue() -> None:
    assert judged(asked(SWITCH, END, 1), []) == []


def test_few_requests_are_too_few() -> None:
    found, *more = reversed(judged(asked(SWITCH, END, 1, each=30, seed=2), BLUE))

    assert [one.what for one in more] == [GONE]
    assert (found.outcome, found.what) == (SloOutcome.UNDECIDED, "p50")
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

    assert (found.outcome, found.what) == (SloOutcome.UNDECIDED, "p50")


@pytest.mark.parametrize("times", [0.3, 1.0])
def test_buckets_that_end_elsewhere(times: float) -> None:
    """Only the edges that both have are used: what is made up between others would differ by itself."""
    edges = {"green": (0.01, 0.02, 0.04, 0.05, 0.1, 0.15, 0.3, 1.0, math.inf)}
    found = judged(asked(SWITCH, END, times, seed=2), BLUE, edges=edges)

    assert together([found]) == ([], [])
    assert outcomes(found)["mean"] is SloOutcome.PASSED


def test_slower_in_buckets_that_end_elsewhere() -> None:
    edges = {"green": (0.01, 0.02, 0.04, 0.05, 0.1, 0.15, 0.3, 1.0, math.inf)}
    worse, _ = together([judged(asked(SWITCH, END, 2, seed=2), BLUE, edges=edges)])

    assert {one.partition(":")[0].split(", ")[-1] for one in worse} >= {"mean", "windows"}


@pytest.mark.parametrize(("times", "worse"), [(1.0, False), (1.6, True)])
def test_buckets_without_an_edge_in_common_leave_the_mean(times: float, *, worse: bool) -> None:
    edges = {"green": (0.012, 0.022, 0.045, 0.11, 0.4, math.inf)}
    found = judged(asked(SWITCH, END, times, seed=2), BLUE, edges=edges)

    assert outcomes(found)["p50"] is None
    assert (outcomes(found)["mean"] is SloOutcome.FAILED) is worse
    assert together([found])[1] == []


@pytest.mark.parametrize("each", [1.2, 3.2])
def test_busier_or_quieter_within_the_limit(each: float) -> None:
    """Blue was asked once in two seconds."""
    assert together([judged(asked(SWITCH, END, 1, each=each, seed=2), BLUE)]) == ([], [])


@pytest.mark.parametrize(("times", "worse"), [(1, False), (2, True)])
def test_a_pod_that_began_again_in_the_middle(times: float, *, worse: bool) -> None:
    """Its counters fall to nothing and grow again: what they lost meanwhile is one scrape's."""
    restarted = {"green": SWITCH + timedelta(minutes=11, seconds=7)}
    found = judged(asked(SWITCH, END, times, seed=2), BLUE, restarted=restarted)

    assert bool(together([found])[0]) is worse
    assert together([found])[1] == []


def test_blue_with_a_burst_and_green_without() -> None:
    """For two minutes blue took twenty times as long; green is as fast as it was else, or faster."""
    burst = START + timedelta(minutes=30)
    blue = [(when, took * (20 if burst < when < burst + timedelta(minutes=2) else 1)) for when, took in BLUE]
    for times in (0.7, 1):
        assert together([judged(asked(SWITCH, END, times, seed=2), blue)]) == ([], [])


def test_a_mean_that_varies_has_a_ratio_with_ends() -> None:
    """One window took a hundred times as long: the interval of a difference would begin below 0."""
    noisy = [(20.0, 20 * (2.0 if number == 7 else 0.02)) for number in range(12)]
    found = ratio(mean_of([(20.0, 0.4)] * 12), mean_of(noisy))

    assert mean_of(noisy).low > 0
    assert 0 < found.low < found.measured < found.high < math.inf


STEADY = [number * 3.0 for number in range(600)]  # seconds: half an hour


def test_a_path_that_is_new_in_green_is_nothing_to_compare() -> None:
    found = judged(
        asked(SWITCH, END, 1, seed=2),
        BLUE,
        bursts={"green": [SWITCH + timedelta(seconds=number) for number in STEADY]},
    )

    assert together([found]) == ([], [])


@pytest.mark.parametrize("windows", [0, 3])
def test_a_path_of_users_that_green_answers_no_more(windows: int) -> None:
    """Or in a few windows, at once: its waits are in no response time."""
    blue = [START + timedelta(minutes=minutes, seconds=number) for minutes in (0, 30) for number in STEADY]
    green = [SWITCH + timedelta(minutes=2, seconds=number / 20) for number in range(windows * 200)]
    found = judged(asked(SWITCH, END, 1, seed=2), BLUE, bursts={"blue": blue, "green": green})
    (gone,) = (one for one in found if one.where.startswith(ASKED_AT_ONCE))

    assert (gone.what, gone.outcome) == (GONE, SloOutcome.UNDECIDED)
    assert "who asks for it now?" in gone.reason
    assert together([found])[1] == [str(gone)]
    assert together([found, found])[1] == [str(gone)] * 2
    without = [one for one in found if one is not gone]
    assert together([found, []])[1] == [str(gone)]  # Prometheus has nothing of the day before
    assert together([found, without]) == ([], [])  # a day before it was not asked, either


def test_two_references_must_agree() -> None:
    """Slower beside one, and not beside the other: undecided, with both."""

    def one(name: str, outcome: SloOutcome) -> list[Compared]:
        return [Compared(f"/x, beside {name}", "p50", outcome, "so")]

    worse, passed = one("blue", SloOutcome.FAILED), one("day", SloOutcome.PASSED)
    assert together([worse, one("day", SloOutcome.FAILED)])[1] == []
    assert len(together([worse, one("day", SloOutcome.FAILED)])[0]) == 2
    assert together([worse, passed]) == ([], [str(worse[0]), str(passed[0])])
    assert together([[], passed]) == ([], [])


# ---------------------------------------------------------------- the line


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[str]]:
    """What the line says of green and blue, whose yesterday Prometheus has not."""

    def look(green: Any, blue: Any) -> list[str]:
        scraped: Any = Scraped({"green": green, "blue": blue})
        looked = SimpleNamespace(since=SWITCH, until=END, labels=["pod"], every=EVERY)
        metrics: Any = SimpleNamespace(looked=lambda: looked)
        target: Any = SimpleNamespace(name="production", rehearsal=False, blue_namespace="blue")

        def made(name: str) -> Path:
            (tmp_path / name).mkdir()
            return tmp_path / name

        return SinceSwitch(
            scraped, metrics, queries("green"), target, SWITCH, LINE, lambda _: None, made
        ).found()

    return look


def test_the_line_needs_no_record_of_the_version_before(found: Callable[..., list[str]]) -> None:
    """Blue's last hour is there."""
    assert found(asked(SWITCH, END, 1, seed=2), BLUE) == []


def test_the_line_names_what_is_slower(found: Callable[..., list[str]]) -> None:
    assert any("beside blue's last hour, p50" in one for one in found(asked(SWITCH, END, 3, seed=2), BLUE))


@pytest.mark.parametrize(
    ("each", "blue", "why"),
    [
        pytest.param(2.0, [], "no request of blue's last hour or of the same time", id="nobody-asked-blue"),
        pytest.param(0.7, BLUE, "another load", id="another-load"),
        pytest.param(30, BLUE, "too few requests", id="few"),
    ],
)
def test_what_does_not_decide_may_be_accepted(
    each: float, blue: Any, why: str, found: Callable[..., list[str]]
) -> None:
    with pytest.raises(UndecidedError, match=f"or let the one who accepts it waive the line: .*{why}"):
        found(asked(SWITCH, END, 1, each=each, seed=2), blue)
