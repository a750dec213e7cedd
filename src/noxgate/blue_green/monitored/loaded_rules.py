"""Whether rules are loaded as they are shipped; what the operator adds that loads them does not count."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.promql.durations import seconds
from noxgate.look.promql.selectors import Matcher, Selector, shape
from noxgate.look.waiting import eventually
from noxgate.look.wording import in_words
from noxgate.project.target import Target
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.prometheus.answers import Rule
from noxgate.systems.prometheus.client import Prometheus

Shipped = Mapping[str, Any]
# Seconds. After Prometheus read its configuration, it knows none for up to 5: it looks for them at a tick.
DISCOVERY = 10.0
MISSED = 2  # intervals of a group: some rules are for once in five minutes


def shipped_rules(manifests: Sequence[Document]) -> list[Shipped]:
    """The rules that the release ships, each with the labels of its group."""
    return [
        {**rule, "labels": {**(group.get("labels") or {}), **(rule.get("labels") or {})}}
        for each in manifests
        if each.kind == "PrometheusRule"
        for group in (each.content.get("spec") or {}).get("groups") or []
        for rule in group.get("rules") or []
    ]


def shipped_groups(manifests: Sequence[Document]) -> list[dict[str, Any]]:
    """The groups of every PrometheusRule. Raises AssertionError if one lacks them, or has two alike."""
    groups: list[dict[str, Any]] = []
    for each in manifests:
        if each.kind == "PrometheusRule":
            found = (each.content.get("spec") or {}).get("groups")
            if not found:
                raise AssertionError(f"{each}: expected groups of rules, saw none")
            names = [group.get("name") for group in found]
            if len(set(names)) < len(names):
                raise AssertionError(f"{each}: expected each name of a group once, saw {names}")
            groups += [group for group in found if group.get("rules")]
    return groups


def different_rules(live: Sequence[Any], shipped: Sequence[Any]) -> list[str]:
    """What differs between the groups of two PrometheusRule objects, a sentence each."""
    ours, theirs = _by_place(shipped), _by_place(live)
    found = [f"{place} is not there" for place in ours if place not in theirs]
    found += [f"{place} is not shipped" for place in theirs if place not in ours]
    for place, said in ours.items():
        now = theirs.get(place, said)
        keys = [key for key in {**said, **now} if said.get(key) != now.get(key)]
        found += [
            f"{place}: expected {key} {in_words(said.get(key))}, saw {in_words(now.get(key))}" for key in keys
        ]
    order = [place for place in ours if place in theirs], [place for place in theirs if place in ours]
    return found if found or order[0] == order[1] else ["the same rules in another order"]


def _by_place(groups: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    """Each group without its rules, and each rule, by its name and its number among those of that name."""
    found: dict[str, Mapping[str, Any]] = {}
    for group in groups:
        place = f"group {group.get('name')}"
        found[place] = {key: value for key, value in group.items() if key != "rules"}
        for rule in group.get("rules") or []:
            called = f"{place}, {rule.get('alert') or rule.get('record')}"
            number = sum(each == called or each.startswith(f"{called} (") for each in found) + 1
            found[called if number == 1 else f"{called} ({number})"] = rule
    return found


def not_evaluated(prometheus: Prometheus, shipped: Sequence[Shipped], limit: float) -> dict[str, str]:
    """Rules that Prometheus does not judge as they are shipped, and why.

    By expression, not by name alone, and evaluated at most `limit` seconds ago without an error, or as long
    as two of its group's intervals. One name may stand for several rules, such as one that becomes graver the
    longer it lasts.
    """
    loaded = prometheus.rules()
    now = datetime.now(UTC)
    wrong: dict[str, str] = {}
    for rule in shipped:
        called = rule.get("alert") or rule["record"]
        named = [one for one in loaded if one.name == called]
        alike = [one for one in named if is_loaded(prometheus, rule, one)]
        wait, labels = seconds(rule.get("for", "0s")), _labels(rule)
        fitting = [
            one for one in alike if one.for_seconds == wait and labels.items() <= dict(one.labels).items()
        ]
        troubles = [_trouble(one, now, limit) for one in fitting]
        if not alike:
            seen = "; ".join(one.query for one in named) or "nothing of that name"
            wrong.setdefault(called, f"expected {' '.join(str(rule['expr']).split())}, loaded {seen}")
        elif not fitting:
            seen = "; ".join(f"for {one.for_seconds:g} s and {in_words(dict(one.labels))}" for one in alike)
            wrong.setdefault(called, f"expected for {wait:g} s and {in_words(labels)}, loaded with {seen}")
        elif all(troubles):
            wrong.setdefault(called, str(troubles[0]))
    return wrong


def unloaded_alerts(prometheus: Prometheus, shipped: Sequence[Shipped]) -> list[str]:
    """The critical alerts that Prometheus has not loaded as they are shipped: they cannot have fired."""
    critical = [rule for rule in shipped if "alert" in rule and _labels(rule).get("severity") == "critical"]
    assert critical != [], "no shipped rule has severity critical: none could fire"
    loaded = prometheus.rules()
    return [
        rule["alert"]
        for rule in critical
        if not any(one.name == rule["alert"] and is_loaded(prometheus, rule, one) for one in loaded)
    ]


def is_loaded(prometheus: Prometheus, rule: Shipped, loaded: Rule) -> bool:
    """Whether a loaded rule asks what the shipped one asks.

    An operator may enforce a label: it adds it to the rule, and puts it into each selector, in place of what
    stood there. A selector that named another value asks something else then.
    """
    asked = _meaning(prometheus, loaded.query)
    if asked == _meaning(prometheus, str(rule["expr"])):
        return True
    added = [(name, value) for name, value in loaded.labels.items() if name not in _labels(rule)]
    for name, value in added:
        with suppress(UnreachableError):
            if asked == _enforced(str(rule["expr"]), name, value):
                return True
    return False


def unheard(prometheus: Prometheus, target: Target, within: float = DISCOVERY) -> list[str]:
    """Why alerts reach no person: Prometheus sends them to no Alertmanager.

    Raises UnreachableError if Prometheus does not say. Rules may be judged outside of Prometheus: then the
    profile names the Alertmanager.
    """
    if target.alertmanager_url is not None:
        prometheus.ask_alertmanager(target.alertmanager_url)
        return []

    def are_known() -> None:
        assert prometheus.alertmanagers() != []

    try:
        eventually(are_known, within=within)
    except AssertionError:
        return [f"no Alertmanager is connected to Prometheus, for {within:g} s: alerts reach no person"]
    except UnreachableError as error:
        raise UnreachableError(
            f"{error}: expected the Alertmanagers that Prometheus sends alerts to; where a ruler outside "
            f"sends them, name its alertmanager_url in {target.path.name}"
        ) from None
    return []


def _labels(rule: Shipped) -> dict[str, str]:
    return {name: str(value) for name, value in (rule.get("labels") or {}).items()}


def _trouble(loaded: Rule, now: datetime, limit: float) -> str | None:
    if loaded.health != "ok" or loaded.last_error:
        return f"{loaded.health}: {loaded.last_error}"
    most = max(limit, MISSED * loaded.every_seconds)
    if loaded.last_evaluation is None or (now - loaded.last_evaluation).total_seconds() > most:
        return f"last evaluated at {loaded.last_evaluation}"
    return None


def _meaning(prometheus: Prometheus, expression: str) -> str:
    """In one spelling; Prometheus' own where its grammar is newer than the one here."""
    try:
        return shape(expression)
    except UnreachableError:
        return prometheus.formatted(expression)


def _enforced(expression: str, label: str, value: str) -> str | None:
    """The shape with this label in each selector; None if one named another value."""
    others: list[Selector] = []

    def enforce(selector: Selector) -> Selector:
        if not selector.takes(label, value):
            others.append(selector)
        kept = tuple(one for one in selector.matchers if one.label != label)
        return Selector(selector.name, (*kept, Matcher(label, "=", value)))

    found = shape(expression, enforce)
    return None if others else found
