"""What the server checks of autoscalers."""

from collections.abc import Iterator

from kube_standin.objects import quantities
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, forbidden, invalid, required, show, unsupported

# type of a metric -> its field
SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
RESOURCES = frozenset({"containerResource", "resource"})
AVERAGES = {
    "external": "must set either a target value for metric or a per-pod target",
    "object": "must set either a target value or averageValue",
    "pods": "must specify a positive target averageValue",
}
POLICIES = ("Percent", "Pods")
SELECT = ("Disabled", "Max", "Min")
LONGEST_PERIOD = 1800
LONGEST_WINDOW = 3600


def autoscaler(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas") or 0
    if least < 1:
        yield invalid(f"{path}.minReplicas", str(least), "must be greater than or equal to 1")
    if most == 0:
        yield required(f"{path}.maxReplicas", "must be set and greater than 0")
    elif most < 1:
        yield invalid(f"{path}.maxReplicas", str(most), "must be greater than 0")
    if most < least:
        yield invalid(f"{path}.maxReplicas", str(most), "must be greater than or equal to `minReplicas`")
    yield from _reference(spec.get("scaleTargetRef") or {}, f"{path}.scaleTargetRef")
    for index, metric in enumerate(spec.get("metrics") or []):
        yield from _metric(metric, f"{path}.metrics[{index}]")
    behavior = spec.get("behavior") or {}
    for name in ("scaleUp", "scaleDown"):
        yield from _rules(behavior.get(name), f"{path}.behavior.{name}")


def _reference(reference: Json, path: str) -> Iterator[Cause]:
    for name in ("kind", "name"):
        if not reference.get(name):
            yield required(f"{path}.{name}")
        elif "/" in reference[name]:
            yield invalid(f"{path}.{name}", show(reference[name]), "may not contain '/'")


def _metric(metric: Json, path: str) -> Iterator[Cause]:
    kind = metric.get("type", "")
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    if kind not in SOURCES:
        yield unsupported(f"{path}.type", kind, tuple(SOURCES))
    found = [
        name for name in ("object", "external", "pods", "resource", "containerResource") if name in metric
    ]
    for name in found[:1]:
        yield from _source(name, metric[name], f"{path}.{name}")
    expected = SOURCES.get(kind, "")
    if expected and expected not in found:
        yield required(f"{path}.{expected}", "must populate information for the given metric source")
    if len(found) > 1:
        for name in found:
            if name != expected:
                yield forbidden(f"{path}.{name}", "must populate the given metric source only")


def _source(name: str, source: Json, path: str) -> Iterator[Cause]:
    if name == "object":
        yield from _reference(source.get("describedObject") or {}, f"{path}.describedObject")
    if name in {"object", "external", "pods"} and not (source.get("metric") or {}).get("name"):
        yield required(f"{path}.metric.name", "must specify a metric name")
    if name == "containerResource" and not source.get("container"):
        yield required(f"{path}.container", "must specify a container")
    if name in RESOURCES and not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    target = source.get("target") or {}
    yield from _target(target, f"{path}.target")
    yield from _enough(name, target, f"{path}.target")


def _enough(name: str, target: Json, path: str) -> Iterator[Cause]:
    value, average = target.get("value"), target.get("averageValue")
    utilization = target.get("averageUtilization")
    if name in RESOURCES:
        if utilization is None and average is None:
            why = "must set either a target raw value or a target utilization"
            yield required(f"{path}.averageUtilization", why)
        if utilization is not None and average is not None:
            why = "may not set both a target raw value and a target utilization"
            yield forbidden(f"{path}.averageValue", why)
    elif average is None and (value is None or name == "pods"):
        yield required(f"{path}.averageValue", AVERAGES[name])


def _target(target: Json, path: str) -> Iterator[Cause]:
    kind = target.get("type", "")
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    elif kind not in {"Utilization", "Value", "AverageValue"}:
        why = "must be either Utilization, Value, or AverageValue"
        yield invalid(f"{path}.type", show(kind), why)
    for name in ("value", "averageValue"):
        if target.get(name) is not None and quantities.value(target[name]) <= 0:
            yield invalid(f"{path}.{name}", show(target[name]), "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield invalid(f"{path}.averageUtilization", str(utilization), "must be greater than 0")


def _rules(rules: Json | None, path: str) -> Iterator[Cause]:
    if rules is None:
        return
    window, choice = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    where = f"{path}.stabilizationWindowSeconds"
    if window is not None and window < 0:
        yield invalid(where, str(window), "must be greater than or equal to zero")
    if window is not None and window > LONGEST_WINDOW:
        yield invalid(where, str(window), f"must be less than or equal to {LONGEST_WINDOW}")
    if choice is not None and choice not in SELECT:
        yield unsupported(f"{path}.selectPolicy", choice, SELECT)
    if not rules.get("policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies") or []):
        yield from _policy(policy, f"{path}.policies[{index}]")


def _policy(policy: Json, path: str) -> Iterator[Cause]:
    kind, value, period = policy.get("type", ""), policy.get("value") or 0, policy.get("periodSeconds") or 0
    if kind not in POLICIES:
        yield unsupported(f"{path}.type", kind, POLICIES)
    if value <= 0:
        yield invalid(f"{path}.value", str(value), "must be greater than zero")
    if period <= 0:
        yield invalid(f"{path}.periodSeconds", str(period), "must be greater than zero")
    if period > LONGEST_PERIOD:
        yield invalid(f"{path}.periodSeconds", str(period), f"must be less than or equal to {LONGEST_PERIOD}")
