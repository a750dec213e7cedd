"""What a test must show before an alert counts as one that stays quiet, and what else rules may be like."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from noxgate.errors import UnreachableError
from noxgate.project.target import Target
from noxgate.trials.alert_tests import AlertTests, AlertTrial, alert_test_settings

BOTH = AlertTrial(None, frozenset({"A"}), frozenset({"A"}))
FIRES_ALONE = AlertTrial(None, frozenset({"A"}), frozenset())


def tried(folder: Path, text: str, *groups: dict[str, Any]) -> AlertTrial:
    """What these tests prove of these groups."""
    path = folder / "tests.yaml"
    path.write_text(text, encoding="utf-8")
    target = Target(
        name="staging",
        path=Path("staging.toml"),
        serves=("preflight",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="staging",
        alert_tests=path,
    )
    return AlertTests(alert_test_settings(target), lambda _: None).run(groups)


def group(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "nox", "rules": list(rules), **more}


def alert(expr: str, wait: str = "15m", **more: Any) -> dict[str, Any]:
    return {"alert": "A", "expr": expr, "for": wait, **more}


def written(good: str, at: str, bad: str = "0x60", series: str = "up", labels: str = "{}") -> str:
    """Quiet at a time of the good series, firing at the end of the bad one."""
    return f"""
rule_files: [rules.yaml]
tests:
  - interval: 1m
    input_series: [{{series: '{series}', values: '{good}'}}]
    alert_rule_test: [{{alertname: A, eval_time: {at}}}]
  - interval: 1m
    input_series: [{{series: '{series}', values: '{bad}'}}]
    alert_rule_test: [{{alertname: A, eval_time: 50m, exp_alerts: [{{exp_labels: {labels}}}]}}]
"""


@pytest.mark.parametrize(
    ("expr", "good", "at"),
    [
        ("vector(1)", "1x60", "5m"),
        ("up >= 0", "1x60", "5m"),
        ("up >= 0", "_x60", "50m"),
        ("up >= 0", "1x10", "50m"),
        ("up >= 0", "1x10 stale", "12m"),
        ("up >= 0", "1x5 _x60", "50m"),
        ("max_over_time(up[2m]) >= 0", "1x10", "50m"),
        ("sum(up) >= bool 0", "1x60", "14m"),
        ("sum(max_over_time(up[5m:1m])) >= 0", "_x60", "50m"),
        ("(up offset 10m) >= 0", "1x60", "24m"),
        ('count(up{job=""}) or vector(7)', "1x60", "3m"),
    ],
)
def test_an_alert_that_always_fires_does_not_stay_quiet(
    tmp_path: Path, expr: str, good: str, at: str
) -> None:
    """While it waits, without a sample, and after the last one it is as quiet as a good one."""
    assert tried(tmp_path, written(good, at), group(alert(expr))) == FIRES_ALONE


@pytest.mark.parametrize(
    ("expr", "good", "at"),
    [
        ("up == 0", "1x60", "5m"),
        ("up == 0", "1x60", "50m"),
        ("up == 0", "1x60", "1h"),
        ("up == 0 and on () up offset 1m == 0", "1x60", "50m"),
        ("max_over_time(up[10m]) == 0", "1x45", "50m"),
        ("avg_over_time(up[30m]) < 0.1", "1x60", "50m"),
        ("min_over_time((up * 1)[10m:1m]) == 0", "1x60", "50m"),
        ("sum(up) < 1 or absent(up)", "1x60", "50m"),
        ('up{instance=~".*", mode!="x"} == 0', "1x60", "50m"),
    ],
)
def test_a_good_alert_stays_quiet(tmp_path: Path, expr: str, good: str, at: str) -> None:
    """Also before it could fire, where it does not even wait to."""
    assert tried(tmp_path, written(good, at), group(alert(expr))) == BOTH


def test_a_status_that_nobody_answers_on_a_good_day(tmp_path: Path) -> None:
    """No series of the errors: those of the application are there."""
    text = """
rule_files: [rules.yaml]
tests:
  - interval: 1m
    input_series: [{series: 'requests_total{job="nox",status="200"}', values: 0+60x60}]
    alert_rule_test: [{alertname: A, eval_time: 50m, exp_alerts: []}]
  - interval: 1m
    input_series: [{series: 'requests_total{job="nox",status="500"}', values: 0+60x60}]
    alert_rule_test: [{alertname: A, eval_time: 50m, exp_alerts: [{}]}]
"""
    rule = alert('sum(rate(requests_total{job="nox",status=~"5.."}[5m])) > 0.5')

    assert tried(tmp_path, text, group(rule)) == BOTH
    assert tried(tmp_path, text.replace('job="nox",status="200"', 'job="x"'), group(rule)) == FIRES_ALONE


def test_series_that_are_there_only_when_something_is_wrong(tmp_path: Path) -> None:
    """As kube-state-metrics has them: on a good day any others will do."""
    text = """
rule_files: [rules.yaml]
tests:
  - interval: 1m
    input_series: [{series: 'up', values: 1x60}]
    alert_rule_test: [{alertname: A, eval_time: 50m}]
  - interval: 1m
    input_series:
      - {series: 'kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}', values: 1x60}
    alert_rule_test: [{alertname: A, eval_time: 50m, exp_alerts: [{exp_labels: {reason: CrashLoopBackOff}}]}]
"""
    rule = alert(
        'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) >= 1'
    )

    assert tried(tmp_path, text, group(rule)) == BOTH
    assert (
        tried(
            tmp_path,
            text.replace(
                "values: 1x60}]\n    alert_rule_test: [{alertname: A, eval_time: 50m}]",
                "values: 1x10}]\n    alert_rule_test: [{alertname: A, eval_time: 50m}]",
            ),
            group(rule),
        )
        == FIRES_ALONE
    )


# ---------------------------------------------------------------- one name, several rules

STEPS = [
    alert("up == 0", wait, labels={"severity": severity})
    for wait, severity in (("10m", "info"), ("20m", "warning"), ("40m", "critical"))
]


def steps(at: str, *severities: str) -> str:
    text = written("1x60", "50m").replace("eval_time: 50m, exp_alerts", f"eval_time: {at}, exp_alerts")
    expected = ", ".join(f"{{exp_labels: {{severity: {each}}}}}" for each in severities)
    return text.replace("[{exp_labels: {}}]", f"[{expected}]")


def test_one_alert_in_three_steps(tmp_path: Path) -> None:
    """Each step must be seen to fire, and to be quiet."""
    whole = steps("50m", "info", "warning", "critical")

    assert tried(tmp_path, whole, group(*STEPS)) == BOTH
    assert tried(tmp_path, steps("30m", "info", "warning"), group(*STEPS)).fires == frozenset()
    always = alert("up >= 0", "90m", labels={"severity": "page"})
    assert tried(tmp_path, whole, group(*STEPS, always)).stays_quiet == frozenset()


# ---------------------------------------------------------------- what the operator takes


def test_two_groups_of_one_name(tmp_path: Path) -> None:
    """Of two PrometheusRules, which the operator keeps apart."""
    text = written("1x60", "50m", labels="{team: nox}")
    first = group(alert("up:max == 0"), labels={"team": "nox"})
    second = group({"record": "up:max", "expr": "max(up)"})

    assert tried(tmp_path, text, first, second) == BOTH


@pytest.mark.parametrize(
    "field",
    [
        {"partial_response_strategy": "abort"},
        {"query_offset": "1m"},
        {"labels": {"severity": "page"}},
        {"interval": "30s"},
        {"limit": 10},
    ],
)
def test_fields_of_a_group(tmp_path: Path, field: dict[str, Any]) -> None:
    """Those of Thanos and of a newer Prometheus too; a rule's own label goes before its group's."""
    rule = alert("up == 0", labels={"severity": "info"})

    assert tried(tmp_path, written("1x60", "50m", labels="{severity: info}"), group(rule, **field)) == BOTH


def test_labels_of_a_group_are_its_rules(tmp_path: Path) -> None:
    text = written("1x60", "50m", labels="{severity: page}")

    assert tried(tmp_path, text, group(alert("up == 0"), labels={"severity": "page"})) == BOTH
    assert "severity" in (tried(tmp_path, text, group(alert("up == 0"))).failed or "")


def test_a_field_that_nobody_knows_is_no_newer_one(tmp_path: Path) -> None:
    """It is a fault of the rule, or of the tests."""
    text = written("1x60", "50m")

    assert "four" in (tried(tmp_path, text, group(alert("up == 0", four="1m"))).failed or "")
    assert "evaltime" in (
        tried(tmp_path, text.replace("eval_time", "evaltime"), group(alert("up"))).failed or ""
    )
    assert "ratte" in (tried(tmp_path, text, group(alert("ratte(up[5m]) > 1"))).failed or "")


LATER = "- start_timestamp: 2026-11-24T08:00:00Z"


@pytest.mark.parametrize(
    ("text", "rule", "named"),
    [
        (written("1x60", "50m").replace("- interval", f"{LATER}\n    interval", 1), {}, "start_timestamp"),
        ("fuzzy_compare: true" + written("1x60", "50m"), {}, "fuzzy_compare"),
        (written("1x60", "50m"), {"expr": "limitk(1, up) == 0"}, "limitk"),
        (written("1x60", "50m"), {"expr": "mad_over_time(up[5m]) > 1"}, "mad_over_time"),
        (written("{{schema:1 sum:1 count:1 buckets:[1]}}x60", "50m"), {}, "histogram"),
    ],
)  # fmt: skip
def test_what_is_written_for_a_newer_promtool(
    tmp_path: Path, text: str, rule: dict[str, Any], named: str
) -> None:
    """Nothing is known of the rules then; which version is here is said."""
    with pytest.raises(UnreachableError, match=rf"promtool here is \d\S+ and does not know .*{named}"):
        tried(tmp_path, text, group(alert("up == 0") | rule))


# ---------------------------------------------------------------- what YAML makes of a word


@pytest.mark.parametrize("values", ["0x60", "0", "1_000", "0b1", "0o17x3"])
def test_values_stay_as_they_are_written(tmp_path: Path, values: str) -> None:
    """Bare 0x60 is sixty-one samples to promtool, and the number 96 to YAML."""
    quoted, bare = written("1x60", "50m"), written("1x60", "50m").replace("'0x60'", values)
    quoted = quoted.replace("'0x60'", f"'{values}'")
    rule = group(alert("up == 0", "0s"))

    assert tried(tmp_path, bare, rule) == tried(tmp_path, quoted, rule)
    assert (tried(tmp_path, bare, rule).failed is None) == (values == "0x60")


def test_numbers_that_are_none_in_json(tmp_path: Path) -> None:
    """Infinity, and an anchor that stands for several."""
    text = """
rule_files: [rules.yaml]
tests:
  - interval: 1m
    input_series: &good [{series: up, values: 1x60}]
    alert_rule_test: [{alertname: A, eval_time: 50m}]
    promql_expr_test:
      - {expr: 'sum(up) / 0', eval_time: 5m, exp_samples: [{value: .inf}]}
      - {expr: 'sum(up) / -0', eval_time: 5m, exp_samples: [{value: -.Inf}]}
  - interval: 1m
    input_series: *good
    promql_expr_test: [{expr: 'sum(up)', eval_time: 5m, exp_samples: [{value: 1e0}]}]
  - interval: 1m
    input_series: [{series: up, values: 0x60}]
    alert_rule_test: [{alertname: A, eval_time: 50m, exp_alerts: [{exp_labels: {on: 2025-08-15, no: 1.50}}]}]
"""
    rule = alert("up == 0", labels={"on": "2025-08-15", "no": "1.50"})

    assert tried(tmp_path, text, group(rule)) == BOTH


# ---------------------------------------------------------------- several files of rules

CASE = """
rule_files:
  - nox_alerts.yaml
  - {second}
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'up{{job="nox-api"}}', values: 0x60}}
    promql_expr_test:
      - {{expr: 'count(ALERTS)', eval_time: 50m, exp_samples: [{{value: 1}}]}}
    alert_rule_test: [{{alertname: A, eval_time: 50m, exp_alerts: [{{exp_labels: {{job: nox-api}}}}]}}]
  - interval: 1m
    input_series: [{{series: 'up{{job="nox-api"}}', values: 1x60}}]
    alert_rule_test: [{{alertname: A, eval_time: 50m}}]
"""


@pytest.mark.parametrize("second", ["nox_rules.yaml", "below/nox_alerts.yaml", "nox_*.yaml", "tests.json"])
def test_tests_of_several_files(tmp_path: Path, second: str) -> None:
    """Each rule is there once, wherever the tests look for it."""
    groups: list[dict[str, Any]] = yaml.safe_load("""
- {name: alerts, rules: [{alert: A, expr: 'up{job="nox-api"} == 0', for: 10m}]}
- {name: rules, rules: [{record: up:sum, expr: sum(up)}]}
""")

    assert tried(tmp_path, CASE.format(second=second), *groups) == BOTH
