"""Grafana and Sentry: panels with data, new issues, and what is known without an answer."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests_self.fast.systems.http import loopback_tools

from nox_rehearsal.parts import pages
from noxgate.errors import UnreachableError
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.http.grafana import Grafana, _answer
from noxgate.systems.http.sentry import Sentry
from noxgate.systems.http.tool_api import ToolApi

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

GREEN = "nox-production-green"


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
    token = {"grafana_token": "GRAFANA_TOKEN"}
    return replace(
        loopback_tools.target(port), credentials=token, variables={"GRAFANA_TOKEN": "token-of-grafana"}
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
    assert seen[0].seen == "the dashboard: NOX API, 4 panels"
    found = f"panel Requests: {len(values)} series{': ' if values else ''}{', '.join(values)}"
    assert found in [one.seen for one in seen]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"resultType": "scalar", "result": [0, "7"]}, "7"),
        ({"resultType": "streams", "result": [{"stream": {}, "values": [["0", "a"]]}]}, "1 streams"),
        (
            {"resultType": "vector", "result": [{"value": [0, str(at)]} for at in range(5)]},
            "5 series: 0, 1, 2, …",
        ),
        ({"resultType": "vector", "result": [{"value": 0}]}, 'another form: {"data": {"resultType"'),
        ([], 'another form: {"data": []}'),
    ],
)
def test_what_a_query_found_is_said_in_short(data: object, said: str) -> None:
    with serving({"/api/thing": (200, {"data": data})}) as (port, _):
        seen: list[Observation] = []
        tool = settings.grafana(target(port))
        api = ToolApi("Grafana", f"http://127.0.0.1:{port}", tool.token, tool.connection, seen.append)
        api.get("/api/thing", {}, "panel X", _answer)

    assert seen[0].seen.startswith(f"panel X: {said}")


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
