"""What looks at green after the switch: spans, gaps, shares of limits, and rules without series."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import cast

import pytest
from tests_self.service import queries

from noxgate.errors import UnreachableError
from noxgate.systems.prometheus.answers import Sample, ScrapeTarget
from noxgate.systems.prometheus.client import NoDataError, Prometheus
from noxgate.systems.prometheus.coverage import Span, Waiting
from noxgate.systems.prometheus.key_metrics import KeyMetrics
from noxgate.systems.prometheus.rule_series import without_series

NOW = datetime.now(UTC)
GREEN = "nox-production-green"


class Known:
    """A Prometheus that knows these answers; any other query finds nothing."""

    def __init__(self, answers: Mapping[str, list[Sample]], covered: Sequence[Sample] = ()) -> None:
        self._answers = answers
        self._covered = covered
        self.asked: list[str] = []
        self.seconds = 1800  # that coverage may be asked about

    def query(self, promql: str, _: str = "") -> list[Sample]:
        self.asked.append(promql)
        return self._answers.get(promql, [])

    def value(self, promql: str, _: str = "") -> float:
        self.asked.append(promql)
        return 1.0

    def formatted(self, promql: str) -> str:
        return promql

    def targets(self) -> list[ScrapeTarget]:
        return [ScrapeTarget("nox-api", "pool", "http://x", "up", "", NOW, 15.0, {})]

    def coverage(self, _: str, seconds: int, __: float) -> Sequence[Sample]:
        assert seconds == self.seconds
        return self._covered


def prometheus(known: Known) -> Prometheus:
    return cast("Prometheus", known)


def sample(value: float = 1.0, **labels: str) -> Sample:
    return Sample(labels, value, NOW)


# ---------------------------------------------------------------- key metrics


def test_span_of_half_an_hour() -> None:
    """Rates of five minutes, one each 75 s, all within the half hour."""
    span = Span.of(1800, 15)

    assert (span.seconds, span.rate, span.step) == (1800, 300, 75)
    assert span.over("max_over_time", "x") == "max_over_time((x)[1500s:75s])"


def test_span_of_a_moment_has_samples_enough() -> None:
    """However short a rehearsal looks."""
    span = Span.of(1.5, 1)

    assert (span.seconds, span.rate) == (8, 4)


UP = f'up{{namespace="{GREEN}",job="nox-api"}}'


@pytest.mark.parametrize(("share", "is_fine"), [(1.0, True), (0.9, True), (0.88, False), (0.8, False)])
def test_gaps_are_no_data(share: float, is_fine: bool) -> None:  # noqa: FBT001
    """A Prometheus that was up for 80 % of the time says nothing of the rest."""
    known = Known(
        {UP: [sample(job="nox-api", pod="a"), sample(job="nox-api", pod="b")]},
        [sample(1.0, pod="a"), sample(share, pod="b")],
    )
    metrics = key_metrics(known)

    if is_fine:
        assert metrics.pods_at_least() == 1.0
    else:
        with pytest.raises(UnreachableError, match=f"saw b {share:.0%}"):
            metrics.pods_at_least()


def key_metrics(
    known: Known, *, wait: float = 0, began: Mapping[str, datetime] = MappingProxyType({})
) -> KeyMetrics:
    return KeyMetrics(prometheus(known), queries(GREEN), ["a", "b"], 1800, Waiting(wait), began)


@pytest.mark.parametrize(
    ("age", "share", "is_fine"),
    [
        (600, 0.31, True),  # it has a third of the samples, and it lived for a third of the time
        (600, 0.2, False),
        (60, 0.0, True),  # Prometheus has yet to find it
        (3600, 0.31, False),
        (-600, 0.31, False),  # the cluster's clock is ahead: nothing is known of its age
    ],
)
def test_pod_that_an_autoscaler_added(age: float, share: float, is_fine: bool) -> None:  # noqa: FBT001
    """It cannot have samples of the time before it; from then on it must have them."""
    known = Known(
        {UP: [sample(job="nox-api", pod="a"), sample(job="nox-api", pod="b")]},
        [sample(1.0, pod="a"), sample(share, pod="b")],
    )
    metrics = key_metrics(known, began={"a": NOW - timedelta(hours=1), "b": NOW - timedelta(seconds=age)})

    if is_fine:
        assert metrics.pods_at_least() == 1.0
    else:
        with pytest.raises(UnreachableError, match=f"saw b {share:.0%}"):
            metrics.pods_at_least()


def test_pods_that_are_all_young() -> None:
    """The time that the check is about was not scraped, though the pods are young."""
    known = Known(
        {UP: [sample(job="nox-api", pod="a"), sample(job="nox-api", pod="b")]},
        [sample(0.3, pod="a"), sample(0.3, pod="b")],
    )
    metrics = key_metrics(known, began=dict.fromkeys("ab", NOW - timedelta(seconds=600)))

    with pytest.raises(UnreachableError, match="saw a 30%, b 30%"):
        metrics.pods_at_least()


@pytest.mark.parametrize(("age", "is_known"), [(100, True), (600, False)])
def test_share_of_a_pod_that_was_just_added(age: float, is_known: bool) -> None:  # noqa: FBT001
    """A rate is made of some minutes: before those it is missing."""
    of, span = queries(GREEN), Span.of(1800, 15)
    up = [sample(job="nox-api", pod="a"), sample(job="nox-api", pod="b")]
    shares = {span.over("max_over_time", of.cpu_percent(span.rate)): [sample(20.0, pod="a")]}
    known = Known({of.cpu: up} | shares, [sample(1.0, pod="a"), sample(0.31, pod="b")])
    began = {"b": NOW - timedelta(seconds=age)}

    if is_known:
        assert key_metrics(known, began=began).cpu_percent() == {"a": 20.0}
    else:
        with pytest.raises(UnreachableError, match=r"of each pod, not of \['b'\]"):
            key_metrics(known, began=began).cpu_percent()


def test_pod_that_nobody_measures_is_no_data() -> None:
    """Not the two others' good health."""
    known = Known({UP: [sample(job="nox-api", pod="a")]}, [sample(1.0, pod="a")])
    metrics = key_metrics(known)

    with pytest.raises(UnreachableError, match="saw b 0%"):
        metrics.errors_percent(against=1)


@pytest.mark.parametrize("resource", ["memory", "cpu"])
@pytest.mark.parametrize(("share", "is_known"), [(70.0, True), (math.inf, True), (math.nan, False)])
def test_a_share_that_is_no_number(resource: str, share: float, is_known: bool) -> None:  # noqa: FBT001
    """It is under every limit, and over none."""
    of = queries(GREEN)
    span = Span.of(1800, 15)
    asked = of.memory_percent() if resource == "memory" else of.cpu_percent(span.rate)
    up = [sample(job="nox-api", pod="a"), sample(job="nox-api", pod="b")]
    shares = [sample(20.0, pod="a"), sample(share, pod="b")]
    selector = of.memory if resource == "memory" else of.cpu
    known = Known(
        {selector: up, span.over("max_over_time", asked): shares}, [sample(pod="a"), sample(pod="b")]
    )
    look = getattr(key_metrics(known), f"{resource}_percent")

    if is_known:
        assert look() == {"a": 20.0, "b": share}
    else:
        with pytest.raises(UnreachableError, match=r"a share of the limit of each pod, not of \['b'\]"):
            look()


class Filling(Known):
    """Of pod b so many samples are missing at first; at each look a second has passed."""

    def __init__(self, clock: "Clock", missing: int) -> None:
        super().__init__({UP: [sample(job="nox-api", pod="a"), sample(job="nox-api", pod="b")]})
        self._clock = clock
        self._missing = missing
        self.windows: list[int] = []

    def targets(self) -> list[ScrapeTarget]:
        return [ScrapeTarget("nox-api", "pool", "http://x", "up", "", NOW, 1.0, {})]

    def coverage(self, _: str, seconds: int, __: float) -> Sequence[Sample]:
        self.windows.append(seconds)
        self._clock.now += 0.001
        if self._missing >= seconds:
            raise NoDataError(f"expected samples in {seconds} s, saw no data")
        return [sample(1.0, pod="a"), sample(1 - self._missing / seconds, pod="b")]


class Clock:
    """Time that passes when somebody sleeps."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("noxgate.look.waiting.time", found)
    monkeypatch.setattr("noxgate.systems.prometheus.coverage.time", found)
    return found


def moment(known: Known, waiting: Waiting) -> KeyMetrics:
    """As a rehearsal looks at it: eight seconds, a sample each."""
    return KeyMetrics(prometheus(known), queries(GREEN), ["a", "b"], 1.5, waiting)


@pytest.mark.parametrize(("missing", "last"), [(0, 8), (1, 8), (2, 10), (8, 71)])
def test_missing_samples_are_waited_for(missing: int, last: int, clock: Clock) -> None:
    """Until 90 % of all seconds since the span's start are there: it begins no later for having waited."""
    known = Filling(clock, missing)

    assert moment(known, Waiting(100)).pods_at_least() == 1.0
    assert known.windows == list(range(8, last + 1))
    assert known.asked[-1].endswith(f"[{last - 4}s:1s])")


def test_samples_that_never_come_are_no_data(clock: Clock) -> None:
    """At the deadline it ends as it would without waiting; no time is left for the checks after it."""
    known, waiting = Filling(clock, 1000), Waiting(20)

    with pytest.raises(UnreachableError, match="saw no data"):
        moment(known, waiting).pods_at_least()
    assert len(known.windows) == 20
    assert clock.now <= 1000 + 20

    with pytest.raises(UnreachableError, match=r"expected 90% of the samples of 8 s, saw b 75%$"):
        moment(late := Filling(clock, 2), waiting).pods_at_least()
    assert late.windows == [8]


# ---------------------------------------------------------------- rules


RULE = 'sum(rate(http_requests_total{namespace=~"x|y", job="nox-api", status=~"5.."}[2m])) > 1'
SCRAPES = {"count(up)": [sample()]}
KEPT = f'count(http_requests_total{{namespace=~"x|y",job="nox-api",namespace="{GREEN}"}})'


def test_rule_that_finds_series_is_not_blind() -> None:
    """Whose series they are counts; a status that was not answered yet does not."""
    known = Known({KEPT: [sample()]})

    assert without_series(prometheus(known), [{"alert": "A", "expr": RULE}], GREEN) == {}
    assert known.asked == [KEPT]


def test_rule_without_series_is_blind() -> None:
    """It names the selector that fits nothing."""
    assert without_series(prometheus(Known(SCRAPES)), [{"alert": "A", "expr": RULE}], GREEN) == {
        "A": [KEPT.removeprefix("count(").removesuffix(")")]
    }


def test_braces_inside_of_strings_end_no_selector() -> None:
    """As in a pattern of a path."""
    known = Known(SCRAPES)

    without_series(prometheus(known), [{"alert": "A", "expr": 'up{job="a{1,2}",path="}"} == 0'}], GREEN)

    assert known.asked[0] == 'count(up{job="a{1,2}"})'
