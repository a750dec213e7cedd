"""Prometheus' unit tests of the shipped rules: what they prove of which alert, and what is not a test."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.errors import UnreachableError
from noxgate.project.target import Target
from noxgate.trials.alert_tests import AlertTests, AlertTrial, alert_test_settings

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

GROUPS = [
    {
        "name": "nox",
        "rules": [
            {"alert": "Down", "expr": 'up{namespace="staging"} == 0', "labels": {"severity": "critical"}},
            {"alert": "Busy", "expr": 'load{namespace="staging"} > 9', "for": "15m"},
            {"record": "load:sum", "expr": "sum(load)"},
        ],
    }
]


def tried(path: Path, elsewhere: dict[str, str] | None = None) -> AlertTrial:
    observed: list[Observation] = []
    target = Target(
        name="staging",
        path=Path("staging.toml"),
        serves=("preflight",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="staging",
        alert_tests=path,
    )
    return AlertTests(alert_test_settings(target), observed.append).run(GROUPS, elsewhere)


def written(folder: Path, *, up: int, load: int, asked: str, series: bool = True) -> Path:
    """One test of the state in which this is so, at the tenth minute."""
    path = folder / "alerts.tests.yaml"
    there = (
        f"""
    input_series:
      - {{series: 'up{{namespace="staging"}}', values: {up}+0x20}}
      - {{series: 'load{{namespace="staging"}}', values: {load}+0x20}}"""
        if series
        else ""
    )
    path.write_text(f"rule_files: [rules.yaml]\ntests:\n  - interval: 1m{there}\n{asked}\n")
    return path


def by_series(expr: str, *labels: str) -> str:
    samples = ", ".join(f"{{labels: '{each}', value: 1}}" for each in labels)
    return f"""
    promql_expr_test:
      - {{expr: '{expr}', eval_time: 10m, exp_samples: [{samples}]}}"""


def by_name(alert: str, expected: str = "[]", at: str = "10m") -> str:
    return f"""
    alert_rule_test:
      - {{alertname: {alert}, eval_time: {at}, exp_alerts: {expected}}}"""


DOWN = '{alertname="Down", severity="critical"}'
FIRING = 'ALERTS{alertname="Down", alertstate="firing", namespace="staging", severity="critical"}'
PENDING = 'ALERTS{alertname="Busy", alertstate="pending", namespace="staging"}'
LABELS = "[{exp_labels: {severity: critical, namespace: staging}}]"


@pytest.mark.parametrize(
    ("up", "load", "asked", "fires", "quiet"),
    [
        (0, 1, by_name("Down", LABELS), {"Down"}, set()),
        (1, 1, by_name("Down"), set(), {"Down"}),
        (
            *(0, 1, by_series('count by (alertname, severity) (ALERTS{alertstate="firing"})', DOWN)),
            *({"Down"}, {"Busy"}),
        ),
        (0, 1, by_series("ALERTS", FIRING), {"Down"}, {"Busy"}),
        (1, 1, by_series("ALERTS"), set(), {"Down", "Busy"}),
        (1, 99, by_series('ALERTS{alertname="Down"}'), set(), {"Down"}),
        (1, 99, by_series('ALERTS{severity="critical"}'), set(), set()),
        (1, 99, by_series('ALERTS{alertname=~"D.*"}'), set(), set()),
        (1, 99, by_series("count(ALERTS)", "{}"), set(), set()),
        (1, 99, by_series('vector(1) unless on() ALERTS{alertname="Down"}', "{}"), set(), set()),
        (1, 99, by_series("ALERTS", PENDING), set(), {"Down"}),
        (1, 99, by_series("count by (alertname) (ALERTS)", '{alertname="Busy"}'), set(), {"Down"}),
    ],
)
def test_what_a_test_proves(
    tmp_path: Path, up: int, load: int, asked: str, fires: set[str], quiet: set[str]
) -> None:
    """An alert that was not asked for is not quiet, a pending one does not fire, a sum names no alert."""
    trial = tried(written(tmp_path, up=up, load=load, asked=asked))

    assert trial == AlertTrial(None, frozenset(fires), frozenset(quiet))


def test_silence_without_any_series(tmp_path: Path) -> None:
    """Nothing to look at: it would be as quiet with any rule."""
    path = written(tmp_path, up=1, load=1, asked=by_name("Down"), series=False)

    assert tried(path) == AlertTrial(None, frozenset(), frozenset())


def test_words_that_are_others_elsewhere(tmp_path: Path) -> None:
    """The series of another namespace are not this rule's."""
    path = written(tmp_path, up=0, load=1, asked=by_name("Down", LABELS))

    assert tried(path).failed is None
    assert "Down" in (tried(path, {"staging": "production"}).failed or "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "tests: [{}]",
        "rule_files: a\ntests: [{}]",
        "rule_files: [1]\ntests: [{}]",
        "rule_files: ['..']\ntests: [{}]",
        "rule_files: ['']\ntests: [{}]",
        "rule_files: [a]\ntests: {a: b}",
        "rule_files: [a]\ntests: [a]",
        "rule_files: [a]\ntests: [{alert_rule_test: [a]}]",
        "rule_files: [a]\ntests: [{alert_rule_test: [{}]}]",
        "rule_files: [a]\ntests: [{promql_expr_test: {a: b}}]",
        "rule_files: [a]\ntests: [{promql_expr_test: [{}]}]",
        "rule_files: [a]\ntests: [{promql_expr_test: [{expr: ALERTS, exp_samples: [a]}]}]",
        "rule_files: [a",
        "[" * 5000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_test(tmp_path: Path, text: str | bytes) -> None:
    """One line that names the file."""
    path = tmp_path / "alerts.tests.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(AssertionError, match=r"\Aalerts\.tests\.yaml: .+\Z"):
        tried(path)


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "not-there.yaml"):
        with pytest.raises(AssertionError, match=path.name):
            tried(path)


def test_a_date_is_text(tmp_path: Path) -> None:
    """As promtool reads it."""
    asked = by_name("Down", "[{exp_labels: {severity: critical, since: 2025-08-15}}]")

    assert "2025-08-15" in (tried(written(tmp_path, up=0, load=1, asked=asked)).failed or "")


def test_no_promtool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UnreachableError, match="promtool is not on PATH"):
        tried(tmp_path)
