"""Groups of rules as the Prometheus operator takes them, in files as promtool takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

Group = Mapping[str, Any]


def files(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups, in as few files as hold no name twice: two PrometheusRules may call theirs the same."""
    found: list[list[Group]] = []
    for group in map(_plain, groups):
        for file in found:
            if group.get("name") not in [each.get("name") for each in file]:
                file.append(group)
                break
        else:
            found.append([group])
    return found


def without(groups: Sequence[Group], fields: set[str]) -> list[Group]:
    """The groups without these fields of theirs."""
    return [{name: value for name, value in group.items() if name not in fields} for group in groups]


def _plain(group: Group) -> Group:
    """What a Prometheus of any age reads alike: the labels of a group are those of each rule that has no own.

    partial_response_strategy is for Thanos: the operator keeps it from Prometheus.
    """
    labels = dict(group.get("labels") or {})
    rules = [
        {**rule, **({"labels": labels | dict(rule.get("labels") or {})} if labels else {})}
        for rule in group["rules"]
    ]
    (plain,) = without([group], {"labels", "partial_response_strategy"})
    return {**plain, "rules": rules}
