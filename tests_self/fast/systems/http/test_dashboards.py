"""Dashboards as people make them, read as Grafana reads them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from tests_self.fast.systems.http.loopback_tools import serving

from noxgate.errors import UnreachableError
from noxgate.systems import settings
from noxgate.systems.http.dashboard import Panel, panels
from noxgate.systems.http.grafana import Grafana

Answer = Callable[[Mapping[str, str]], object]
BOARD = "/api/dashboards/uid/nox-api"
PROXY = "/api/datasources/proxy/uid/{}/api/v1/query"
LOKI = "/api/datasources/proxy/uid/logs/loki/api/v1/query_range"
SETTINGS = "/api/frontend/settings"
SOURCES = {
    "datasources": {
        "Prometheus": {"uid": "P1809F7CD0C75ACF3", "type": "prometheus"},
        "Long Term": {"uid": "mimir", "type": "prometheus"},
        "Logs": {"uid": "logs", "type": "loki"},
        "-- Mixed --": {"type": "datasource"},
    },
    "defaultDatasource": "Long Term",
}
LIST = [
    {"name": "Prometheus", "uid": "P1809F7CD0C75ACF3", "type": "prometheus", "isDefault": False},
    {"name": "Long Term", "uid": "mimir", "type": "prometheus", "isDefault": True},
]


def board(
    expression: str, *variables: Mapping[str, Any], source: object = None, **more: Any
) -> dict[str, Any]:
    """A dashboard of one panel."""
    panel = {"title": "Requests", "datasource": source, "targets": [{"expr": expression}]} | more
    return {"panels": [panel], "templating": {"list": list(variables)}}


def query_of(dashboard: Mapping[str, Any]) -> str:
    (panel,) = panels(dashboard)
    assert panel.unjudged is None
    assert panel.unknown == ()
    return panel.query


def vector(*values: str) -> dict[str, Any]:
    result = [{"metric": {}, "value": [0, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


# ---------------------------------------------------------------- which data source


DS = {"name": "datasource", "type": "datasource", "query": "prometheus"}


def saved(value: object) -> dict[str, Any]:
    return DS | {"current": {"text": value, "value": value}}


@pytest.mark.parametrize("listed", [{SETTINGS: SOURCES}, {"/api/datasources": LIST}])
@pytest.mark.parametrize(
    ("variables", "source", "uid"),
    [
        ([saved("Prometheus")], {"type": "prometheus", "uid": "$datasource"}, "P1809F7CD0C75ACF3"),
        ([saved("P1809F7CD0C75ACF3")], {"type": "prometheus", "uid": "${datasource}"}, "P1809F7CD0C75ACF3"),
        ([saved("default")], {"type": "prometheus", "uid": "$datasource"}, "mimir"),
        ([saved(["Prometheus"])], "[[datasource]]", "P1809F7CD0C75ACF3"),
        ([DS], {"uid": "$datasource"}, "mimir"),
        ([DS | {"current": {}}], "$datasource", "mimir"),
        ([], "Prometheus", "P1809F7CD0C75ACF3"),
        ([], {"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}, "P1809F7CD0C75ACF3"),
        ([], "default", "mimir"),
        ([], None, "mimir"),
        ([], {"uid": "of-another-list"}, "of-another-list"),
    ],
)
def test_data_sources(
    listed: Mapping[str, object], variables: Sequence[Any], source: object, uid: str
) -> None:
    """By uid, by name, by a variable, or the default one; by whichever list this token may see."""
    document = {"dashboard": board("up", *variables, source=source)}
    with serving({BOARD: document, PROXY.format(uid): vector("1"), **listed}) as (target, _):
        grafana = Grafana(settings.grafana(target), lambda _: None)
        (panel,) = grafana.panels()

        assert grafana.has_data(panel)


def test_one_data_source_by_its_name() -> None:
    """Where no list may be seen."""
    answers = {
        BOARD: {"dashboard": board("up", source="My Own")},
        "/api/datasources/name/My%20Own": {"uid": "abc", "name": "My Own"},
        PROXY.format("abc"): vector("1"),
    }
    with serving(answers) as (target, _):
        grafana = Grafana(settings.grafana(target), lambda _: None)
        assert grafana.has_data(grafana.panels()[0])


def test_no_list_of_data_sources() -> None:
    """What stands there is a uid then; the default has no name there."""
    with serving({BOARD: {"dashboard": board("up", source="abc")}, PROXY.format("abc"): vector("1")}) as (
        target,
        _,
    ):
        grafana = Grafana(settings.grafana(target), lambda _: None)
        assert grafana.has_data(grafana.panels()[0])
        with pytest.raises(UnreachableError, match="default data source"):
            grafana.has_data(Panel("Requests", "up", None))


def test_each_query_of_a_mixed_panel_has_its_own() -> None:
    """Expressions over them are Grafana's own, as are its annotations and what other panels have."""
    targets = [
        {"expr": "up", "datasource": {"type": "prometheus", "uid": "a"}},
        {"expr": '{app="nox"}', "datasource": {"type": "loki", "uid": "b"}},
        {"expression": "$A * 2", "type": "math", "datasource": {"type": "__expr__", "uid": "__expr__"}},
        {"panelId": 2, "datasource": {"type": "datasource", "uid": "-- Dashboard --"}},
        {"queryType": "annotations", "datasource": {"type": "datasource", "uid": "-- Grafana --"}},
        {"expr": "hidden", "hide": True},
    ]
    found = panels(board("", source={"type": "datasource", "uid": "-- Mixed --"}, targets=targets))

    assert [(panel.datasource, panel.kind) for panel in found] == [("a", "prometheus"), ("b", "loki")]


def test_what_a_data_source_is_grafana_knows() -> None:
    """An old panel gives a name alone."""
    lines = streams("a line")
    for source, path, answer in (
        ("Logs", LOKI, lines),
        ({"type": "victoriametrics-metrics-datasource", "uid": "vm"}, PROXY.format("vm"), vector("1")),
    ):
        document = {"dashboard": board("x", source=source)}
        with serving({BOARD: document, SETTINGS: SOURCES, path: answer}) as (target, _):
            grafana = Grafana(settings.grafana(target), lambda _: None)
            assert grafana.has_data(grafana.panels()[0])

    elsewhere = {"datasources": {"Traces": {"uid": "t", "type": "tempo"}}}
    document = {"dashboard": board("x", source="Traces")}
    with serving({BOARD: document, SETTINGS: elsewhere}) as (target, _):
        grafana = Grafana(settings.grafana(target), lambda _: None)
        with pytest.raises(UnreachableError, match="is of tempo"):
            grafana.has_data(grafana.panels()[0])


def test_panels_of_the_library() -> None:
    """They are kept elsewhere, with their queries."""
    shown = {"title": "here", "libraryPanel": {"uid": "lib", "name": "Requests"}}
    model = board("up", source={"uid": "p"})["panels"][0]
    answers = {
        BOARD: {"dashboard": {"panels": [shown]}},
        "/api/library-elements/lib": {"result": {"model": model}},
    }
    with serving(answers) as (target, _):
        (panel,) = Grafana(settings.grafana(target), lambda _: None).panels()
    alone = {BOARD: {"dashboard": {"panels": [shown]}}}
    with serving(alone) as (target, _), pytest.raises(UnreachableError, match="404"):
        Grafana(settings.grafana(target), lambda _: None).panels()

    assert (panel.title, panel.query) == ("Requests", "up")


# ---------------------------------------------------------------- variables


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("$__interval", "1m"),
        ("${__interval}", "1m"),
        ("$__interval_ms", "60000"),
        ("$__rate_interval", "5m"),
        ("$__rate_interval_ms", "300000"),
        ("[[__range]]", "30m"),
        ("$__range_s", "1800"),
        ("$__range_ms", "1800000"),
        ("$__auto", "1m"),
        ("$__auto_interval_interval", "1m"),
        ("${__org.id}", "1"),
        ("${__org.name}", "Main Org."),
        ("${__user.login}", "noxgate"),
        ("$__dashboard", ""),
    ],
)
def test_what_grafana_fills_in_itself(name: str, value: str) -> None:
    assert query_of(board(f"x[{name}]")) == f"x[{value}]"


def test_from_and_to() -> None:
    """In milliseconds, or as a date."""
    start, end = query_of(board("$__from ${__to}")).split()

    assert int(end) - int(start) == 1800_000
    assert datetime.fromisoformat(query_of(board("${__to:date}"))).tzinfo == UTC
    assert query_of(board("${__from:date:seconds}")).isdigit()


def test_an_interval_that_grafana_chooses() -> None:
    """Its value names a variable again."""
    auto = {
        "name": "interval",
        "type": "interval",
        "auto": True,
        "current": {"text": "auto", "value": "$__auto_interval_interval"},
    }

    assert query_of(board("sum(rate(x[$interval]))", auto)) == "sum(rate(x[1m]))"


SEVERAL = {"name": "pod", "current": {"value": ["a.b", "c"]}}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$pod", "(a.b|c)"),
        ("${pod:pipe}", "a.b|c"),
        ("${pod:regex}", "(a\\.b|c)"),
        ("${pod:csv}", "a.b,c"),
        ("${pod:raw}", "a.b,c"),
        ("[[pod:glob]]", "{a.b,c}"),
        ("${pod:json}", '["a.b", "c"]'),
        ("${pod:singlequote}", "'a.b','c'"),
        ("${pod:doublequote}", '"a.b","c"'),
        ("${pod:queryparam}", "var-pod=a.b&var-pod=c"),
        ("${pod:text}", "a.b + c"),
        ('label_replace(up, "a", "$1", "b", "(.*)$")', 'label_replace(up, "a", "$1", "b", "(.*)$")'),
    ],
)
def test_formats(text: str, filled: str) -> None:
    assert query_of(board(text, SEVERAL)) == filled


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ({"current": {"value": "$__all"}}, ".*"),
        ({"current": {"value": ["$__all"]}, "allValue": "nox-.+"}, "nox-.+"),
        ({"type": "constant", "query": "nox"}, "nox"),
        ({"type": "textbox", "query": ""}, ""),
        ({"type": "custom", "query": "a, b"}, "a"),
        ({"type": "custom", "query": "first : a,second : b"}, "a"),
        ({"type": "interval", "query": "1m,10m", "current": {}}, "1m"),
        ({"type": "custom", "options": [{"value": "z"}]}, "z"),
        ({"type": "query", "current": {"value": "${other}-x"}}, "o-x"),
    ],
)
def test_values(variable: dict[str, Any], value: str) -> None:
    """As they were saved, or as one begins that was not."""
    other = {"name": "other", "current": {"value": "o"}}

    assert query_of(board("$v", {"name": "v"} | variable, other)) == value


def test_variables_that_stay_unfilled_are_said() -> None:
    """A person can save a value for one that never had any, but cannot for one that is not there."""
    (never,) = panels(board('up{job="$job"}', {"name": "job", "type": "query", "query": "label_values(job)"}))
    (unknown,) = panels(board('up{job="$jobb"}', {"name": "job", "current": {"value": "a"}}))

    assert never.unjudged == "panel Requests: $job stays unfilled: save the dashboard with a value of it"
    assert str(unknown) == "Requests ($jobb stays unfilled: no variable is called so)"
    assert unknown.unjudged is None
    with serving({}) as (target, asked), pytest.raises(UnreachableError, match=r"\$job stays unfilled"):
        Grafana(settings.grafana(target), lambda _: None).has_data(never)
    assert asked == []


# ---------------------------------------------------------------- panels


def test_an_old_dashboard_has_rows() -> None:
    """And rows in rows, and panels without queries."""
    panel = board("up")["panels"][0]
    row = {"title": "row", "panels": [panel, {"type": "text"}, {"type": "row", "panels": [panel]}]}

    assert len(list(panels({"rows": [row, {"panels": None}], "panels": [panel]}))) == 3


def test_a_new_dashboard_is_not_understood() -> None:
    document: dict[str, Any] = {"dashboard": {"elements": {"panel-1": {}}, "layout": {}}}
    with serving({BOARD: document}) as (target, _), pytest.raises(UnreachableError, match="schema v2"):
        Grafana(settings.grafana(target), lambda _: None).panels()


def test_panels_of_other_sources_are_said() -> None:
    """They are not asked here: a person sees what they show."""
    (panel,) = panels(
        board("", source={"type": "cloudwatch", "uid": "c"}, targets=[{"queryMode": "Metrics"}])
    )

    assert panel.unjudged == "panel Requests is of cloudwatch, which is not asked here"


@pytest.mark.parametrize(
    "query",
    [{"query": "status:500"}, {"rawSql": "SELECT 1"}, {"target": "a.b.c"}, {"metricName": "CPUUtilization"}],
)
def test_panels_of_other_sources_in_an_old_dashboard(query: dict[str, str]) -> None:
    """It names its data source alone; what is left of another one in a panel of Prometheus is nothing."""
    target = {"refId": "A", **query}
    (panel,) = panels(board("", source="Elsewhere", targets=[target]))

    assert panel.unjudged == "panel Requests is of another kind, which is not asked here"
    assert list(panels(board("", source={"type": "prometheus", "uid": "p"}, targets=[target]))) == []
    assert list(panels(board("", source="Prometheus", targets=[{"refId": "A", "legendFormat": "x"}]))) == []


FIVE = 'sum(rate(http_requests_total{job="nox",status=~"5.."}[5m]))'
THERE = 'group(present_over_time(http_requests_total{job="nox"}[5m]))'


def prometheus(*known: str) -> Answer:
    """It has a number for these queries, and none for others."""
    return lambda asked: vector("1") if asked["query"] in known else vector()


@pytest.mark.parametrize(
    ("query", "known", "has_data"),
    [
        (FIVE, (THERE,), True),
        (FIVE, (), False),
        (f"{FIVE} / sum(y)", (THERE,), False),
        (f"{FIVE} / sum(y)", (THERE, "group(y{})"), True),
        ("increase(restarts[5m]) > 0", ("group(present_over_time(restarts{}[5m]))",), True),
        ('ALERTS{alertstate="firing"}', ("group(up{})",), True),
        (
            'kube_pod_container_status_waiting_reason{namespace="n"}',
            ('group({__name__=~"kube_.+",namespace="n"})',),
            True,
        ),
        ('kube_pod_container_status_waiting_reason{namespace="n"}', ('group({__name__=~"kube_.+"})',), False),
        ("vector(0) > 1", (), False),
        ("sum(", (), False),
    ],
)
def test_a_panel_of_errors_is_empty_on_a_good_day(query: str, known: Sequence[str], has_data: bool) -> None:  # noqa: FBT001
    """As long as there are requests to look at."""
    with serving({PROXY.format("p"): prometheus(*known)}) as (target, _):
        assert (
            Grafana(settings.grafana(target), lambda _: None).has_data(Panel("5xx", query, "p")) is has_data
        )


def streams(*lines: str) -> dict[str, Any]:
    result = [{"stream": {}, "values": [["1", line] for line in lines]}] if lines else []
    return {"status": "success", "data": {"resultType": "streams", "result": result}}


def matrix(*values: str) -> dict[str, Any]:
    result = [{"metric": {}, "values": [[1, value] for value in values]}] if values else []
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


@pytest.mark.parametrize(
    ("query", "answer", "has_data"),
    [
        ('{app="nox"}', lambda _: streams("a line"), True),
        ('{app="nox"}', lambda _: streams(), False),
        ('sum(rate({app="nox"}[5m]))', lambda _: matrix("0.5"), True),
        (
            'sum(count_over_time({app="n}x"} |= "error" [5m]))',
            lambda asked: streams("a line") if asked["query"] == '{app="n}x"}' else matrix(),
            True,
        ),
        (
            '{app="nox"} |= "error"',
            lambda asked: streams(*(["x"] if asked["query"] == '{app="nox"}' else [])),
            True,
        ),
        ('{app="noxx"} |= "error"', lambda _: streams(), False),
        (
            'sum(rate({app="nox", pod=`a}b`, level=~"error|fatal"} | json [5m]))',
            lambda asked: streams("x") if asked["query"] == '{app="nox",pod="a}b"}' else matrix(),
            True,
        ),
        (
            '{app="nox", service_name="noxx", detected_level="error"}',
            lambda asked: streams(*(["x"] if "service_name" not in asked["query"] else [])),
            False,
        ),
        ('{level="error"}', lambda _: streams(), False),
    ],
)
def test_panels_of_logs(query: str, answer: Answer, has_data: bool) -> None:  # noqa: FBT001
    """Loki is asked as Loki is: lines, or numbers made of them; lines of errors may be absent."""
    document = {"dashboard": board(query, source={"type": "loki", "uid": "Logs"})}
    with serving({BOARD: document, SETTINGS: SOURCES, LOKI: answer}) as (target, asked):
        grafana = Grafana(settings.grafana(target), lambda _: None)
        (panel,) = grafana.panels()

        assert grafana.has_data(panel) is has_data
    assert int(asked[-1][1]["end"]) - int(asked[-1][1]["start"]) == 1800 * 10**9
