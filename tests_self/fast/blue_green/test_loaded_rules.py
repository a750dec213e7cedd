"""Rules as loaded, with all that an operator adds; whom alerts concern; whether somebody hears them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from noxgate.blue_green.monitored.loaded_rules import (
    different_rules,
    not_evaluated,
    shipped_rules,
    unheard,
    unloaded_alerts,
)
from noxgate.blue_green.monitored.watched import firing_alerts, ours
from noxgate.errors import UnreachableError
from noxgate.look.promql.durations import seconds
from noxgate.project.target import Target
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.prometheus.answers import Alert, Rule
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.rule_series import without_series

GREEN, BLUE = "nox-production-green", "nox-production-blue"
NAMESPACES = {"nox-production", GREEN, BLUE}
STEPS = [
    {"alert": "Down", "expr": 'up{job="nox-api"} == 0', "for": wait, "labels": {"severity": severity}}
    for wait, severity in (("10m", "info"), ("30m", "warning"), ("1h", "critical"))
]


GROUPS = [
    {"name": "nox", "interval": "30s", "rules": STEPS},
    {"name": "more", "rules": [{"record": "a", "expr": "1"}]},
]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (GROUPS, []),
        ([GROUPS[0]], ["group more is not there", "group more, a is not there"]),
        (
            [GROUPS[0], {"name": "more", "rules": []}, {"name": "theirs"}],
            ["group more, a is not there", "group theirs is not shipped"],
        ),
        (
            [
                {**GROUPS[0], "interval": "5m", "rules": [STEPS[0], {**STEPS[1], "for": "9h"}, STEPS[2]]},
                GROUPS[1],
            ],
            [
                "group nox: expected interval 30s, saw 5m",
                "group nox, Down (2): expected for 30m, saw 9h",
            ],
        ),
        ([{**GROUPS[0], "rules": STEPS[:2]}, GROUPS[1]], ["group nox, Down (3) is not there"]),
        (
            [GROUPS[0], {"name": "more", "rules": [{"record": "a", "expr": "1", "labels": {"b": "c"}}]}],
            ["group more, a: expected labels None, saw b=c"],
        ),
        (GROUPS[::-1], ["the same rules in another order"]),
    ],
)
def test_what_differs_from_what_is_shipped(groups: Sequence[Any], said: list[str]) -> None:
    assert different_rules(groups, GROUPS) == said


def loaded(rule: Mapping[str, Any], **changes: Any) -> Rule:
    """A rule as Prometheus has it, unless something is said otherwise."""
    found = Rule(
        group="nox",
        name=rule.get("alert") or rule["record"],
        query=rule["expr"],
        type="alerting",
        health="ok",
        last_error="",
        last_evaluation=datetime.now(UTC),
        evaluation_seconds=0.1,
        every_seconds=15,
        for_seconds=seconds(rule.get("for", "0s")),
        labels=rule.get("labels") or {},
        annotations={},
        alerts=(),
    )
    return replace(found, **changes)


def prometheus(rules: Sequence[Rule] = (), **answers: Any) -> Prometheus:
    """One that has these rules, and gives these answers."""
    return cast("Prometheus", SimpleNamespace(rules=lambda: list(rules), formatted=str, **answers))


def judged(rule: Mapping[str, Any], query: str, **labels: str) -> dict[str, str]:
    """What is wrong with a rule that is loaded with this query, and with these labels in addition."""
    more = {**(rule.get("labels") or {}), **labels}
    return not_evaluated(prometheus([loaded(rule, query=query, labels=more)]), [rule], 60)


# ---------------------------------------------------------------- loaded as shipped


def test_one_alert_in_three_steps_is_loaded() -> None:
    """In any order; a step that is missing, or waits for another time, is not replaced by the others."""
    rules = [loaded(rule) for rule in STEPS]

    assert not_evaluated(prometheus(rules[::-1]), STEPS, 60) == {}
    assert not_evaluated(prometheus(rules[:2]), STEPS, 60).keys() == {"Down"}
    longer = replace(rules[1], for_seconds=3600)
    assert "for 3600 s" in not_evaluated(prometheus([rules[0], longer, rules[2]]), STEPS, 60)["Down"]
    broken = replace(rules[2], health="err", last_error="many-to-many")
    assert not_evaluated(prometheus([*rules[:2], broken]), STEPS, 60) == {"Down": "err: many-to-many"}
    old = replace(rules[2], last_evaluation=datetime.now(UTC) - timedelta(hours=1))
    assert "last evaluated" in not_evaluated(prometheus([*rules[:2], old]), STEPS, 60)["Down"]


@pytest.mark.parametrize(("every", "ago", "is_fine"), [(300, 500, True), (300, 700, False), (15, 130, False)])
def test_a_rule_is_asked_as_often_as_its_group(every: float, ago: float, is_fine: bool) -> None:  # noqa: FBT001
    """One that is for once in five minutes may have been asked four ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    rule = loaded(STEPS[0], every_seconds=every, last_evaluation=at)

    assert (not_evaluated(prometheus([rule]), STEPS[:1], 120) == {}) is is_fine


@pytest.mark.parametrize(
    ("shipped", "query"),
    [
        ("sum(rate(x[5m])) by (job) > 60e-1", "sum by (job) (rate(x[5m])) > 6"),
        ("rate(x{b='c', a=\"d\"}[90s])>0", 'rate(x{a="d",b="c"}[1m30s]) > 0'),
        ("up{job='a'}\n  ==\n0", 'up{job="a"} == 0'),
        ('{__name__="up"} == 0', "up == 0"),
    ],
)
def test_prometheus_own_spelling(shipped: str, query: str) -> None:
    """Of the same expression."""
    assert judged({"alert": "A", "expr": shipped}, query) == {}


@pytest.mark.parametrize(
    ("shipped", "query"),
    [
        ("up == 0", 'up{namespace="nox-production-green"} == 0'),
        ('up{namespace="nox-production-green"} == 0', 'up{namespace="nox-production-green"} == 0'),
        ('up{namespace=~"nox-.+",a="b"} == 0', 'up{a="b",namespace="nox-production-green"} == 0'),
        (
            "sum by (up) (rate(up[5m] offset 1m)) / y > 1",
            f'sum by (up) (rate(up{{namespace="{GREEN}"}}[5m] offset 1m)) / y{{namespace="{GREEN}"}} > 1',
        ),
        ('absent(up{a="{}"})', 'absent(up{a="{}",namespace="nox-production-green"})'),
    ],
)
def test_a_label_that_the_operator_enforces(shipped: str, query: str) -> None:
    """On the rule, and in each of its selectors."""
    assert judged({"alert": "A", "expr": shipped}, query, namespace=GREEN) == {}


@pytest.mark.parametrize(
    ("shipped", "query", "labels"),
    [
        ("up == 0", f'up{{namespace="{GREEN}"}} == 0', {}),
        ('up{namespace="ingress-nginx"} == 0', f'up{{namespace="{GREEN}"}} == 0', {"namespace": GREEN}),
        ("up + x == 0", f'up{{namespace="{GREEN}"}} + x == 0', {"namespace": GREEN}),
        ("up == 0", 'up{team="nox"} == 0', {"namespace": GREEN}),
        ("up == 0", f'up{{namespace="{GREEN}"}} == 1', {"namespace": GREEN}),
        ('up{job="a"} == 0', f'up{{job="b",namespace="{GREEN}"}} == 0', {"namespace": GREEN}),
    ],
)
def test_what_no_operator_makes_of_it(shipped: str, query: str, labels: dict[str, str]) -> None:
    """Without the label on the rule, in some selectors only, or in place of another namespace's."""
    assert judged({"alert": "A", "expr": shipped}, query, **labels).keys() == {"A"}


def test_critical_alerts_that_are_not_loaded() -> None:
    """By name and expression, with an enforced label or without."""
    critical = {"alert": "A", "expr": "up == 0", "labels": {"severity": "critical"}}
    found = loaded(critical, query='up{ns="n"} == 0', labels={"severity": "critical", "ns": "n"})

    assert unloaded_alerts(prometheus([found]), [critical]) == []
    assert unloaded_alerts(prometheus([replace(found, labels={})]), [critical]) == ["A"]
    with pytest.raises(AssertionError, match="severity critical"):
        unloaded_alerts(prometheus(), [{"alert": "A", "expr": "up", "labels": {"severity": "info"}}])


def test_shipped_rules_have_the_labels_of_their_group() -> None:
    """A rule's own go first; a group may be empty."""
    content = yaml.safe_load("""
spec:
  groups:
    - {name: a, labels: {team: nox, severity: info}, rules: [{alert: A, expr: up, labels: {severity: page}}]}
    - {name: b}
""")
    (rule,) = shipped_rules([Document("a.yaml", 1, "PrometheusRule", "a", None, content)])

    assert rule["labels"] == {"team": "nox", "severity": "page"}


# ---------------------------------------------------------------- series of its own


def seen(series: Sequence[str], described: Sequence[str] = ()) -> Prometheus:
    """One that has series for these selectors and of its scrapes, and knows what these metrics are."""
    known = ["up", *series]
    return cast(
        "Prometheus",
        SimpleNamespace(
            query=lambda query, _: [1] if query.removeprefix("count(").removesuffix(")") in known else [],
            has_metadata=lambda metric: metric in described,
        ),
    )


CRASH = (
    'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff",namespace="%s"}[5m])'
)
OF_GREEN = f'namespace="{GREEN}"'
BOTH = f'namespace="{GREEN}",namespace="{GREEN}"'


def test_rules_that_are_silent_on_a_good_day_are_not_blind() -> None:
    """A selector is asked without what it is compared with; a crash leaves series only where one is."""
    kube = seen(["up", f'{{__name__=~"kube_.+",{BOTH}}}'])

    assert without_series(kube, [{"alert": "A", "expr": "up == 0"}], GREEN, BLUE) == {}
    assert without_series(kube, [{"alert": "A", "expr": f"{CRASH % GREEN} >= 1"}], GREEN, BLUE) == {}
    assert (
        without_series(kube, [{"alert": "A", "expr": 'ALERTS{alertname="B"} unless up'}], GREEN, BLUE) == {}
    )
    assert without_series(seen(["up"]), [{"alert": "A", "expr": CRASH % GREEN}], GREEN, BLUE).keys() == {"A"}
    assert without_series(kube, [{"alert": "A", "expr": CRASH % "nox-gren"}], GREEN, BLUE).keys() == {"A"}


def test_a_counter_of_errors_without_any() -> None:
    """What is scraped says what it is, and others of that job are there; a typo is not a known metric."""
    rule = {"alert": "A", "expr": 'increase(nox_errors_total{job="nox-api"}[5m]) > 0'}

    assert without_series(seen(['{job="nox-api"}'], ["nox_errors_total"]), [rule], GREEN, BLUE) == {}
    assert without_series(seen(['{job="nox-api"}']), [rule], GREEN, BLUE).keys() == {"A"}
    assert without_series(seen([], ["nox_errors_total"]), [rule], GREEN, BLUE).keys() == {"A"}


def test_what_other_rules_record() -> None:
    """Whether those see anything, they are asked themselves."""
    rules = [
        {"record": "nox:errors", "expr": "sum(x)"},
        {"alert": "A", "expr": "nox:errors > 1"},
    ]

    assert without_series(seen(["x"]), rules, GREEN, BLUE) == {}
    assert without_series(seen([]), rules, GREEN, BLUE) == {"nox:errors": ["x"]}


@pytest.mark.parametrize("has_scrapes", [True, False])
def test_rules_before_a_prometheus_without_data(has_scrapes: bool) -> None:  # noqa: FBT001
    """Of one that has no series of what it scrapes nothing is known: the rules may be right."""
    rule = {"alert": "A", "expr": f"{CRASH % GREEN} > 0"}
    known = cast(
        "Prometheus", SimpleNamespace(query=lambda query, _: [1] * (has_scrapes and query == "count(up)"))
    )

    if has_scrapes:
        assert without_series(known, [rule], GREEN, BLUE).keys() == {"A"}
    else:
        with pytest.raises(UnreachableError, match="up: expected series of what is scraped, saw no data"):
            without_series(known, [rule], GREEN, BLUE)


@pytest.mark.parametrize(
    ("selector", "series", "is_blind"),
    [
        ('up{namespace="ingress-nginx"}', 'up{namespace="ingress-nginx"}', False),
        ('up{namespace="databases",job="postgres"}', 'up{namespace="databases",job="postgres"}', False),
        ('up{namespace="ingress-nginx"}', "up", True),
        (f'up{{namespace=~"{GREEN}|{BLUE}"}}', f'up{{namespace=~"{GREEN}|{BLUE}",{OF_GREEN}}}', False),
        (f'up{{namespace=~"{GREEN}|{BLUE}"}}', f'up{{namespace=~"{GREEN}|{BLUE}"}}', True),
        (f'up{{namespace="{BLUE}"}}', f'up{{namespace="{BLUE}"}}', True),
        (f'x{{exported_namespace="{BLUE}"}}', f'x{{exported_namespace="{BLUE}"}}', True),
        ('x{exported_namespace="nox-production"}', 'x{exported_namespace="nox-production"}', False),
        ('up{namespace!="kube-system"}', f'up{{namespace!="kube-system",{OF_GREEN}}}', False),
    ],
)
def test_whose_series_are_asked_for(selector: str, series: str, is_blind: bool) -> None:  # noqa: FBT001
    """Green's where blue or green is meant; an ingress and a database live in namespaces of their own."""
    found = without_series(seen([series]), [{"alert": "A", "expr": f"{selector} == 0"}], GREEN, BLUE)

    assert bool(found) is is_blind


# ---------------------------------------------------------------- whose alerts they are


INGRESS = {"alert": "IngressErrors", "expr": 'sum(rate(errors{namespace="ingress-nginx"}[5m])) > 1'}


def fires(query: str, shipped: Sequence[Mapping[str, Any]], **labels: str) -> list[str]:
    alert = Alert("IngressErrors", "firing", None, 1.0, labels, {})
    rule = loaded({"alert": "IngressErrors", "expr": query}, alerts=(alert,))
    return firing_alerts(prometheus([rule]), {"IngressErrors"}, NAMESPACES, shipped)


def test_alerts_of_the_ingress_are_taken_into_account() -> None:
    """They name the ingress's namespace, and are shipped; one of staging's of that name is not."""
    staging = INGRESS["expr"].replace("ingress-nginx", "nox-staging-green")

    assert fires(INGRESS["expr"], [INGRESS]) == ["IngressErrors {}"]
    assert fires(INGRESS["expr"], [INGRESS], namespace="ingress-nginx") != []
    assert fires(staging, [INGRESS]) == []
    assert fires(staging, [INGRESS], namespace="nox-staging-green") == []
    assert fires(staging, [INGRESS], exported_namespace=GREEN) != []


def test_alerts_of_two_days_are_ours_by_what_their_rule_looks_at() -> None:
    """Of the ingress, of a sum, of our own namespaces; not staging's of the same name."""
    is_ours = ours({"IngressErrors"}, NAMESPACES, [INGRESS])

    assert is_ours({"alertname": "IngressErrors"})
    assert is_ours({"alertname": "IngressErrors", "namespace": "ingress-nginx"})
    assert is_ours({"alertname": "Others", "namespace": GREEN})
    assert not is_ours({"alertname": "IngressErrors", "namespace": "nox-staging-green"})
    assert not is_ours({"alertname": "Others", "namespace": "ingress-nginx"})
    assert not is_ours({"alertname": "Others"})


# ---------------------------------------------------------------- an Alertmanager


def target(**changes: Any) -> Target:
    found = Target(
        name="production",
        path=Path("production.toml"),
        serves=("live",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox-production",
    )
    return replace(found, **changes)


def no_such_api() -> list[str]:
    raise UnreachableError("http://thanos/api/v1/alertmanagers: expected success, saw HTTP 404")


def test_alerts_that_nobody_hears() -> None:
    """Prometheus says itself to whom it sends them."""
    assert unheard(prometheus(alertmanagers=lambda: ["http://a:9093/api/v2/alerts"]), target()) == []
    (why,) = unheard(prometheus(alertmanagers=list), target(), within=0)
    assert "no Alertmanager is connected" in why


def test_an_alertmanager_that_prometheus_is_about_to_find() -> None:
    """It forgets them whenever it reads its configuration, as for each new monitor."""
    answers = iter([[], ["http://a:9093/api/v2/alerts"]])

    assert unheard(prometheus(alertmanagers=lambda: next(answers)), target()) == []


def test_a_ruler_outside() -> None:
    """Nothing is known of it, unless the profile names where it sends alerts."""
    with pytest.raises(UnreachableError, match=r"404: .*name its alertmanager_url in production\.toml$"):
        unheard(prometheus(alertmanagers=no_such_api), target())

    asked: list[str] = []
    thanos = prometheus(alertmanagers=no_such_api, ask_alertmanager=asked.append)
    assert unheard(thanos, target(alertmanager_url="https://alertmanager")) == []
    assert asked == ["https://alertmanager"]
