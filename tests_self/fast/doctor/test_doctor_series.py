"""`noxgate doctor --target`: whether Prometheus has series for the gate's queries, tried on a real one."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.served import remembering
from tests_self.service import SERVICE, queries

from noxgate.doctor.needs import SERIES
from noxgate.doctor.seen import Seen, place
from noxgate.doctor.systems.series import series
from noxgate.look.promql.selectors import Matcher, selectors
from noxgate.project.target import LoadCounters, QuietHours

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

ROOT = Path(__file__).parents[3]
NGINX = 'nginx_ingress_controller_requests{{exported_namespace="{0}",ingress="nox-api-ingress",status="200"}}'


def exported(namespace: str) -> list[str]:
    """All that the queries of a namespace's pods select."""
    pod = f'namespace="{namespace}",pod="a"'
    of_job, of_container = f'{pod},job="nox-api"', f'{pod},container="nox-api"'
    return [
        f"up{{{of_job}}}",
        f'http_requests_total{{{of_job},path="/health",status="200"}}',
        f'http_request_duration_seconds_bucket{{{of_job},path="/health",le="+Inf"}}',
        f"container_memory_working_set_bytes{{{of_container}}}",
        f"container_cpu_usage_seconds_total{{{of_container}}}",
        f'kube_pod_container_resource_limits{{{of_container},resource="memory"}}',
        f'kube_pod_container_resource_limits{{{of_container},resource="cpu"}}',
        f"kube_pod_container_status_restarts_total{{{of_container}}}",
        f"kube_pod_created{{{pod}}}",
    ]


def changed(pattern: str, by: str) -> Callable[[str], list[str]]:
    """The series of a namespace, but for these."""
    return lambda namespace: [re.sub(pattern, by, each) for each in exported(namespace)]


WORLDS: dict[str, Sequence[str]] = {
    "well": exported("well"),
    "blue": exported("blue"),
    "job": changed('job="nox-api"', 'job="other"')("job"),
    "path": changed('path="[^"]*"', 'handler="/x"')("path"),
    "name": changed("^http_requests_total", "requests_total")("name"),
    "container": changed('container="nox-api"', 'container="app"')("container"),
    "limits": [each for each in exported("limits") if 'resource="cpu"' not in each],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has seen each of these worlds a moment ago, for as long as the tests take."""
    now = datetime.now(UTC).timestamp() - 20
    every = [each for world in WORLDS.values() for each in world] + [NGINX.format("well")]
    lines = (f"{each} 1 {now + 60 * minute:.0f}" for each in every for minute in range(120))
    with remembering(tmp_path_factory.mktemp("series"), lines) as found:
        yield found


@pytest.fixture
def looked(loopback: "Loopback", tmp_path: Path, address: str) -> Callable[..., dict[str, Seen]]:
    """The rows, by what they are about."""
    profile = tmp_path / "own.toml"
    profile.write_text('serves = ["live"]\ngreen_namespace = "x"\n')

    def look(green: str, blue: str | None = None, **named: object) -> dict[str, Seen]:
        target = dataclasses.replace(
            loopback.target(9),
            path=profile,
            prometheus_url=address,
            namespace=green,
            green_namespace=green,
            blue_namespace=blue,
            **named,  # type: ignore[arg-type]
        )
        return {one.setting: one for one in series(place(target), SERVICE, SERIES)}

    return look


def causes(rows: dict[str, Seen]) -> list[str]:
    return [name for name, row in rows.items() if row.cause is not None]


@pytest.mark.parametrize(
    ("green", "blue", "said", "is_set"),
    [
        ("well", None, "9 queries of the key metrics find series of well", True),
        ("not-yet", "blue", "9 queries of the key metrics find series of not-yet or blue", True),
        ("not-yet", None, "nothing of not-yet is scraped yet; others have the labels", False),
    ],
)
def test_what_is_well(
    green: str, blue: str | None, said: str, looked: Callable[..., dict[str, Seen]], *, is_set: bool
) -> None:
    """Before the release there is blue alone, or a cluster of others."""
    rows = looked(green, blue)

    assert causes(rows) == []
    assert said in rows["key metrics"].said
    assert rows["key metrics"].is_set is is_set


@pytest.mark.parametrize(
    ("green", "missing", "there"),
    [
        ("job", ["up", "http_requests_total", "http_request_duration_seconds_bucket"], 'job="other"'),
        ("path", ["http_requests_total", "http_request_duration_seconds_bucket"], 'handler="/x"'),
        (
            "name",
            ["http_requests_total"],
            "saw those of other namespaces alone (",
        ),
        (
            "container",
            [
                "container_memory_working_set_bytes",
                "container_cpu_usage_seconds_total",
                "kube_pod_container_resource_limits",
                "kube_pod_container_status_restarts_total",
            ],
            'container="app"',
        ),
        ("limits", ["kube_pod_container_resource_limits"], 'resource="memory"'),
    ],
)
def test_what_is_called_otherwise(
    green: str, missing: list[str], there: str, looked: Callable[..., dict[str, Seen]]
) -> None:
    """A row for each, with the labels that there are, and the page that says which it must be."""
    rows = looked(green)

    assert causes(rows) == missing
    assert there in rows[missing[0]].said
    cause = rows[missing[0]].cause
    assert cause is not None
    assert "docs/METRICS.md" in cause.remedy[0]
    assert cause.remedy[0].startswith("curl -sS --get http")
    assert "own.toml" in cause.remedy[1]


def test_the_selectors_of_the_profile(looked: Callable[..., dict[str, Seen]]) -> None:
    """That find series, and that do not: each says which there are."""
    well = looked(
        "well",
        quiet=QuietHours((), NGINX.format("well")),
        load_counters=LoadCounters('http_requests_total{namespace="well"}', ()),
        signed_in_requests='http_requests_total{namespace="well",path="/health"}',
    )
    assert causes(well) == []
    assert {"quiet.ingress", "load_counters", "signed_in_requests"} <= well.keys()

    odd = looked(
        "well",
        quiet=QuietHours((), 'envoy_cluster_upstream_rq{cluster="nox"}'),
        load_counters=LoadCounters('http_requests_total{namespace="wel"}', ()),
        signed_in_requests='up{namespace="well"}',
    )
    assert causes(odd) == ["signed_in_requests", "quiet.ingress", "load_counters"]
    assert "saw no metric envoy_cluster_upstream_rq; well has " in odd["quiet.ingress"].said
    shown = odd["quiet.ingress"].cause
    assert shown is not None
    assert "/api/v1/label/__name__/values" in shown.remedy[0]
    assert 'there are container="nox-api"' not in odd["load_counters"].said
    assert 'namespace="' in odd["load_counters"].said
    assert odd["signed_in_requests"].said.startswith("no label status or code on ")


def test_a_name_that_is_near(looked: Callable[..., dict[str, Seen]]) -> None:
    """What the namespace has instead, where others have the name, and where it is unknown."""
    assert looked("name")["http_requests_total"].said.endswith("; name has requests_total")
    counters = LoadCounters('requests_totals{namespace="name"}', ())
    near, nothing = (
        looked(name, load_counters=counters)["load_counters"].said for name in ("name", "no-one")
    )
    assert "saw no metric requests_totals; name has requests_total" in near
    assert nothing.endswith("; nothing of no-one is scraped")


def test_an_ingress_that_nobody_named(looked: Callable[..., dict[str, Seen]]) -> None:
    """Nginx' counters are needed where a minute is silent, and begin with the first request."""
    assert looked("well")["quiet.ingress"].said == "nginx' own counters have series"
    other = looked("blue")["quiet.ingress"]
    assert (other.cause, other.is_set) == (None, False)
    assert other.said.startswith('none of nginx; there are exported_namespace="well"')


def test_nothing_is_said_where_prometheus_does_not_answer(loopback: "Loopback", tmp_path: Path) -> None:
    """Another row has it."""
    profile = tmp_path / "own.toml"
    profile.write_text("")
    away = f"http://localhost:{loopback.closed_port()}"
    for url in (away, None):
        target = dataclasses.replace(loopback.target(9), path=profile, prometheus_url=url)
        assert list(series(place(target), SERVICE, SERIES)) == []


def test_the_page_names_the_labels_of_the_queries() -> None:
    """Its table is compared with what the queries select by, and are summed by."""
    text = (ROOT / "docs" / "METRICS.md").read_text(encoding="utf-8")
    table = text.partition("## Which labels the queries need")[2].partition("\n## ")[0]
    told: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE):
        names, labels = (re.findall(r"`([^`]+)`", re.sub(r"\(.*\)", "", cell)) for cell in row)
        if "the same without" in row[1]:
            labels = [*(told["http_requests_total"] - {labels[0]}), *labels[1:]]
        told |= {name: set(labels) for name in names}

    assert told == needed()


def needed() -> dict[str, set[str]]:
    """Name of a series -> labels, and the job's own value."""
    of = queries("n")
    expressions = [of.requests, of.buckets, of.started, of.pod_started, of.pods(), of.restarts]
    expressions += [of.memory_percent(), of.cpu_percent(60), *(each for some in of.every for each in some)]
    found: dict[str, set[str]] = {}
    for expression in expressions:
        for selector in selectors(expression):
            labels = found.setdefault(selector.name or "", set(of.labels(selector.name or "")))
            labels |= {_label(matcher) for matcher in selector.matchers}
    return found


def _label(matcher: Matcher) -> str:
    return str(matcher) if matcher.label == "job" else matcher.label
