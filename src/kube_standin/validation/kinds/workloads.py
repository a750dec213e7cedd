"""What the server checks of what runs pods, in the order in which it does."""

from collections.abc import Iterator
from typing import Any

from kube_standin.objects import names, selectors
from kube_standin.validation.kinds.schedules import schedule
from kube_standin.validation.pods import specs
from kube_standin.validation.pods.affinity import selector
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import (
    Cause,
    forbidden,
    invalid,
    not_negative,
    required,
    show,
    unsupported,
)

CONCURRENCY = ("Allow", "Forbid", "Replace")


def deployment(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    yield from not_negative(spec.get("replicas"), f"{path}.replicas")
    yield from _selected(spec, path, "deployment")
    yield from _always(spec, path, "ReplicaSet")
    yield from _strategy(spec.get("strategy") or {}, f"{path}.strategy")
    yield from not_negative(spec.get("minReadySeconds"), f"{path}.minReadySeconds")
    yield from not_negative(spec.get("revisionHistoryLimit"), f"{path}.revisionHistoryLimit")
    deadline, least = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None:
        yield from not_negative(deadline, f"{path}.progressDeadlineSeconds")
        if deadline <= least:
            why = "must be greater than minReadySeconds"
            yield invalid(f"{path}.progressDeadlineSeconds", str(deadline), why)


def replica_set(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    yield from not_negative(spec.get("replicas"), f"{path}.replicas")
    yield from not_negative(spec.get("minReadySeconds"), f"{path}.minReadySeconds")
    yield from _selected(spec, path, "deployment")  # its words: they were copied
    yield from _always(spec, path, "ReplicaSet")


def stateful_set(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    management = spec.get("podManagementPolicy", "")
    if management not in {"OrderedReady", "Parallel"}:
        why = "must be 'OrderedReady' or 'Parallel'"
        yield invalid(f"{path}.podManagementPolicy", show(management), why)
    yield from _set_strategy(spec.get("updateStrategy") or {}, f"{path}.updateStrategy")
    yield from not_negative(spec.get("replicas"), f"{path}.replicas")
    yield from not_negative(spec.get("minReadySeconds"), f"{path}.minReadySeconds")
    yield from _selected(spec, path, "")
    yield from _always(spec, path, "")
    if (spec.get("template") or {}).get("spec", {}).get("activeDeadlineSeconds") is not None:
        yield forbidden(
            f"{path}.template.spec.activeDeadlineSeconds",
            "activeDeadlineSeconds in StatefulSet is not Supported",
        )


def daemon_set(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    chosen = spec.get("selector")
    if chosen is not None:
        yield from selector(chosen, f"{path}.selector")
    found = _labels(spec)
    if chosen is None or not selectors.by_selector(chosen)(found):
        where = f"{path}.template.metadata.labels"
        yield invalid(where, show(found) if found else "null", "`selector` does not match template `labels`")
    if chosen is not None and not _has_terms(chosen):
        yield invalid(f"{path}.selector", show(chosen), "empty selector is invalid for daemonset")
    yield from _always(spec, path, "")
    yield from not_negative(spec.get("minReadySeconds"), f"{path}.minReadySeconds")
    kind = (spec.get("updateStrategy") or {}).get("type", "")
    if kind not in {"RollingUpdate", "OnDelete"}:
        yield unsupported(f"{path}.updateStrategy.type", kind, ("OnDelete", "RollingUpdate"))
    yield from not_negative(spec.get("revisionHistoryLimit"), f"{path}.revisionHistoryLimit")


def job(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    yield from job_spec(spec, path)


def job_spec(spec: Json, path: str) -> Iterator[Cause]:
    for name in (
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ):
        yield from not_negative(spec.get(name), f"{path}.{name}")
    mode = spec.get("completionMode")
    if mode is not None and mode not in {"NonIndexed", "Indexed"}:
        yield unsupported(f"{path}.completionMode", mode, ("Indexed", "NonIndexed"))
    if mode == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    template = spec.get("template") or {}
    yield from specs.template(template, f"{path}.template")
    policy = (template.get("spec") or {}).get("restartPolicy", "")
    where = f"{path}.template.spec.restartPolicy"
    if policy in {"", "Always"}:
        yield required(where, 'valid values: "OnFailure", "Never"')
    elif policy not in {"OnFailure", "Never"}:
        yield unsupported(where, policy, ("OnFailure", "Never"))


def cron_job(whole: Json, path: str = "spec") -> Iterator[Cause]:
    meta, spec = whole["metadata"], whole.get("spec") or {}
    if len(meta.get("name", "")) > 52:  # noqa: PLR2004 (a label, less what the controller adds)
        yield invalid("metadata.name", show(meta["name"]), "must be no more than 52 characters")
    if not spec.get("schedule"):
        yield required(f"{path}.schedule")
    else:
        yield from schedule(spec["schedule"], f"{path}.schedule")
    yield from not_negative(spec.get("startingDeadlineSeconds"), f"{path}.startingDeadlineSeconds")
    policy = spec.get("concurrencyPolicy", "")
    if policy not in CONCURRENCY:
        yield unsupported(f"{path}.concurrencyPolicy", policy, CONCURRENCY)
    for name in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from not_negative(spec.get(name), f"{path}.{name}")
    inner, where = (spec.get("jobTemplate") or {}).get("spec") or {}, f"{path}.jobTemplate.spec"
    yield from job_spec(inner, where)
    if inner.get("selector") is not None:
        yield invalid(f"{where}.selector", show(inner["selector"]), "`selector` will be auto-generated")
    if inner.get("manualSelector"):
        yield unsupported(f"{where}.manualSelector", inner["manualSelector"], ("nil", "false"))


def _selected(spec: Json, path: str, kind: str) -> Iterator[Cause]:
    """A selector must select the pods of its own template."""
    chosen, found = spec.get("selector"), _labels(spec)
    if chosen is None:
        yield required(f"{path}.selector")
    else:
        yield from selector(chosen, f"{path}.selector")
        if not _has_terms(chosen):
            why = (
                f"empty selector is invalid for {kind}"
                if kind
                else "empty selector is invalid for statefulset"
            )
            yield invalid(f"{path}.selector", show(chosen), why)
    if chosen is None or (_has_terms(chosen) and not selectors.by_selector(chosen)(found)):
        where = f"{path}.template.metadata.labels"
        yield invalid(where, show(found) if found else "null", "`selector` does not match template `labels`")


def _has_terms(chosen: Json) -> bool:
    return bool(chosen.get("matchLabels") or chosen.get("matchExpressions"))


def _labels(spec: Json) -> Json:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}


def _always(spec: Json, path: str, kind: str) -> Iterator[Cause]:
    template = spec.get("template") or {}
    yield from specs.template(template, f"{path}.template")
    pod = template.get("spec") or {}
    policy = pod.get("restartPolicy", "")
    if policy != "Always":
        yield unsupported(f"{path}.template.spec.restartPolicy", policy, ("Always",))
    if kind and pod.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden(f"{path}.template.spec.activeDeadlineSeconds", why)


def _strategy(strategy: Json, path: str) -> Iterator[Cause]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            why = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden(f"{path}.rollingUpdate", why)
    elif kind != "RollingUpdate":
        yield unsupported(f"{path}.type", kind, ("Recreate", "RollingUpdate"))
    elif rolling is None:
        yield required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")
    else:
        yield from _rolling(rolling, f"{path}.rollingUpdate")


def _rolling(rolling: Json, path: str) -> Iterator[Cause]:
    most, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    for given, name in ((most, "maxUnavailable"), (surge, "maxSurge")):
        yield from _amount(given, f"{path}.{name}")
    if _is_zero(most) and _is_zero(surge):
        yield invalid(f"{path}.maxUnavailable", show(most), "may not be 0 when `maxSurge` is 0")
    if _percent(most) is not None and (_percent(most) or 0) > 100:  # noqa: PLR2004 (percent)
        yield invalid(f"{path}.maxUnavailable", show(most), "must not be greater than 100%")


def _amount(given: Any, path: str) -> Iterator[Cause]:
    """A number, or a percentage."""
    if isinstance(given, str):
        if _percent(given) is None:
            why = (
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
                "'93%', regex used for validation is '[0-9]+%')"
            )
            yield invalid(path, show(given), why)
    else:
        yield from not_negative(given, path)


def _percent(given: Any) -> int | None:
    text = given[:-1] if isinstance(given, str) and given.endswith("%") else ""
    return int(text) if text.isascii() and text.isdigit() else None


def _is_zero(given: Any) -> bool:
    return given in (0, None) or _percent(given) == 0


def _set_strategy(strategy: Json, path: str) -> Iterator[Cause]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        if rolling is not None:
            why = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid(f"{path}.rollingUpdate", show(rolling), why)
    elif kind != "RollingUpdate":
        yield invalid(path, show(strategy), "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        yield from not_negative(rolling.get("partition"), f"{path}.rollingUpdate.partition")


def budget(whole: Json, path: str = "spec") -> Iterator[Cause]:
    spec = whole.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield invalid(path, show(spec), "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        if name in spec:
            yield from _amount(spec[name], f"{path}.{name}")
            if (_percent(spec[name]) or 0) > 100:  # noqa: PLR2004 (percent)
                yield invalid(f"{path}.{name}", show(spec[name]), "must not be greater than 100%")
    yield from selector(spec.get("selector"), f"{path}.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy and policy not in {"AlwaysAllow", "IfHealthyBudget"}:
        yield unsupported(f"{path}.unhealthyPodEvictionPolicy", policy, ("AlwaysAllow", "IfHealthyBudget"))


def labels_of_name(whole: Json) -> Iterator[Cause]:
    """The name of what must be one label."""
    yield from names.dns_label(whole["metadata"].get("name", ""), "metadata.name")
