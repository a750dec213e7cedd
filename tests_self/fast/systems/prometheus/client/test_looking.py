"""The client of Prometheus against a real one: what is scraped, rules, alerts, numbers."""

import json
import re
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import yaml
from tests_self.building.metrics import client
from tests_self.fast.systems.prometheus.client.serving import (
    ALERTMANAGER,
    ALERTS,
    MONITOR,
    PODS,
    RULES,
    Running,
)
from tests_self.faults import http as wrong

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import prometheus
from nox_rehearsal.parts.monitoring.configuration import UNEVALUABLE, Usual
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.waiting import eventually
from noxgate.machine import doctor
from noxgate.systems import settings
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.session import PrometheusSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


def test_each_shipped_alert_fires_and_stays_quiet() -> None:
    """As promtool tries them; and there is a trial of each."""
    trials = ALERTS / "nox-api.tests.yaml"
    for command in (["check", "rules", "--lint-fatal", str(RULES)], ["test", "rules", str(trials)]):
        tried = subprocess.run(
            [doctor.program("promtool"), *command], capture_output=True, text=True, check=False
        )
        assert tried.returncode == 0, tried.stdout + tried.stderr

    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    shipped = {rule["alert"] for group in groups for rule in group["rules"]}
    fires = {
        alert
        for alert in shipped
        if f'{{alertname="{alert}", severity=' in trials.read_text(encoding="utf-8")
    }
    assert fires == shipped


def test_what_is_scraped(looking: Prometheus, running: Running) -> None:
    """With the operator's labels; and soon enough for a rehearsal."""
    targets = sorted(looking.targets(), key=lambda target: target.labels["pod"])

    assert {(one.health, one.last_error, one.every_seconds) for one in targets} == {("up", "", 1.0)}
    assert [one.labels["pod"] for one in targets] == list(PODS)
    (first, _) = targets
    assert (first.job, first.pool, first.url) == (
        "nox-api",
        MONITOR,
        f"http://{first.labels['instance']}/metrics",
    )
    assert dict(first.labels) == {
        "job": "nox-api",
        "instance": first.labels["instance"],
        "namespace": "nox-staging-green",
        "pod": PODS[0],
        "service": "nox-api-service-green",
        "container": "nox-api",
        "endpoint": "http",
    }
    assert first.last_scrape is not None
    assert timedelta(seconds=-1) < datetime.now(UTC) - first.last_scrape < timedelta(minutes=1)
    assert running.seconds < 15  # six on a machine at rest, of which five are Prometheus' own


def test_rules_are_the_shipped_ones(looking: Prometheus) -> None:
    """Compared by meaning: Prometheus spells expressions its own way, and so does the check."""
    loaded = {rule.name: rule for rule in looking.rules()}
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    shipped = {rule["alert"]: rule for group in groups for rule in group["rules"]}

    assert loaded.keys() == shipped.keys()
    for name, rule in shipped.items():
        assert looking.formatted(loaded[name].query) == looking.formatted(rule["expr"])
        assert (loaded[name].type, loaded[name].for_seconds, dict(loaded[name].labels)) == (
            "alerting",
            60,
            rule["labels"],
        )
    assert {rule.group for rule in loaded.values()} == {"nox-api", "nox-api-presence"}
    assert looking.formatted("sum by(pod)(up{a='b'})>   bool 60e-1") == 'sum by (pod) (up{a="b"}) > bool 6'


def test_no_number_stands_alone(loopback: "Loopback", running: Running) -> None:
    """Whoever reads a report sees of what it is: by its labels, its unit, or what it counts."""
    observed: list[Observation] = []
    looking = client(loopback, running.world.prometheus_url, observed)

    looking.value("2 * 3", "pods answered")
    looking.value("2 * 3")
    looking.query('sum by (pod) (http_requests_total{pod=~".*-1"})', "requests")
    looking.targets()
    looking.rules()

    assert [one.seen for one in observed][:4] == [
        "6 pods answered",
        "the number 6",
        f'{{pod="{PODS[0]}"}} 5 requests',
        "2 targets up",
    ]
    assert re.match(r"\d+ rules (ok|unknown)", observed[4].seen)


def test_queries(looking: Prometheus) -> None:
    """Instant, over a time, a scalar, one number."""
    samples = looking.query('http_requests_total{status="200"}')
    now = datetime.now(UTC)

    assert sorted((one.labels["pod"], one.value) for one in samples) == [(pod, 5.0) for pod in PODS]
    assert all(timedelta(0) <= now - one.at < timedelta(minutes=1) for one in samples)
    assert looking.query("absent_series") == []
    assert looking.value("sum(http_requests_total)") == 10
    assert looking.value("2 * 3") == 6
    (series,) = looking.range("sum(up) or vector(0)", now - timedelta(seconds=1), now, 0.5)
    assert [at for at, _ in series.points] == [
        datetime.fromtimestamp(round(now.timestamp(), 3) - 1 + 0.5 * step, UTC) for step in range(3)
    ]
    assert series.points[-1][1] == 2
    scraped = looking.samples("http_requests_total", 60, now)
    assert sorted(one.labels["pod"] for one in scraped) == sorted(PODS)
    assert {value for one in scraped for _, value in one.points} == {5.0}  # as it was scraped


@pytest.mark.parametrize(
    ("promql", "seen"),
    [
        ("absent_series", "no data"),
        ("up", "2 series"),
        ('nox_odd{pod="nox-api-green-1"}', "nan"),
        ("max(nox_endless)", "inf"),
        ("sum(rate(absent_total[1m])) or vector(0) / 0", "nan"),
        ('"text"', "a string"),
        ("up[1m]", "a matrix"),
        ("sum(", "bad_data"),
    ],
)
def test_no_number_is_never_a_number(looking: Prometheus, promql: str, seen: str) -> None:
    with pytest.raises(UnreachableError, match=seen) as caught:
        looking.value(promql)

    assert "\n" not in str(caught.value)


def test_coverage_shows_what_is_missing(looking: Prometheus) -> None:
    """Prometheus has not run for ten hours; and an interval that is too long would hide gaps."""
    few = looking.coverage('up{job="nox-api"}', 36_000, 1)

    assert {one.labels["pod"] for one in few} == set(PODS)
    assert all(0 < one.value < 0.1 for one in few)
    with pytest.raises(UnreachableError, match="no data"):
        looking.coverage("absent_series", 60, 1)

    eventually(lambda: _at_least(looking.value("min(count_over_time(up[3s]))"), 3), within=60, every=0.2)
    with pytest.raises(UnreachableError, match="scrape interval"):
        looking.coverage("up", 3, 3)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_a_number_of_samples_that_is_none(loopback: "Loopback", value: str) -> None:
    """Whoever compares NaN with what is enough finds no gap."""
    vector = [{"metric": {"pod": pod}, "value": [0, seen]} for pod, seen in (("a", "60"), ("b", value))]
    document = {"status": "success", "data": {"resultType": "vector", "result": vector}}
    body = json.dumps(document).encode()
    port = loopback.serve(wrong.never_ending(wrong.saying(body), loopback.over), host="127.0.0.1")
    target = replace(loopback.target(9), prometheus_url=f"http://127.0.0.1:{port}")
    session = PrometheusSession(settings.prometheus(target))

    with (
        closing(session),
        pytest.raises(UnreachableError, match=r"up: expected numbers of samples, saw .* -?(nan|inf)$"),
    ):
        Prometheus(session, lambda _: None).coverage("up", 60, 1)


def _at_least(seen: float, least: float) -> None:
    assert seen >= least


def test_targets_that_are_lost(looking: Prometheus, running: Running, loopback: "Loopback") -> None:
    """One looked for at a wrong port, one not known any more: the first is down, the other leaves a gap."""
    world = running.world
    usual = prometheus.usual(world)
    closed = f"127.0.0.1:{loopback.closed_port()}"
    wrong = Usual(usual.at(PODS[0], closed), usual.groups).without(PODS[1])
    before = datetime.now(UTC)
    prometheus.apply(world, monitors=wrong)
    try:
        (lost,) = looking.targets()

        assert (lost.labels["pod"], lost.health) == (PODS[0], "down")
        assert "connection refused" in lost.last_error
        assert looking.value('sum(up{job="nox-api"})') == 0
    finally:
        prometheus.restore(world)

    assert sorted((one.labels["pod"], one.health) for one in looking.targets()) == [
        (pod, "up") for pod in PODS
    ]
    assert looking.value('sum(up{job="nox-api"})') == 2
    window = max(int((datetime.now(UTC) - before).total_seconds()), 3)
    of_both = looking.coverage(f'up{{job="nox-api", instance!="{closed}"}}', window, 1)
    assert min(one.value for one in of_both) < 0.9


def test_rules_that_are_lost(looking: Prometheus, running: Running) -> None:
    """The file is not loaded; and one rule cannot be evaluated, which Prometheus finds out by trying."""
    world = running.world
    try:
        prometheus.apply(world, groups=[])
        assert looking.rules() == []

        broken = prometheus.usual(world).changed("NoxApiPodDown", expr=UNEVALUABLE)
        prometheus.apply(world, groups=broken)
        errors = {rule.name: rule.last_error for rule in looking.rules() if rule.health != "ok"}
        assert errors.keys() == {"NoxApiPodDown"}
        assert "many-to-many matching" in errors["NoxApiPodDown"]

        with pytest.raises(RehearsalError, match=r"promtool refuses .*NoxApiPodDown"):
            prometheus.apply(world, groups=prometheus.usual(world).changed("NoxApiPodDown", expr="sum("))
        assert len(looking.rules()) == 7
    finally:
        prometheus.restore(world)

    assert {rule.health for rule in looking.rules()} == {"ok"}


def test_alerts(looking: Prometheus, running: Running) -> None:
    """A pending one and a firing one, also beside their rules."""
    world = running.world
    usual = prometheus.usual(world)
    changed = Usual(usual.monitors, usual.changed("NoxApiPodDown", expr="up == 1", **{"for": "0s"}))
    prometheus.apply(world, groups=changed.changed("NoxApiFewPods", expr="sum(up) < 3"))
    try:
        alerts = looking.alerts()
        rules = {rule.name: rule for rule in looking.rules() if rule.alerts}
    finally:
        prometheus.restore(world)

    assert sorted((one.name, one.state, one.value) for one in alerts) == [
        ("NoxApiFewPods", "pending", 2),
        ("NoxApiPodDown", "firing", 1),
        ("NoxApiPodDown", "firing", 1),
    ]
    assert rules.keys() == {"NoxApiFewPods", "NoxApiPodDown"}
    (few,) = rules["NoxApiFewPods"].alerts
    assert (few.labels["severity"], few.annotations["summary"]) == (
        "critical",
        "2 pods of NOX API answer (critical: fewer than 2)",
    )
    assert few.since is not None
    eventually(lambda: _equal(looking.alerts(), []), within=60, every=0.2)


def test_whom_alerts_are_sent_to(looking: Prometheus, running: Running) -> None:
    """As it is configured; whether somebody listens there, the Alertmanager would have to say."""
    expected = [f"http://{ALERTMANAGER}/alertmanager/api/v2/alerts"]
    eventually(lambda: _equal(looking.alertmanagers(), expected), within=60, every=0.2)

    prometheus.apply(running.world, heard=False)
    try:
        eventually(lambda: _equal(looking.alertmanagers(), []), within=60, every=0.2)
    finally:
        prometheus.restore(running.world)


def test_what_is_known_of_a_metric(looking: Prometheus) -> None:
    """What is scraped says what it is, though it may have no series."""
    assert looking.has_metadata("http_requests_total") or looking.has_metadata("http_requests")
    assert looking.has_metadata("nox_errors")
    assert looking.query("nox_errors_total") == []
    assert not looking.has_metadata("nox_erors")


def _equal(seen: object, expected: object) -> None:
    assert seen == expected


def test_each_look_is_recorded(loopback: "Loopback", running: Running) -> None:
    """With the command that a person would type."""
    observed: list[Observation] = []
    url = running.world.prometheus_url
    looking = client(loopback, url, observed)
    # an alert of an earlier test's fault is not this one's
    eventually(lambda: _equal(client(loopback, url, []).alerts(), []), within=60, every=0.2)

    looking.targets(), looking.rules(), looking.alerts(), looking.value("sum by (job) (up)")

    assert observed[0] == Observation(
        "2 targets up", f"curl -sS --get {url}/api/v1/targets --data-urlencode state=active"
    )
    assert observed[1] == Observation("7 rules ok; 0 alerts", f"curl -sS {url}/api/v1/rules")
    assert observed[2] == Observation("no alerts", f"curl -sS {url}/api/v1/alerts")
    assert observed[3] == Observation(
        '{job="nox-api"} 2',
        f"curl -sS --get {url}/api/v1/query --data-urlencode 'query=sum by (job) (up)'",
        measured=(2, 2),
    )
    again = subprocess.run(["sh", "-c", observed[3].repeat], capture_output=True, text=True, check=True)
    assert '"status":"success"' in again.stdout
