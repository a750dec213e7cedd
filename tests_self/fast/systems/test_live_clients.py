"""What looks at green after the switch: spans, gaps, rules without series, first minutes, Grafana, Sentry."""

import http.server
import json
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests_self.service import queries

from nox_rehearsal.parts import containers, pages
from nox_service.first_minutes import FirstMinutes, Rounds
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.target import Dashboard, SentryProject, Target
from noxgate.systems import settings
from noxgate.systems.http.grafana import Grafana
from noxgate.systems.http.sentry import Sentry
from noxgate.systems.prometheus.answers import Sample, ScrapeTarget
from noxgate.systems.prometheus.client import NoDataError, Prometheus
from noxgate.systems.prometheus.key_metrics import KeyMetrics, Span, Waiting
from noxgate.systems.prometheus.rule_series import without_series

if TYPE_CHECKING:
    from nox_service.api import ApiClient

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
        metrics.errors_percent(1)


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
    monkeypatch.setattr("noxgate.systems.prometheus.key_metrics.time", found)
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


# ---------------------------------------------------------------- the first minutes


class Sampled:
    """An API that gives these answers, one list after another."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)

    def sample(self, _: str, __: int) -> Any:
        found = self._answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def command(self, path: str, *, who: str | None) -> str:
        return f"curl {path} {who}"


def first_minutes(*answers: object) -> tuple[FirstMinutes, list[Observation]]:
    seen: list[Observation] = []
    api = cast("ApiClient", Sampled(*answers))
    return FirstMinutes(Rounds(api, ["/health"], list, during=0.02, every=0.01), seen.append), seen


def test_all_looks_count() -> None:
    """Of the whole time, though only one check waited for it."""
    watched, seen = first_minutes(["a"], ["b"], ["c"])

    twice: list[list[Any]] = [[*watched.answers("/health")] for _ in range(2)]
    assert twice == [["a", "b", "c"]] * 2
    assert watched.pods() == [[], [], []]
    assert seen[1:] == [
        Observation("/health: 3 looks", "curl /health None"),
        Observation("pods: 3 looks", "kubectl get pods"),
    ]


def test_the_gates_own_user_is_watched_too() -> None:
    """A few looks in a round, with the token."""
    asked: list[tuple[str, object, int]] = []

    class AsAUser(Sampled):
        def get_often(self, path: str, *, who: object, times: int) -> Any:
            asked.append((path, who, times))
            return self.sample(path, times)

    api = cast("ApiClient", AsAUser("a", "b"))
    rounds = Rounds(api, [], list, during=0.01, every=0.01, signed_in=["/api/user/profile"])

    found: list[Any] = [*FirstMinutes(rounds, lambda _: None).answers("/api/user/profile")]
    assert found == ["a", "b"]
    assert asked == [("/api/user/profile", "test_token", 4)] * 2


def test_one_look_in_vain_is_a_failure() -> None:
    """Users could not reach it either."""
    watched, _ = first_minutes([1], UnreachableError("refused"), [3])

    with pytest.raises(AssertionError, match="round 2 of 3: refused"):
        watched.answers("/health")


def test_no_look_at_all_is_no_failure() -> None:
    """It may be us."""
    refused = UnreachableError("refused")
    watched, _ = first_minutes(refused, refused, refused)

    with pytest.raises(UnreachableError):
        watched.answers("/health")


def test_nobody_waits_where_nothing_can_be_looked_at() -> None:
    """An empty answer beside it would be a look."""
    api = cast("ApiClient", Sampled(UnreachableError("refused"), UnreachableError("nor this")))
    rounds = Rounds(api, ["/health"], lambda: api.sample("", 0), during=9, every=9)

    with pytest.raises(UnreachableError, match="refused"):
        FirstMinutes(rounds, lambda _: None).answers("/health")


# ---------------------------------------------------------------- Grafana and Sentry


@contextmanager
def serving(answers: Mapping[str, tuple[int, object]]) -> Iterator[tuple[int, list[str]]]:
    """A server on loopback that answers by path; the port, and the headers of authorization that came."""
    came: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.headers.get("authorization", ""))
            status, document = answers.get(self.path.partition("?")[0], (404, {"message": "not found"}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(
                document.encode() if isinstance(document, str) else json.dumps(document).encode()
            )

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, came
    finally:
        server.shutdown()
        server.server_close()


def target(port: int) -> Target:
    url = f"http://127.0.0.1:{port}"
    return Target(
        name="loopback",
        path=Path("loopback.toml"),
        serves=("live",),
        base_url="https://localhost:9",
        plain_url="http://localhost:9",
        namespace="nox",
        rehearsal=True,
        grafana=Dashboard(url, "nox-api"),
        sentry=SentryProject(url, "nox", "api"),
        credentials={"grafana_token": "GRAFANA_TOKEN"},
        variables={"GRAFANA_TOKEN": "token-of-grafana"},
    )


QUERY = "/api/datasources/proxy/uid/prometheus/api/v1/query"


def vector(*values: str) -> tuple[int, object]:
    result = [{"metric": {}, "value": [0, value]} for value in values]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


@pytest.mark.parametrize(("values", "has_data"), [(("0",), True), ((), False), (("NaN",), False)])
def test_panels(values: tuple[str, ...], has_data: bool) -> None:  # noqa: FBT001
    """Variables are filled in; NaN is what an empty panel shows, too."""
    document = pages.dashboard(GREEN)
    with serving({"/api/dashboards/uid/nox-api": (200, document), QUERY: vector(*values)}) as (port, came):
        seen: list[Observation] = []
        grafana = Grafana(settings.grafana(target(port)), seen.append)
        panels = grafana.panels()

        assert [panel.title for panel in panels] == ["Requests", "p95", "Pods", "Memory"]
        assert panels[0].query == (f'sum(rate(http_requests_total{{namespace="{GREEN}",job="nox-api"}}[5m]))')
        assert grafana.has_data(panels[0]) is has_data
    assert set(came) == {"Bearer token-of-grafana"}
    assert "token-of-grafana" not in str(seen)


def test_rows_hidden_queries_and_several_values() -> None:
    """Panels lie inside rows, too; a query that is hidden shows nothing."""
    targets = [{"expr": 'up{namespace=~"$ns"}'}, {"expr": "hidden", "hide": True}, {"refId": "B"}]
    panel = {"title": "inner", "datasource": {"uid": "${source}"}, "targets": targets}
    variables = [
        {"name": "ns", "current": {"value": ["a", "b"]}},
        {"name": "source", "current": {"value": "prometheus"}},
    ]
    document = {
        "dashboard": {"panels": [{"title": "row", "panels": [panel]}], "templating": {"list": variables}}
    }
    with serving({"/api/dashboards/uid/nox-api": (200, document)}) as (port, _):
        (found,) = Grafana(settings.grafana(target(port)), lambda _: None).panels()

    assert (found.query, found.datasource) == ('up{namespace=~"(a|b)"}', "prometheus")


@pytest.mark.parametrize("answer", [(401, {}), (302, {}), (200, "<html>"), (200, {"x": 1}), (500, {})])
def test_no_dashboard_is_nothing_known(answer: tuple[int, object]) -> None:
    """A page to sign in does not count."""
    with serving({"/api/dashboards/uid/nox-api": answer}) as (port, _), pytest.raises(UnreachableError):
        Grafana(settings.grafana(target(port)), lambda _: None).panels()


def test_new_issues() -> None:
    """Also if the server ignores the query, older ones do not count."""
    issues = [
        {"shortId": "NOX-1", "title": "old", "firstSeen": "2026-01-01T09:00:00Z", "count": "3"},
        {"shortId": "NOX-2", "title": "new", "firstSeen": "2026-01-01T11:00:00.5Z", "count": "1"},
    ]
    with serving({"/api/0/projects/nox/api/issues/": (200, issues)}) as (port, came):
        found = Sentry(settings.sentry(target(port)), lambda _: None).new_issues(
            datetime(2026, 1, 1, 10, tzinfo=UTC)
        )

    assert [str(issue) for issue in found] == ["NOX-2 new (1 events)"]
    assert came == [""], "no token where the profile names none"


def test_profile_that_names_neither_leaves_them_to_a_person() -> None:
    """The reason says so."""
    without = replace(target(9), grafana=None, sentry=None)
    with pytest.raises(UnreachableError, match="a person looks"):
        Grafana(settings.grafana(without), lambda _: None)
    with pytest.raises(UnreachableError, match="a person looks"):
        Sentry(settings.sentry(without), lambda _: None)


# ---------------------------------------------------------------- the rehearsal's container metrics


def test_container_metrics() -> None:
    """Limits in bytes and cores; a pod without a process has no use."""
    limits = {"resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}
    pod = {
        "metadata": {"namespace": "n", "name": "p"},
        "spec": {"containers": [{"name": "c", **limits}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }

    lines = list(containers.exposition([pod], {}, {}))

    limit = 'kube_pod_container_resource_limits{namespace="n",pod="p",container="c"'
    assert lines == [
        'kube_pod_status_ready{namespace="n",pod="p",condition="true"} 1',
        f'{limit},resource="cpu",unit="core"}} 0.5',
        f'{limit},resource="memory",unit="byte"}} 1073741824.0',
    ]
