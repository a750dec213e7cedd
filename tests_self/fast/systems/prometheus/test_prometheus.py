"""Prometheus: the rehearsal's, which is the real one, and the client of it, also against bad answers."""

import base64
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
from tests_self.building.metrics import client
from tests_self.faults import http as wrong

from nox_rehearsal.checkout import NOX
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import prometheus
from nox_rehearsal.parts.prometheus import Scraped
from nox_rehearsal.world.ports import free_ports
from nox_rehearsal.world.processes import Crew
from nox_rehearsal.world.state import StartedPart, World
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.waiting import eventually
from noxgate.machine import doctor
from noxgate.systems import settings
from noxgate.systems.prometheus.client import Prometheus, PrometheusSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

PODS = ("nox-api-green-1", "nox-api-green-2")
MONITOR = "serviceMonitor/nox-staging-green/nox-api-servicemonitor/0"
ALERTS = NOX / "alerts"
RULES = ALERTS / "nox-api.rules.yaml"
ALERTMANAGER = "127.0.0.1:9"  # a closed port: Prometheus knows whom it would tell
FILLING: Mapping[Any, Any] = MappingProxyType({str: "", int: 0, Path: Path()})


class Running(NamedTuple):
    """A Prometheus that runs, and how long it took from its launch to the first sample of each pod."""

    world: World
    seconds: float
    registries: Mapping[str, CollectorRegistry]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests, with two small exporters in place of pods; each test leaves it as it was."""
    folder = tmp_path_factory.mktemp("prometheus")
    crew = Crew(folder)
    (port,) = free_ports(1)
    registries = {pod: _registry() for pod in PODS}
    exporters = [start_http_server(0, "127.0.0.1", registry) for registry in registries.values()]
    scraped = [
        Scraped(f"127.0.0.1:{server.server_port}", "nox-staging-green", pod, "nox-api-service-green")
        for pod, (server, _) in zip(PODS, exporters, strict=True)
    ]
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    try:
        started = datetime.now(UTC)
        crew.launch(prometheus.prepare(folder, port, {MONITOR: scraped}, groups, ALERTMANAGER))
        crew.wait_for(prometheus.NAME)
        prometheus.wait_until_scraped(port, PODS, within=15)
        seconds = (datetime.now(UTC) - started).total_seconds()
        server = StartedPart(prometheus.NAME, f"127.0.0.1:{port}", crew.pids()[prometheus.NAME], None)
        yield Running(_world(folder, f"http://127.0.0.1:{port}", server), seconds, registries)
    finally:
        crew.stop_all()
        for exporter, thread in exporters:
            exporter.shutdown()
            exporter.server_close()
            thread.join()


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("http_requests", "Requests.", ["method", "path", "status"], registry=registry).labels(
        "GET", "/version", "200"
    ).inc(5)
    Counter("nox_errors", "None yet.", ["kind"], registry=registry)
    Gauge("nox_odd", "No number.", registry=registry).set(float("nan"))
    Gauge("nox_endless", "No number either.", registry=registry).set(float("inf"))
    return registry


def _world(folder: Path, url: str, server: StartedPart) -> World:
    filling = {each.name: FILLING.get(each.type, {}) for each in fields(World)}
    world = World(**filling | {"folder": folder, "prometheus_url": url, "servers": (server,)})
    world.save()
    return world


@pytest.fixture
def looking(loopback: "Loopback", running: Running) -> Prometheus:
    """A client of the Prometheus that runs."""
    return client(loopback, running.world.prometheus_url)


# ---------------------------------------------------------------- the shipped alert rules


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


# ---------------------------------------------------------------- the real one


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
    assert timedelta(seconds=-1) < datetime.now(UTC) - first.last_scrape < timedelta(seconds=5)
    assert running.seconds < 9


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
    assert all(timedelta(0) <= now - one.at < timedelta(seconds=5) for one in samples)
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
    """Prometheus has not run for an hour; and an interval that is too long would hide gaps."""
    few = looking.coverage('up{job="nox-api"}', 3600, 1)

    assert {one.labels["pod"] for one in few} == set(PODS)
    assert all(0 < one.value < 0.1 for one in few)
    with pytest.raises(UnreachableError, match="no data"):
        looking.coverage("absent_series", 60, 1)

    eventually(lambda: _at_least(looking.value("min(count_over_time(up[3s]))"), 3), within=5, every=0.2)
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
    wrong = prometheus.Usual(usual.at(PODS[0], closed), usual.groups).without(PODS[1])
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

        broken = prometheus.usual(world).changed("NoxApiPodDown", expr=prometheus.UNEVALUABLE)
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
    changed = prometheus.Usual(
        usual.monitors, usual.changed("NoxApiPodDown", expr="up == 1", **{"for": "0s"})
    )
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
    eventually(lambda: _equal(looking.alerts(), []), within=5, every=0.2)


def test_whom_alerts_are_sent_to(looking: Prometheus, running: Running) -> None:
    """As it is configured; whether somebody listens there, the Alertmanager would have to say."""
    expected = [f"http://{ALERTMANAGER}/alertmanager/api/v2/alerts"]
    eventually(lambda: _equal(looking.alertmanagers(), expected), within=30, every=0.2)

    prometheus.apply(running.world, heard=False)
    try:
        eventually(lambda: _equal(looking.alertmanagers(), []), within=20, every=0.2)
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
    eventually(lambda: _equal(client(loopback, url, []).alerts(), []), within=30, every=0.2)

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


# ---------------------------------------------------------------- bad answers


def http(status: str, body: bytes, *headers: str) -> bytes:
    """An answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def ok(result: str, more: str = "") -> bytes:
    """A good answer with these series."""
    data = f'{{"resultType":"vector","result":[{result}]}}'
    return http("200 OK", f'{{"status":"success","data":{data}{more}}}'.encode())


def saying(answer: bytes, asked: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    """A server with one answer, to any request."""

    def talk(connection: socket.socket) -> None:
        (asked if asked is not None else []).append(connection.recv(65536))
        connection.sendall(answer)

    return talk


BAD: Mapping[str, tuple[bytes, str]] = MappingProxyType(
    {
        "html": (http("200 OK", b"<!doctype html><title>Sign in</title>"), "saw HTTP 200: <!doctype html>"),
        "login": (
            http("302 Found", b"", "Location: https://sso.example/login?state=s3cret"),
            r"saw HTTP 302 to sso\.example/login \(to sign in\?\)$",
        ),
        "starting": (http("503 Service Unavailable", b"Service Unavailable"), "saw HTTP 503: Service Un"),
        "no-token": (http("401 Unauthorized", b"Unauthorized\n"), r"saw HTTP 401 \(prometheus_token "),
        "forbidden": (http("403 Forbidden", b'{"message":"no"}'), r"saw HTTP 403 \(prometheus_token "),
        "error": (
            http("422 No", b'{"status":"error","errorType":"execution","error":"too\\nmany"}'),
            "expected success, saw HTTP 422, execution: too many$",
        ),
        "error-200": (http("200 OK", b'{"status":"error"}'), "expected success, saw HTTP 200"),
        "success-500": (ok("").replace(b"200 OK", b"500 Oh"), "expected success, saw HTTP 500"),
        "truncated": (http("200 OK", b'{"status":"success","data":{'), "saw HTTP 200: {"),
        "cut-off": (http("200 OK", b"{}").replace(b": 2", b": 9"), "."),
        "empty": (http("200 OK", b""), "saw HTTP 200: an empty body"),
        "list": (http("200 OK", b"[]"), r"saw HTTP 200: \[\]"),
        "no-data": (http("200 OK", b'{"status":"success"}'), "KeyError: 'data'"),
        "null": (http("200 OK", b'{"status":"success","data":null}'), "form of an answer"),
        "warnings": (
            ok('{"metric":{},"value":[1,"1"]}', ',"warnings":["store 2 is away"]'),
            "without warnings, saw .*store 2 is away",
        ),
        "no-value": (ok('{"metric":{},"value":[]}'), "form of an answer"),
        "no-number": (ok('{"metric":{},"value":[1,"one"]}'), "form of an answer"),
        "odd-time": (ok('{"metric":{},"value":["x","1"]}'), "form of an answer"),
        "far-time": (ok('{"metric":{},"value":[1e99,"1"]}'), "form of an answer"),
        "nan": (ok('{"metric":{},"value":[1,NaN]}'), "saw HTTP 200"),
        "deep": (http("200 OK", b"[" * 100_000), "saw HTTP 200"),
        "no-http": (b"hello\r\n\r\n", "."),
        "gone": (b"", "."),
    }
)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_unreachable(loopback: "Loopback", name: str) -> None:
    """One line, recorded, and with nothing in it that a login page was handed."""
    answer, expected = BAD[name]
    observed: list[Observation] = []
    looking = client(loopback, f"http://localhost:{loopback.serve(saying(answer))}/", observed)

    with pytest.raises(UnreachableError, match=expected) as caught:
        looking.value("up")

    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert [one.seen for one in observed] == [f"could not look: {caught.value}"]


NOTE = "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (1:6)"


@pytest.mark.parametrize("key", ["warnings", "infos"])
def test_a_note_is_kept_and_the_number_counts(loopback: "Loopback", key: str) -> None:
    """Before 3.0 notes are among the warnings."""
    answer = ok('{"metric":{},"value":[1,"182.4"]}', f',"{key}":["{NOTE}"]')
    observed: list[Observation] = []
    looking = client(loopback, f"http://localhost:{loopback.serve(saying(answer))}/", observed)

    assert looking.value("x") == 182.4
    assert [one.seen for one in observed] == [f"noted: {NOTE}", "the number 182.4"]


@pytest.mark.parametrize(
    "besides",
    [
        f',"warnings":["{NOTE}","store 2 is away"]',
        ',"warnings":["PromQL warning: quantile value should be between 0 and 1, got 95 (1:20)"]',
        ',"warnings":"store 2 is away"',
        f',"warnings":["store 2 says PromQL info"],"infos":["{NOTE}"]',
    ],
)
def test_a_warning_beside_a_note_is_one(loopback: "Loopback", besides: str) -> None:
    answer = ok('{"metric":{},"value":[1,"182.4"]}', besides)
    looking = client(loopback, f"http://localhost:{loopback.serve(saying(answer))}/")

    with pytest.raises(UnreachableError, match=r"without warnings, saw (PromQL w|store 2)"):
        looking.value("x")


def test_a_user_and_a_password(loopback: "Loopback") -> None:
    """Basic authentication, as curl -u has it; neither is shown, in base64 either."""
    asked: list[bytes] = []
    server = saying(ok('{"metric":{},"value":[1,"7"]}'), asked)
    observed: list[Observation] = []
    looking = client(
        loopback,
        f"https://localhost:{loopback.serve_tls(server)}",
        observed,
        credentials={"prometheus_password": "PROM_PASSWORD"},
        variables={"PROM_PASSWORD": "nox:pä:ss-of-prometheus"},
    )

    assert looking.value("up") == 7
    sent = base64.b64encode("nox:pä:ss-of-prometheus".encode())
    assert b"authorization: basic " + sent.lower() + b"\r\n" in asked[0].lower()
    (look,) = observed
    assert '-u "${PROM_PASSWORD:?}"' in look.repeat
    assert "ss-of-prometheus" not in str(observed)
    assert sent.decode() not in str(observed)


def test_a_path_before_the_api_is_kept_and_the_token_is_not_shown(loopback: "Loopback") -> None:
    """As behind a proxy of many tenants, over TLS with the target's own authority."""
    asked: list[bytes] = []
    server = saying(ok('{"metric":{},"value":[1,"7"]}'), asked)
    observed: list[Observation] = []
    url = f"https://localhost:{loopback.serve_tls(server)}/tenant-1/prometheus"
    credentials = {"prometheus_token": "PROM_TOKEN"}
    variables = {"PROM_TOKEN": "token-of-prometheus"}
    looking = client(loopback, url, observed, credentials=credentials, variables=variables)

    assert looking.value("up") == 7
    assert asked[0].startswith(b"GET /tenant-1/prometheus/api/v1/query?query=up HTTP/1.1\r\n")
    assert b"authorization: bearer token-of-prometheus\r\n" in asked[0].lower()
    (look,) = observed
    assert '-H "Authorization: Bearer ${PROM_TOKEN:?}"' in look.repeat
    assert "--cacert" in look.repeat
    assert "token-of-prometheus" not in str(observed)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"prometheus_url": None}, r"^loopback\.toml names no prometheus_url$"),
        ({"variables": {}}, r"^PROM_TOKEN is not set \(loopback\.toml \[credentials\] prometheus_token\)"),
        ({"prometheus_url": "http://prometheus.example"}, r"^http://prometheus\.example: expected https"),
        (
            {
                "credentials": {"prometheus_password": "PROM_PASSWORD"},
                "variables": {"PROM_PASSWORD": "a-password-alone"},
            },
            r"^\$PROM_PASSWORD: expected USER:PASSWORD, saw no colon in it$",
        ),
    ],
)
def test_what_the_profile_lacks(loopback: "Loopback", changes: dict[str, Any], expected: str) -> None:
    """A token is sent to this machine, or over TLS."""
    usual: dict[str, Any] = {
        "prometheus_url": "https://localhost:9",
        "credentials": {"prometheus_token": "PROM_TOKEN"},
        "variables": {"PROM_TOKEN": "token-of-prometheus"},
    }
    settings = usual | changes
    looking = client(loopback, settings.pop("prometheus_url"), **settings)

    with pytest.raises(UnreachableError, match=expected):
        looking.targets()


def test_an_alertmanager_is_asked_without_the_token(loopback: "Loopback") -> None:
    """It is another server."""
    asked: list[bytes] = []
    server = saying(
        http("200 OK", b'{"cluster":{"status":"ready"},"versionInfo":{"version":"0.25.0"}}'), asked
    )
    observed: list[Observation] = []
    credentials = {"prometheus_token": "PROM_TOKEN"}
    variables = {"PROM_TOKEN": "token-of-prometheus"}
    url = f"http://localhost:{loopback.serve(server)}"
    looking = client(loopback, "https://localhost:9", observed, credentials=credentials, variables=variables)

    assert looking.ask_alertmanager(url) == "0.25.0"
    assert asked[0].startswith(b"GET /api/v2/status HTTP/1.1\r\n")
    assert b"token-of-prometheus" not in asked[0]
    assert observed == [Observation("Alertmanager 0.25.0 answers", f"curl -sS {url}/api/v2/status")]


@pytest.mark.parametrize("name", ["html", "login", "no-token", "error-200", "list", "empty", "null", "gone"])
def test_what_is_no_alertmanager(loopback: "Loopback", name: str) -> None:
    url = f"http://localhost:{loopback.serve(saying(BAD[name][0]))}"

    with pytest.raises(UnreachableError, match=r"\A[^\n]+\Z"):
        client(loopback, url).ask_alertmanager(url)


def test_a_certificate_that_is_not_trusted(loopback: "Loopback") -> None:
    url = f"https://localhost:{loopback.serve_tls(saying(ok('')))}"

    with pytest.raises(UnreachableError, match="certificate verify failed"):
        client(loopback, url, ca_file=None).targets()


def test_nobody_there(loopback: "Loopback") -> None:
    with pytest.raises(UnreachableError, match="refused"):
        client(loopback, f"http://localhost:{loopback.closed_port()}").targets()
