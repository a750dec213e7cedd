"""Whether Prometheus watches: every pod is scraped, and every shipped rule is loaded and judged."""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.prometheus.client import Prometheus

# As the Prometheus operator names the jobs that it makes of our monitors; a mesh's look at something else.
MONITORS = ("podMonitor/{}/nox-api-podmonitor/", "serviceMonitor/{}/nox-api-servicemonitor/")
_NAMESPACE = re.compile(r'\bnamespace\s*(=~|=)\s*"([^"]*)"')
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def dark(prometheus: Prometheus, namespace: str, pods: Sequence[str], limit: float) -> dict[str, str]:
    """Pods of which Prometheus knows nothing new, and why: one it does not know is as dark as one down."""
    monitors = tuple(monitor.format(namespace) for monitor in MONITORS)
    scraped = [
        (one.labels.get("pod", ""), one) for one in prometheus.targets() if one.pool.startswith(monitors)
    ]
    now = datetime.now(UTC)
    wrong = {pod: "is not scraped" for pod in pods if pod not in dict(scraped)}
    for pod, one in scraped:
        if pod not in pods:
            continue
        age = math.inf if one.last_scrape is None else (now - one.last_scrape).total_seconds()
        if one.health != "up":
            wrong[pod] = f"{one.health}: {one.last_error}"
        elif age > limit:
            wrong[pod] = f"last scraped {age:.0f} s ago"
    return wrong


def shipped_rules(manifests: Sequence[Document]) -> list[Mapping[str, Any]]:
    """The rules that the release ships."""
    return [
        rule
        for each in manifests
        if each.kind == "PrometheusRule"
        for group in each.content["spec"]["groups"]
        for rule in group["rules"]
    ]


def deaf(prometheus: Prometheus, shipped: Sequence[Mapping[str, Any]], limit: float) -> dict[str, str]:
    """Rules that Prometheus does not judge as they are shipped, and why.

    By expression, not by name alone, and evaluated at most `limit` seconds ago without an error.
    """
    loaded = prometheus.rules()
    now = datetime.now(UTC)
    wrong: dict[str, str] = {}
    for rule in shipped:
        called, expression = rule.get("alert") or rule["record"], prometheus.formatted(rule["expr"])
        labels, wait = rule.get("labels") or {}, seconds(rule.get("for", "0s"))
        named = {prometheus.formatted(one.query): one for one in loaded if one.name == called}
        found = named.get(expression)
        if found is None:
            wrong[called] = f"expected {expression}, loaded {list(named) or 'nothing of that name'}"
        elif found.for_seconds != wait or not labels.items() <= found.labels.items():
            wrong[called] = f"loaded with for {found.for_seconds:g} s and {dict(found.labels)}"
        elif found.health != "ok" or found.last_error:
            wrong[called] = f"{found.health}: {found.last_error}"
        elif found.last_evaluation is None or (now - found.last_evaluation).total_seconds() > limit:
            wrong[called] = f"last evaluated at {found.last_evaluation}"
    return wrong


def unloaded(prometheus: Prometheus, shipped: Sequence[Mapping[str, Any]]) -> list[str]:
    """The critical alerts that Prometheus has not loaded as they are shipped: none of them can have fired."""
    critical = [rule for rule in shipped if (rule.get("labels") or {}).get("severity") == "critical"]
    names = {rule["alert"] for rule in critical if "alert" in rule}
    assert names != set(), "no shipped rule has severity critical: none could fire"
    loaded = {(one.name, prometheus.formatted(one.query)) for one in prometheus.rules() if one.name in names}
    return [
        rule["alert"]
        for rule in critical
        if "alert" in rule and (rule["alert"], prometheus.formatted(rule["expr"])) not in loaded
    ]


def firing(prometheus: Prometheus, names: Collection[str], namespaces: Collection[str]) -> list[str]:
    """The alerts that fire under these names, or about these namespaces.

    An alert of a sum has no namespace itself: whose it is, its rule says. One Prometheus may watch staging,
    too, by rules of the same names.
    """
    return [
        f"{alert.name} {dict(alert.labels)}"
        for rule in prometheus.rules()
        for alert in rule.alerts
        if alert.state == "firing"
        and (
            alert.labels.get("namespace") in namespaces
            or (rule.name in names and not _is_elsewhere(rule.query, namespaces))
        )
    ]


def ours(names: Collection[str], namespaces: Collection[str]) -> Callable[[Mapping[str, str]], bool]:
    """Whether an alert that fired was about these namespaces; of a sum, which has none, its name decides."""
    return lambda labels: (
        labels["namespace"] in namespaces if "namespace" in labels else labels.get("alertname") in names
    )


def _is_elsewhere(query: str, namespaces: Collection[str]) -> bool:
    """Whether an expression names namespaces, and none of these."""
    named = _NAMESPACE.findall(query)
    return bool(named) and not any(
        re.fullmatch(value if how == "=~" else re.escape(value), each)
        for how, value in named
        for each in namespaces
    )


def seconds(duration: str) -> float:
    """A duration of Prometheus, such as 1m30s."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))
