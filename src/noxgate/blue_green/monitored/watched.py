"""Whether Prometheus watches: every pod is scraped, and whose alerts fire."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from noxgate.blue_green.monitored.loaded_rules import Shipped, is_loaded
from noxgate.errors import UnreachableError
from noxgate.look.promql.identity import NAMESPACES
from noxgate.look.promql.selectors import Selector, selectors
from noxgate.systems.prometheus.client import Prometheus


def not_scraped(
    prometheus: Prometheus, monitors: Sequence[str], namespace: str, pods: Sequence[str], limit: float
) -> dict[str, str]:
    """Pods of which Prometheus has no recent sample, and why: an unknown pod counts like one that is down.

    By what scrapes them: how the service's monitors are called in a namespace.
    """
    ours = tuple(monitor.replace("{namespace}", namespace) for monitor in monitors)
    scraped = [(one.labels.get("pod", ""), one) for one in prometheus.targets() if one.pool.startswith(ours)]
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


def firing_alerts(
    prometheus: Prometheus,
    names: Collection[str],
    namespaces: Collection[str],
    shipped: Collection[Shipped] = (),
) -> list[str]:
    """The alerts that fire under these names, or about these namespaces.

    An alert of a sum has no namespace itself: whose it is, its rule says. One Prometheus may watch staging,
    too, by rules of the same names. A rule that is loaded as it is shipped is ours wherever it looks: at an
    ingress, or a database, in a namespace of its own.
    """
    return [
        f"{alert.name} {dict(alert.labels)}"
        for rule in prometheus.rules()
        for alert in rule.alerts
        if alert.state == "firing"
        and (
            any(alert.labels.get(label) in namespaces for label in NAMESPACES)
            or (
                rule.name in names
                and (
                    not _is_elsewhere(rule.query, namespaces)
                    or any(
                        one.get("alert") == rule.name and is_loaded(prometheus, one, rule) for one in shipped
                    )
                )
            )
        )
    ]


def ours(
    names: Collection[str], namespaces: Collection[str], shipped: Collection[Shipped] = ()
) -> Callable[[Mapping[str, str]], bool]:
    """Whether an alert that fired was about these namespaces, or about one that its shipped rule looks at.

    For a sum, which has no namespace, its name decides.
    """

    def is_ours(labels: Mapping[str, str]) -> bool:
        named = [labels[label] for label in NAMESPACES if label in labels]
        called = labels.get("alertname")
        if not named:
            return called in names
        looks = [one for rule in shipped if rule.get("alert") == called for one in _read(str(rule["expr"]))]
        return any(value in namespaces or _looks_at(looks, value) for value in named)

    return is_ours


def _looks_at(looks: Collection[Selector], namespace: str) -> bool:
    """Whether a rule that names namespaces means this one."""
    return any(one.names(label) and one.takes(label, namespace) for one in looks for label in NAMESPACES)


def _is_elsewhere(query: str, namespaces: Collection[str]) -> bool:
    """Whether an expression names namespaces, but only others."""
    named = [(one, label) for one in _read(query) for label in NAMESPACES if one.names(label)]
    return bool(named) and not any(one.takes(label, each) for one, label in named for each in namespaces)


def _read(query: str) -> Iterator[Selector]:
    """The selectors; empty if the grammar here is older, so that no alert is taken for another's."""
    with suppress(UnreachableError):
        yield from selectors(query)
