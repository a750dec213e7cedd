"""Whether an alert rule has series to look at: one whose labels fit nothing can never speak."""

from collections.abc import Mapping, Sequence
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.promql.identity import ALERTS, NAMESPACES, SOMETIMES, identity
from noxgate.look.promql.selectors import Matcher, Selector, selectors
from noxgate.systems.prometheus.client import Prometheus

SERIES = "series"  # what its queries count


def without_series(
    prometheus: Prometheus, rules: Sequence[Mapping[str, Any]], namespace: str, before: str | None = None
) -> dict[str, list[str]]:
    """Rules with a selector that fits no series, and these selectors.

    `namespace` serves now, `before` did until now: a rule that still means the latter alone sees nothing.
    Without `before`, each selector that names a namespace must fit this one; with it, series of an ingress
    or a database may live in theirs.

    Raises UnreachableError if Prometheus has no series at all, its own scrapes included: then its data are
    missing, and the rules are not to blame.
    """
    recorded = {rule["record"] for rule in rules if "record" in rule}
    known: dict[str, bool] = {}
    found: dict[str, list[str]] = {}
    for rule in rules:
        called = rule.get("alert") or rule["record"]
        for selector in dict.fromkeys(selectors(str(rule["expr"]))):
            if selector.name in recorded or selector.name in ALERTS:
                continue  # whose own rules are asked
            asked = _of_now(identity(selector), namespace, before)
            text = _spelled(asked)
            if text not in known:
                known[text] = bool(prometheus.query(f"count({text})", SERIES)) or _is_rightly_silent(
                    prometheus, asked
                )
            if not known[text] and text not in found.get(called, ()):
                found.setdefault(called, []).append(text)
    if found and not prometheus.query("count(up)", SERIES):
        raise UnreachableError(
            "up: expected series of what is scraped, saw no data: nothing is known of what the rules look at"
        )
    return found


def _of_now(selector: Selector, namespace: str, before: str | None) -> Selector:
    """Of the namespace that serves now, where it names that one, or the one before."""
    for label in NAMESPACES:
        if not selector.names(label):
            continue
        ours = before is None or selector.takes(label, namespace) or selector.takes(label, before)
        if ours and (before is not None or label == "namespace"):
            selector = Selector(selector.name, (*selector.matchers, Matcher(label, "=", namespace)))
    return selector


def _is_rightly_silent(prometheus: Prometheus, selector: Selector) -> bool:
    """Whether the series are missing as nothing is wrong: a target is scraped that would have them.

    Known by what is scraped of them without any series, or as kube-state-metrics' own; and others' series
    have the labels by which they are asked for.
    """
    if selector.name is None or selector.name == "up":
        return False
    others = [each for each in [Selector(None, selector.matchers)] if each.is_narrow]
    if selector.name in SOMETIMES:
        others = [Selector(None, (Matcher("__name__", "=~", "kube_.+"), *selector.matchers))]
    if not all(prometheus.query(f"count({each})", SERIES) for each in others):
        return False
    return selector.name in SOMETIMES or prometheus.has_metadata(selector.name)


def _spelled(selector: Selector) -> str:
    return str(selector).removesuffix("{}") or "{}"
