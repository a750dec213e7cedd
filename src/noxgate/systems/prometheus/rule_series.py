"""Whether an alert rule has series to look at: one whose labels fit nothing can never speak."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noxgate.systems.prometheus.client import Prometheus

# A selector in Prometheus' own spelling; strings may hold anything.
_SELECTOR = re.compile(r'([a-zA-Z_:][\w:]*)\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}')
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")')
# Labels that say whose series these are; others, such as status, may fit nothing on a good day.
_WHOSE = {
    *("job", "namespace", "service", "container", "pod", "app", "endpoint", "instance", "cluster"),
    *("kubernetes_namespace", "exported_namespace", "exported_job", "environment", "env"),
}


def blind(prometheus: Prometheus, rules: Sequence[Mapping[str, Any]], namespace: str) -> dict[str, list[str]]:
    """Rules with a selector that fits no series of this namespace, and these selectors."""
    known: dict[str, bool] = {}
    found: dict[str, list[str]] = {}
    for rule in rules:
        called = rule.get("alert") or rule["record"]
        for selector in _identities(prometheus.formatted(rule["expr"]), namespace):
            if selector not in known:
                known[selector] = bool(prometheus.query(f"count({selector})"))
            if not known[selector]:
                found.setdefault(called, []).append(selector)
    return found


def _identities(expression: str, namespace: str) -> Iterator[str]:
    """The selectors, with whose series they are alone, and of the namespace that serves now."""
    seen = set()
    for name, inner in _SELECTOR.findall(expression):
        matchers = [match for match in _MATCHER.findall(inner) if match[0] in _WHOSE]
        kept = [f"{label}{how}{value}" for label, how, value in matchers]
        if any(label == "namespace" for label, _, _ in matchers):
            kept.append(f'namespace="{namespace}"')
        selector = f"{name}{{{','.join(kept)}}}"
        if selector not in seen:
            seen.add(selector)
            yield selector
    bare = _SELECTOR.sub("", expression)
    if not seen and re.search(r"[a-zA-Z_:][\w:]*", bare):
        yield bare  # such as vector(1) or up: it is asked as it stands
