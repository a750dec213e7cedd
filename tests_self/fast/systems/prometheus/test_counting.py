"""What begins a series: counted where it is known to be new, beside the API's own counters.

On three hours of backfill, and on a Prometheus that scrapes each second.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from tests_self.building.metrics import client
from tests_self.served import BEGINS, Pod, Request, remembering, steady
from tests_self.service import queries

from nox_rehearsal.parts.monitoring.configuration import Scraped
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.waiting import eventually
from noxgate.systems.prometheus.counting import CountedWindow
from noxgate.systems.prometheus.coverage import Waiting
from noxgate.systems.prometheus.growth import growth
from noxgate.systems.prometheus.key_metrics import KeyMetrics
from noxgate.systems.prometheus.window_metrics import WindowMetrics

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

HOURS = 3
LENGTH = HOURS * 3600
HALF = LENGTH // 2
EARLIER = 8  # seconds before a burst that is live
DAY = 86400
USUAL = steady(BEGINS, LENGTH)
SELDOM = steady(-DAY, LENGTH, 10)
FAILS = [Request(HALF + 100, "500")] * 200  # all between two scrapes


def but(start: float, end: float) -> Callable[[float], bool]:
    """Always, but for some seconds."""
    return lambda at: not start <= at < end


def moves(at: float) -> Mapping[str, str]:
    """Somebody changes the monitor: all series have a label more from then on."""
    return {"endpoint": "metrics"} if at > HALF else {}


def since(start: float) -> Callable[[float], bool]:
    return lambda at: at > start


def restarted(*times: tuple[float, int]) -> Callable[[float], int | None]:
    """How often by when, as the cluster says it; before the first it says nothing."""
    return lambda at: next((count for when, count in reversed(times) if at >= when), None)


OTHERS = [one for one in USUAL if not HALF <= one.at < HALF + 60]
MINUTE = steady(HALF, HALF + 60, status="500")
OLD = [Request(-DAY + number, "500") for number in range(900)]  # a tenth of its life
FEW = [Request(-DAY + number, "500") for number in range(20)]
EARLY = [Request(-100, "500")] * 200
LAST = [Request(LENGTH - 190, "500")] * 200
PODS = (
    Pod("steady", USUAL),
    Pod("minute", [*OTHERS, *MINUTE]),
    Pod("minute-60", [*OTHERS, *MINUTE], every=60),
    Pod("at-once", [*USUAL, *FAILS]),
    Pod("at-once", USUAL, name="b"),
    Pod("new-path", [*USUAL, *[Request(HALF + 100, path="/api/new", seconds=0.4)] * 60]),
    Pod("missed", [*USUAL, *FAILS], seen=but(HALF + 90, HALF + 120)),
    Pod("gap", [*USUAL, *FAILS], seen=but(HALF, HALF + 240)),
    Pod("no-prometheus", [*USUAL, *FAILS], asked=but(HALF, HALF + 240)),
    Pod("gap-of-one", [*USUAL, *FAILS[:1]], seen=but(HALF, HALF + 240)),
    Pod("gap-across", [*USUAL, Request(-590, "500"), *EARLY], starts=[-DAY], seen=but(-500, 60)),
    Pod("gap-across", USUAL, name="b"),
    Pod("gap-known", [*USUAL, *FAILS, Request(-100, "500")], seen=but(HALF, HALF + 240)),
    Pod("old", [*SELDOM, *OLD], starts=[-DAY], asked=since(HALF)),
    Pod("old", USUAL, name="b"),
    Pod("old-and-good", [*SELDOM, *FEW], starts=[-DAY], asked=since(HALF)),
    Pod("old-and-good", USUAL, name="b"),
    Pod("moved", [*SELDOM, *FEW], starts=[-DAY], moved=moves),
    Pod("silent", USUAL),
    Pod("silent", [*steady(HALF, LENGTH), *FAILS], starts=[HALF], name="b", tells=False),
    Pod("young", USUAL),
    Pod("young", [*steady(HALF, LENGTH), *[Request(HALF + 1, "500")] * 200], starts=[HALF], name="b"),
    Pod("late", USUAL),
    Pod("late", [*steady(HALF, LENGTH), *FAILS], starts=[HALF], name="b", asked=since(HALF + 600)),
    Pod("last-minutes", USUAL),
    Pod("last-minutes", LAST, starts=[LENGTH - 200], name="b", asked=since(LENGTH - 100)),
    Pod("anew", [*USUAL, *FAILS, *[Request(-300, "500")] * 200], starts=[BEGINS, HALF]),
    Pod("anew-dark", [*USUAL, *FAILS], starts=[BEGINS, HALF], seen=but(HALF, HALF + 240)),
    Pod("crash", [*USUAL, *FAILS], starts=[BEGINS, HALF + 130], seen=but(HALF + 130, HALF + 160)),
    # restarts, as the cluster counts them
    Pod("restart", [], restarts=restarted((BEGINS, 3), (HALF, 4))),
    Pod("restart", [], name="b", restarts=restarted((BEGINS, 0))),
    Pod("restart-new", [], restarts=restarted((BEGINS, 0))),
    Pod("restart-new", [], name="b", restarts=restarted((HALF, 2))),
    Pod("restart-young", [], starts=[HALF], restarts=restarted((HALF + 900, 2))),
    Pod("restart-old", [], starts=[-DAY], restarts=restarted((HALF, 2))),
    Pod("restart-none", [], starts=[-DAY], restarts=restarted((HALF, 0))),
    Pod("restart-across", [], starts=[-DAY], restarts=lambda at: 3 if at < -300 else 5 if at > 240 else None),
    Pod("restart-back", [], restarts=lambda at: None if 0 <= at < 240 else 5),
)


@dataclass(frozen=True)
class Own:
    """A pod's own counters, changed all at once."""

    requests: Mapping[tuple[str, str], int]
    buckets: Mapping[str, Sequence[tuple[str, float]]]


class Exporter(Collector):
    """Says what the pod counted."""

    def __init__(self, own: Own) -> None:
        self.own = own

    def collect(self) -> Iterator[Metric]:
        own = self.own
        requests = CounterMetricFamily("http_requests", "Requests.", labels=["path", "status"])
        for (path, status), count in own.requests.items():
            requests.add_metric([path, status], count)
        yield requests
        seconds = HistogramMetricFamily("http_request_duration_seconds", "Times.", labels=["path"])
        for path, buckets in own.buckets.items():
            seconds.add_metric([path], buckets=list(buckets), sum_value=0)
        yield seconds


def histogram(quick: int, slow: int) -> Sequence[tuple[str, float]]:
    """Some quicker than 0.1 s, some between 0.4 and 0.5 s."""
    edges = ("0.1", "0.3", "0.4")
    return [*((edge, quick) for edge in edges), ("0.5", quick + slow), ("+Inf", quick + slow)]


PATH = "/api/public/stats"
INGRESS = "public"  # of another job, and of a namespace that is not green's
JOBS = {INGRESS: "ingress-nginx"}
BEFORE = Own({(PATH, "200"): 1000}, {PATH: histogram(1000, 0)})
AFTER: Mapping[str, Own] = MappingProxyType(
    {
        "live-steady": Own({(PATH, "200"): 4730}, {PATH: histogram(4730, 0)}),
        "live-burst": Own({(PATH, "200"): 4730, (PATH, "500"): 200}, {PATH: histogram(4930, 0)}),
        "live-new-path": Own(
            {(PATH, "200"): 4730, ("/api/new", "200"): 400},
            {PATH: histogram(4730, 0), "/api/new": histogram(0, 400)},
        ),
        "live-refused": Own({(PATH, "200"): 4730, (PATH, "401"): 200}, {PATH: histogram(4930, 0)}),
        INGRESS: Own({("-", "200"): 4730, ("-", "403"): 200}, {}),
    }
)


@dataclass(frozen=True)
class Running:
    """A Prometheus that has the three hours, and scrapes the exporters."""

    url: str
    began: datetime
    exporters: Mapping[str, Exporter]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Each world is a namespace of its own."""
    folder = tmp_path_factory.mktemp("counting")
    began = (datetime.now(UTC) - timedelta(hours=HOURS + 1)).replace(minute=0, second=7, microsecond=0)
    exporters = {name: Exporter(BEFORE) for name in AFTER}
    servers = [start_http_server(0, "127.0.0.1", registered(each)) for each in exporters.values()]
    scraped = {
        name: [Scraped(f"127.0.0.1:{server.server_port}", name, "a", "s", job=JOBS.get(name, "nox-api"))]
        for name, (server, _) in zip(exporters, servers, strict=True)
    }
    lines = (line for pod in PODS for line in pod.samples(began, LENGTH))
    try:
        with remembering(folder, lines, scraped) as url:
            yield Running(url, began, exporters)
    finally:
        for server, thread in servers:
            server.shutdown()
            server.server_close()
            thread.join()


def registered(exporter: Exporter) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(exporter)
    return registry


@pytest.fixture
def observed() -> list[Observation]:
    return []


@pytest.fixture
def window(
    running: Running, loopback: "Loopback", observed: list[Observation]
) -> Callable[[str], WindowMetrics]:
    """The three hours of a world. Gaps are another check's."""

    def of(namespace: str) -> WindowMetrics:
        looking = client(loopback, running.url, observed)
        end = running.began + timedelta(hours=HOURS)
        return WindowMetrics(looking, queries(namespace), running.began, end, 40, LENGTH)

    return of


def not_counted(observed: Sequence[Observation]) -> list[str]:
    return [one.seen for one in observed if one.seen.startswith("not counted")]


# ---------------------------------------------------------------- three hours


@pytest.mark.parametrize(
    ("world", "worst"),
    [
        ("minute", 20),
        ("minute-60", 20),
        ("at-once", 100 * 200 / 800),
        ("missed", 40),
        ("gap-known", 100 * 200 / 500),
        ("young", 100 * 200 / 562),
        ("late", 100 * 200 / 1000),
        ("anew", 40),
        ("anew-dark", 40),
        ("crash", 40),
    ],
)
def test_errors_that_begin_a_series_are_found(
    window: Callable[[str], WindowMetrics], world: str, worst: float
) -> None:
    """Of a pod that goes on, of one that is new, of a process that starts anew."""
    (found,) = window(world).errors_over(1)

    assert found.worst == pytest.approx(worst, rel=0.15)
    assert found.minutes == 5


@pytest.mark.parametrize("world", ["steady", "new-path", "old-and-good", "moved", "gap-of-one"])
def test_good_hours_stay_good(window: Callable[[str], WindowMetrics], world: str) -> None:
    """A life before adds nothing, be it said."""
    assert window(world).errors_over(1) == []
    assert window(world).silences() == []


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ("gap-of-one", "(500: 1)"),
        ("moved", "(200: 9"),
        ("old-and-good", "(200: 9"),
        ("silent", "(200: "),
        ("gap", "(500: 200)"),
        ("gap-across", "500: 200)"),
    ],
)
def test_what_is_not_counted_is_said(
    window: Callable[[str], WindowMetrics], observed: list[Observation], world: str, said: str
) -> None:
    window(world).requests_per_second()

    (seen,) = not_counted(observed)
    assert said in seen
    assert "neither scraped just before nor started since" in seen


@pytest.mark.parametrize("world", ["gap", "no-prometheus", "old", "gap-across"])
def test_what_decides_and_is_not_counted_is_left_undecided(
    window: Callable[[str], WindowMetrics], world: str
) -> None:
    """Neither charged to the release nor passed over."""
    with pytest.raises(UnreachableError, match=r"^expected less than 1, .* not counted: first values \("):
        window(world).errors_over(1)


def test_errors_of_the_last_minutes_are_found(window: Callable[[str], WindowMetrics]) -> None:
    """Of a pod that started in them."""
    (found,) = window("last-minutes").errors_over(1)

    assert found.minutes == 2


def test_slow_requests_that_begin_a_series_are_found(window: Callable[[str], WindowMetrics]) -> None:
    (found,) = window("new-path").p95_over(300)

    assert 400 < found.worst < 500
    assert window("steady").p95_over(300) == []


def test_a_limit_that_no_bucket_ends_at(window: Callable[[str], WindowMetrics]) -> None:
    """Another may show any number near it."""
    with pytest.raises(UnreachableError, match=r"no bucket that ends at 0\.25 s"):
        window("steady").p95_over(250)


@pytest.mark.parametrize(
    "world", ["steady", "minute", "minute-60", "at-once", "new-path", "missed", "gap-known", "young", "late"]
)
def test_requests_are_those_that_the_api_counted(window: Callable[[str], WindowMetrics], world: str) -> None:
    """To the last one, but for what lies between a scrape and the edges."""
    own = Counter(0 < one.at <= LENGTH for pod in PODS if pod.namespace == world for one in pod.requests)[
        True
    ]

    assert window(world).requests_per_second() * LENGTH == pytest.approx(own, abs=60)


@pytest.mark.parametrize(
    ("world", "pods"), [("restart", {"a": 1}), ("restart-new", {"b": 2}), ("restart-young", {"a": 2})]
)
def test_restarts_of_this_time(
    window: Callable[[str], WindowMetrics], world: str, pods: Mapping[str, float]
) -> None:
    """What a pod brings with it, and what is added."""
    assert window(world).restarts(0) == pods


@pytest.mark.parametrize("world", ["restart-none", "restart-back"])
def test_restarts_of_before_are_none(window: Callable[[str], WindowMetrics], world: str) -> None:
    assert window(world).restarts(0) == {}


def test_restarts_that_may_be_older(
    window: Callable[[str], WindowMetrics], observed: list[Observation]
) -> None:
    """The cluster was not looked at before."""
    for world in ("restart-old", "restart-across"):
        with pytest.raises(UnreachableError, match=r"at most 0 restarts .* may be older: a: 2"):
            window(world).restarts(0)
    assert len(not_counted(observed)) == 2


@pytest.mark.parametrize(
    ("world", "first"), [("at-once", 0), ("new-path", 0), ("young", 0), ("gap", 200), ("old-and-good", 9000)]
)
def test_counters_beside_a_load_test(
    running: Running, loopback: "Loopback", world: str, first: float
) -> None:
    """By the samples themselves, as a load test is compared with them."""
    looking, selector = client(loopback, running.url), f'http_requests_total{{namespace="{world}"}}'
    end = running.began + timedelta(hours=HOURS)
    found = growth(looking, selector, running.began, end)
    own = Counter(0 < one.at <= LENGTH for pod in PODS if pod.namespace == world for one in pod.requests)[
        True
    ]

    assert found.first == pytest.approx(first, abs=600)
    assert found.seen + min(found.first, 600) == pytest.approx(own, abs=600)


# ---------------------------------------------------------------- live


def test_burst_right_now(running: Running, loopback: "Loopback", observed: list[Observation]) -> None:
    """200 of 3,930 requests fail, and a new path is slow: as the API's own counters have it."""
    looking = client(loopback, running.url, observed)
    scrapes = f'min(count_over_time(up{{instance!="",endpoint!=""}}[{EARLIER + 2}s])) or vector(0)'
    eventually(lambda: at_least(looking.value(scrapes), EARLIER), within=60, every=0.2)
    began = time.monotonic()
    for name, own in AFTER.items():
        running.exporters[name].own = own
    asked = 'sum(http_requests_total{namespace=~"live-.*|public"})'
    total = sum(sum(own.requests.values()) for own in AFTER.values())
    eventually(lambda: at_least(looking.value(asked), total), within=60, every=0.2)

    def live(namespace: str) -> KeyMetrics:
        seconds = EARLIER + time.monotonic() - began  # however long a busy machine took
        return KeyMetrics(looking, queries(namespace), ["a"], seconds, Waiting(60))

    green = [name for name in AFTER if name != INGRESS]
    errors = {name: live(name).errors_percent(against=1) for name in green}
    p95 = {name: live(name).p95_ms(against=300) for name in green}

    assert errors == {
        "live-steady": 0,
        "live-burst": pytest.approx(100 * 200 / 3930),
        "live-new-path": 0,
        "live-refused": 0,
    }
    assert [name for name, value in p95.items() if value > 300] == ["live-new-path"]
    assert observed[-1].measured is not None
    assert observed[-1].measured[0] == pytest.approx(p95["live-refused"], rel=1e-4)

    def refused(namespace: str) -> float:
        """Of what users were answered, by the pods or by what stands before them."""
        of = "live-steady" if namespace == INGRESS else namespace
        return live(of).refused_percent(f'http_requests_total{{namespace="{namespace}",}}', against=1)

    assert {name: refused(name) for name in AFTER} == {
        "live-steady": 0,
        "live-burst": 0,
        "live-new-path": 0,
        "live-refused": pytest.approx(100 * 200 / 3930),
        INGRESS: pytest.approx(100 * 200 / 3930),
    }
    with pytest.raises(UnreachableError, match="expected requests in"):
        live("live-steady").refused_percent('http_requests_total{user="nobody"}', against=1)


def at_least(seen: float, least: float) -> None:
    assert seen >= least


# ---------------------------------------------------------------- quantiles


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        ({"0.1": 90.0, "0.3": 95.0, "+Inf": 100.0}, 0.3),
        ({"0.1": 90.0, "0.3": 100.0, "+Inf": 100.0}, 0.2),
        ({"0.1": 90.0, "0.3": 94.0, "+Inf": 100.0}, 0.3),  # no more is known of what is beyond
        ({"0.1": 100.0, "0.3": 100.0, "+Inf": 100.0}, 0.095),
        ({"0.1": 100.0, "0.3": 99.0, "+Inf": 100.0}, 0.095),  # scraped while it was counted
        ({"0.1": 0.0, "+Inf": 0.0}, math.nan),
        ({}, math.nan),
    ],
)
def test_quantiles_are_those_of_prometheus(counted: Mapping[str, float], expected: float) -> None:
    window = CountedWindow(datetime.now(UTC), counted)

    assert window.quantile(0.95) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("counted", [{"0.1": 1.0}, {"+Inf": 1.0}])
def test_quantiles_of_buckets_that_are_not_whole(counted: Mapping[str, float]) -> None:
    with pytest.raises(UnreachableError, match="expected buckets"):
        CountedWindow(datetime.now(UTC), counted).quantile(0.95)
