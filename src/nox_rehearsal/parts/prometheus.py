"""The rehearsal's Prometheus: the real one, scraping and judging every second, on loopback."""

import http.client
import json
import os
import re
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts.monitoring.configuration import (
    Group,
    Monitors,
    Usual,
    begin,
    keep,
    name_of,
    usual_of,
    write,
)
from nox_rehearsal.world import leftovers
from nox_rehearsal.world.processes import Part
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually
from noxgate.machine import doctor

NAME = "prometheus"
# Targets change at a tick of 5 s, and the first come 5 s after the start: no option shortens that.
RELOADING = 60.0  # seconds; a busy machine's
KEPT = 3.0  # seconds of what is forgotten otherwise
_RELOADED = "prometheus_config_last_reload_success_timestamp_seconds"


def prepare(
    folder: Path, port: int, monitors: Monitors, groups: Sequence[Group], alertmanager: str | None = None
) -> Part:
    """Write the configuration, and what is usual beside it; launch it early: its first look takes 5 s."""
    home = folder / NAME
    home.mkdir()
    begin(home, Usual(monitors, groups, alertmanager))
    return Part(
        name=NAME,
        address=f"127.0.0.1:{port}",
        command=(
            str(doctor.program("prometheus")),
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.external-url=http://127.0.0.1:{port}",
            "--storage.tsdb.min-block-duration=2h",
            "--storage.tsdb.max-block-duration=2h",  # blocks are never merged
            "--web.max-connections=64",
            "--web.enable-admin-api",  # for `forget`
            "--query.max-concurrency=4",
            "--query.timeout=30s",
            "--scrape.discovery-reload-interval=100ms",  # else what is discovered may wait twice 5 s
            "--log.level=warn",
        ),
        folder=home,
        serves=lambda: _is_ready(port),
        environment={"GOMAXPROCS": "1", "GOGC": "60"},
    )


def wait_until_scraped(port: int, pods: Iterable[str], within: float) -> None:
    """Wait until every target answers, and each of these pods is one.

    Raises RehearsalError if that takes longer.
    """
    expected = set(pods)

    def every_pod_is_up() -> None:
        targets = _targets(port)
        known = {target["labels"].get("pod") for target in targets}
        assert expected <= known, f"no target for {', '.join(sorted(expected - known))}"
        down = [
            f"{one['scrapeUrl']} is {one['health']}: {one['lastError']}"
            for one in targets
            if one["health"] != "up"
        ]
        assert down == [], "; ".join(down)
        found = _data(port, f"/api/v1/query?query={quote('up == 1')}")["result"]
        assert len(found) >= len(targets), f"{len(found)} samples of up for {len(targets)} targets"

    try:
        eventually(every_pod_is_up, within=within, every=0.05)
    except AssertionError as error:
        raise RehearsalError(f"Prometheus does not see every pod after {within:g} s: {error}") from None


def values(world: World, query: str) -> list[float]:
    """What an expression answers now, without labels; NaN is left out."""
    port = urlsplit(world.prometheus_url).port or 80
    found = _data(port, f"/api/v1/query?query={quote(query)}")["result"]
    return [float(one["value"][1]) for one in found if one["value"][1] != "NaN"]


def alerts(world: World) -> list[str]:
    """The alerts that are active, by name; the series ALERTS outlives a stop of Prometheus by minutes."""
    port = urlsplit(world.prometheus_url).port or 80
    return [str(one["labels"]["alertname"]) for one in _data(port, "/api/v1/alerts")["alerts"]]


def forget(world: World, selector: str, kept: float = KEPT) -> None:
    """Drop what was measured of these series but in the last seconds `kept`; the rules judge anew.

    What is left says how far counters had come: one that began now would have a burst as its first value.
    """
    port = urlsplit(world.prometheus_url).port or 80
    path = f"/api/v1/admin/tsdb/delete_series?match[]={quote(selector)}&end={time.time() - kept:.3f}"
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", path)
        status = connection.getresponse().status
    if status != HTTPStatus.NO_CONTENT:
        raise RehearsalError(f"Prometheus does not forget {selector}: HTTP {status}")


def usual(world: World) -> Usual:
    """To change for `apply`."""
    return usual_of(world.folder / NAME)


def apply(
    world: World,
    *,
    groups: Sequence[Group] | None = None,
    monitors: Monitors | None = None,
    heard: bool = True,
) -> None:
    """Run with these rules and these targets; None if the usual ones. `heard`: with the usual Alertmanager.

    Returns when no other target is scraped any more, each has been looked at, and each rule was evaluated on
    what was seen: up to 2 s for rules, 9 s for targets.
    """
    before = usual(world)
    wanted = Usual(
        before.monitors if monitors is None else monitors,
        before.groups if groups is None else groups,
        before.alertmanager if heard else None,
    )
    write(world.folder / NAME, wanted)
    _reload(world)


def add(world: World, more: Monitors) -> None:
    """Scrape more from now on; as `apply`, that is usual then."""
    known = usual(world)
    keep(world.folder / NAME, replace(known, monitors={**known.monitors, **more}))
    apply(world)


def restore(world: World) -> None:
    """Run as at the start."""
    apply(world)


def _is_ready(port: int) -> None:
    _get(port, "/-/ready")


def _reload(world: World) -> None:
    pid = World.load(world.folder).pids.get(NAME)
    if pid is None or leftovers.look(pid) is None:
        raise RehearsalError("Prometheus is not running: nothing to reload")
    port = urlsplit(world.prometheus_url).port or 80
    home = world.folder / NAME
    configuration = json.loads((home / "prometheus.yml").read_text(encoding="utf-8"))
    groups = json.loads((home / "rules.yml").read_text(encoding="utf-8"))["groups"]
    before = _reloaded(port)
    os.kill(pid, signal.SIGHUP)

    def reloaded() -> float:
        at = _reloaded(port)
        assert at > before, "the configuration was not read again"
        return at

    try:
        since = datetime.fromtimestamp(eventually(reloaded, within=RELOADING, every=0.02), UTC)
        eventually(lambda: _scrapes(port, configuration, since), within=RELOADING, every=0.05)
        scraped = datetime.now(UTC)
        eventually(lambda: _judges(port, groups, scraped), within=RELOADING, every=0.05)
    except AssertionError as error:
        log = (world.folder / "log" / f"{NAME}.log").read_text(encoding="utf-8").strip()
        raise RehearsalError(f"Prometheus did not reload ({error}): {log.rpartition(chr(10))[2]}") from None


def _reloaded(port: int) -> float:
    """When the configuration was last read, in seconds since 1970."""
    found = re.search(rf"^{_RELOADED} (\S+)$", _get(port, "/metrics"), re.MULTILINE)
    assert found, f"no {_RELOADED} in /metrics"
    return float(found[1])


def _judges(port: int, groups: Sequence[Group], since: datetime) -> None:
    rules = [
        (group["name"], rule) for group in _data(port, "/api/v1/rules")["groups"] for rule in group["rules"]
    ]
    expected = sorted((group["name"], name_of(rule)) for group in groups for rule in group["rules"])
    seen = sorted((group, rule["name"]) for group, rule in rules)
    assert seen == expected, f"expected rules {expected}, saw {seen}"
    early = [rule["name"] for _, rule in rules if _time(rule["lastEvaluation"]) < since]
    assert early == [], f"not evaluated yet: {', '.join(early)}"


def _scrapes(port: int, configuration: Mapping[str, Any], since: datetime) -> None:
    targets = _targets(port)
    expected = sorted(
        (job["job_name"], f"http://{static['targets'][0]}/metrics", static["labels"]["pod"])
        for job in configuration["scrape_configs"]
        for static in job["static_configs"]
    )
    seen = sorted((one["scrapePool"], one["scrapeUrl"], one["labels"]["pod"]) for one in targets)
    assert seen == expected, f"expected targets {expected}, saw {seen}"
    early = [one["scrapeUrl"] for one in targets if _time(one["lastScrape"]) < since]
    assert early == [], f"not looked at yet: {', '.join(early)}"
    samples = _data(port, "/api/v1/query?query=up")["result"]  # a lost target's last one stays for 2 s
    instances = sorted(one["metric"]["instance"] for one in samples)
    expected_instances = sorted(one["labels"]["instance"] for one in targets)
    assert instances == expected_instances, f"expected up of {expected_instances}, saw {instances}"


def _targets(port: int) -> list[dict[str, Any]]:
    targets: list[dict[str, Any]] = _data(port, "/api/v1/targets?state=active")["activeTargets"]
    return targets


def _data(port: int, path: str) -> Any:
    return json.loads(_get(port, path))["data"]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _get(port: int, path: str) -> str:
    """The answer to a GET. Raises AssertionError if it is not 200."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise AssertionError(str(error)) from None
    assert answer.status == 200, f"{path} answers {answer.status}"  # noqa: PLR2004
    return text
