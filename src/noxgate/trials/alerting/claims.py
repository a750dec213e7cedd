"""What tests of alert rules claim: that an alert fires, or that it is quiet at a time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LABEL = re.compile(r'(\w+)="([^"]*)"')
# The series of all alerts, or their number by name: what is asked otherwise says little of one alert.
_ASKED = re.compile(
    r"(?:(?:count|sum|max|group) by ?\((?P<by>[^()]*)\) ?\( ?)?ALERTS ?(?:\{(?P<where>[^{}]*)\})?(?: ?\))?"
)
_MATCHER = re.compile(r'(\w+) ?(=~|!~|!=|=) ?"([^"]*)"')

Test = Mapping[str, Any]


@dataclass(frozen=True)
class StaysQuiet:
    """That an alert does not fire at a time of one test, which is counted from 0."""

    alert: str
    test: int
    at: str


@dataclass(frozen=True)
class Fires:
    """That an alert fires, with these labels at least."""

    alert: str
    labels: Mapping[str, str]

    def fits(self, rule: Mapping[str, Any]) -> bool:
        """Whether it may be this rule's: one name may stand for several, with labels of their own."""
        own = {name: value for name, value in (rule.get("labels") or {}).items() if "{{" not in str(value)}
        same = all(str(own[name]) == value for name, value in self.labels.items() if name in own)
        return self.alert == rule["alert"] and same


def claims(tests: Sequence[Test], alerts: set[str]) -> tuple[list[Fires], list[StaysQuiet]]:
    """The alerts that the tests expect to fire, and those that they expect not to, at some time.

    By name (alert_rule_test), or all at once by the series ALERTS (promql_expr_test): what it does not name
    then is quiet.
    """
    fires: list[Fires] = []
    quiet: list[StaysQuiet] = []
    for number, test in enumerate(tests):
        for each in test.get("alert_rule_test") or []:
            expected = each.get("exp_alerts") or []
            fires += [Fires(each["alertname"], _labels(one)) for one in expected]
            if not expected:
                quiet.append(StaysQuiet(each["alertname"], number, _at(each)))
        for each in test.get("promql_expr_test") or []:
            asked = _asked(str(each["expr"]), alerts)
            if asked is None:
                continue
            firing, scope = asked
            found = list(_series(each))
            fires += [
                Fires(one["alertname"], one) for one in found if firing or one.get("alertstate") == "firing"
            ]
            quiet += [
                StaysQuiet(alert, number, _at(each)) for alert in scope - {one["alertname"] for one in found}
            ]
    return fires, quiet


def _labels(expected: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in (expected.get("exp_labels") or {}).items()}


def _series(expected: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for sample in expected.get("exp_samples") or []:
        labels = dict(_LABEL.findall(str(sample.get("labels", ""))))
        if "alertname" in labels:
            yield labels


def _at(each: Mapping[str, Any]) -> str:
    """When it is looked at; promtool takes no time for the beginning."""
    return str(each.get("eval_time") or "0s")


def _asked(expr: str, alerts: set[str]) -> tuple[bool, set[str]] | None:
    """Whether an expression asks for firing alerts alone, and of which it says that they are quiet."""
    found = _ASKED.fullmatch(" ".join(expr.split()))
    if found is None or (found["by"] is not None and "alertname" not in re.findall(r"\w+", found["by"])):
        return None
    scope, firing = alerts, False
    for label, how, value in _MATCHER.findall(found["where"] or ""):
        if (label, how, value) == ("alertstate", "=", "firing"):
            firing = True
        elif (label, how) == ("alertname", "="):
            scope = scope & {value}
        else:
            scope = set()
    return firing, scope
