"""What the server checks of label selectors, and of where a pod wants to be."""

from collections.abc import Iterator

from kube_standin.objects import names
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, forbidden, invalid, required, show

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
MOST = 100  # of a weight


def selector(given: Json | None, path: str) -> Iterator[Cause]:
    """A LabelSelector."""
    if given is None:
        return
    yield from names.labels(given.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, each in enumerate(given.get("matchExpressions") or []):
        here, operator, values = (
            f"{path}.matchExpressions[{index}]",
            each.get("operator", ""),
            each.get("values"),
        )
        if operator in {"In", "NotIn"}:
            if not values:
                yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in {"Exists", "DoesNotExist"}:
            if values:
                why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(f"{here}.values", why)
        else:
            yield invalid(f"{here}.operator", show(operator), "not a valid selector operator")
        yield from names.qualified(each.get("key", ""), f"{here}.key")
        for at, value in enumerate(values or []):
            yield from names.label_value(value, f"{here}.values[{at}]")


def affinity(given: Json, path: str) -> Iterator[Cause]:
    """Which nodes, and which other pods, a pod wants beside it."""
    node = given.get("nodeAffinity") or {}
    if REQUIRED in node:
        yield from _node_selector(node[REQUIRED], f"{path}.nodeAffinity.{REQUIRED}")
    for index, each in enumerate(node.get(PREFERRED) or []):
        here = f"{path}.nodeAffinity.{PREFERRED}[{index}]"
        yield from _weight(each, here)
        yield from _node_term(each.get("preference") or {}, f"{here}.preference")
    for name in ("podAffinity", "podAntiAffinity"):
        pods = given.get(name) or {}
        for index, each in enumerate(pods.get(REQUIRED) or []):
            yield from _pod_term(each, f"{path}.{name}.{REQUIRED}[{index}]")
        for index, each in enumerate(pods.get(PREFERRED) or []):
            here = f"{path}.{name}.{PREFERRED}[{index}]"
            yield from _weight(each, here)
            yield from _pod_term(each.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")


def _weight(given: Json, path: str) -> Iterator[Cause]:
    weight = given.get("weight") or 0
    if not 0 < weight <= MOST:
        yield invalid(f"{path}.weight", str(weight), "must be in the range 1-100")


def _node_selector(given: Json, path: str) -> Iterator[Cause]:
    terms = given.get("nodeSelectorTerms") or []
    if not terms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for index, term in enumerate(terms):
        yield from _node_term(term, f"{path}.nodeSelectorTerms[{index}]")


def _node_term(given: Json, path: str) -> Iterator[Cause]:
    for index, each in enumerate(given.get("matchExpressions") or []):
        here, operator, values = (
            f"{path}.matchExpressions[{index}]",
            each.get("operator", ""),
            each.get("values") or [],
        )
        if operator in {"In", "NotIn"}:
            if not values:
                yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in {"Exists", "DoesNotExist"}:
            if values:
                why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(f"{here}.values", why)
        elif operator in {"Gt", "Lt"}:
            if len(values) != 1:
                why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                yield required(f"{here}.values", why)
        else:
            yield invalid(f"{here}.operator", show(operator), "not a valid selector operator")
        yield from names.qualified(each.get("key", ""), f"{here}.key")


def _pod_term(given: Json, path: str) -> Iterator[Cause]:
    yield from selector(given.get("labelSelector"), f"{path}.labelSelector")
    yield from selector(given.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in given.get("namespaces") or []:
        yield from names.dns_label(name, f"{path}.namespace")
    key = given.get("topologyKey", "")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from names.qualified(key, f"{path}.topologyKey")
