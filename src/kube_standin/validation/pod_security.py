"""Pod Security Admission: a namespace's labels name levels that refuse its pods, or warn of them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from kube_standin.cluster import Cluster, built_in
from kube_standin.objects.kinds import Kind
from kube_standin.validation.pods import levels
from kube_standin.validation.pods.said import Found
from kube_standin.validation.warnings import TEMPLATES
from kube_standin.wire import answers
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, invalid, show

LABEL = "pod-security.kubernetes.io/"
MODES = ("enforce", "audit", "warn")
LATEST = "latest"
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)")
Level = tuple[str, str]  # and its version


def admit(cluster: Cluster, kind: Kind, obj: Json, namespace: str, old: Json | None = None) -> list[str]:
    """What the server warns of. Raises RefusedError if the namespace's level refuses the pod.

    A workload is never refused: its pods will be.
    """
    if kind.name == "Namespace":
        return _namespace(cluster, obj, old)
    template = obj if kind.name == "Pod" else _template(kind.name, obj)
    if template is None or (old is not None and kind.name == "Pod" and not _is_other(obj, old)):
        return []
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    found = cluster.store.get(built_in("Namespace"), "", namespace) or {"metadata": {}}
    enforced, warned = _policy(found["metadata"].get("labels") or {})
    if kind.name == "Pod":
        refused = _violations(enforced, meta, spec)
        if refused:
            why = f"violates PodSecurity {show(_told(enforced))}: {levels.told(refused)}"
            raise answers.forbidden("", "pods", obj["metadata"].get("name", ""), why)
    bad = _violations(warned, meta, spec)
    return [f"would violate PodSecurity {show(_told(warned))}: {levels.told(bad)}"] if bad else []


def _unknown_labels(labels: Mapping[str, str]) -> Iterator[Cause]:
    """The labels that name no level or no version."""
    for mode in MODES:
        level, version = labels.get(f"{LABEL}{mode}"), labels.get(f"{LABEL}{mode}-version")
        if level is not None and level not in levels.LEVELS:
            why = f"must be one of {', '.join(levels.LEVELS)}"
            yield invalid(f"metadata.labels[{LABEL}{mode}]", show(level), why)
        if version is not None and version != LATEST and not _VERSION.fullmatch(version):
            why = 'must be "latest" or "v1.x"'
            yield invalid(f"metadata.labels[{LABEL}{mode}-version]", show(version), why)


def _policy(labels: Mapping[str, str]) -> tuple[Level, Level]:
    """What is enforced and what is warned of; without a word of its own, the second is as the first."""

    def of(mode: str, default: Level) -> Level:
        level = labels.get(f"{LABEL}{mode}", default[0])
        return level, labels.get(f"{LABEL}{mode}-version", default[1])

    enforced = of("enforce", ("privileged", LATEST))
    return enforced, of("warn", enforced if f"{LABEL}warn" not in labels else ("", LATEST))


def _violations(policy: Level, meta: Json, spec: Json) -> list[Found]:
    level, version = policy
    if level != "privileged" and version != LATEST:
        raise answers.unknown_here(f"Pod Security's level {level} of version {version}")
    return levels.violations(level, meta, spec)


def _told(policy: Level) -> str:
    return ":".join(policy)


def _template(kind: str, obj: Json) -> Json | None:
    found: Json | None = obj if kind in TEMPLATES else None
    for name in TEMPLATES.get(kind, ()):
        found = (found or {}).get(name)
    return found


def _is_other(pod: Json, old: Json) -> bool:
    """Whether an update changes what levels look at: a container is new, or another image."""

    def images(each: Json) -> list[tuple[str, str]]:
        spec = each.get("spec") or {}
        names = ("containers", "initContainers", "ephemeralContainers")
        return [(part["name"], part.get("image", "")) for name in names for part in spec.get(name) or []]

    return images(pod) != images(old)


def _namespace(cluster: Cluster, obj: Json, old: Json | None) -> list[str]:
    """Refuse unknown labels; warn of pods that a stricter level would refuse."""
    meta = obj["metadata"]
    causes = list(_unknown_labels(meta.get("labels") or {}))
    before = {} if old is None else old["metadata"].get("labels") or {}
    if causes and causes != list(_unknown_labels(before)):
        raise answers.invalid("", "Namespace", meta["name"], causes)
    enforced, was = _policy(meta.get("labels") or {})[0], _policy(before)[0]
    is_laxer = enforced[1] == was[1] and levels.LEVELS.index(enforced[0]) <= levels.LEVELS.index(was[0])
    if old is None or causes or is_laxer or enforced[0] == "privileged":
        return []
    pods: dict[str, list[str]] = defaultdict(list)
    for pod in cluster.store.all(built_in("Pod"), meta["name"]):
        bad = _violations(enforced, pod["metadata"], pod.get("spec") or {})
        if bad:
            pods[", ".join(reason for reason, _ in bad)].append(pod["metadata"]["name"])
    if not pods:
        return []
    first = f"existing pods in namespace {show(meta['name'])} violate the new PodSecurity enforce level"
    return [f"{first} {show(_told(enforced))}", *sorted(_of_pods(pods))]


def _of_pods(pods: Mapping[str, list[str]]) -> Iterator[str]:
    for reasons, names in pods.items():
        others = len(names) - 1
        also = f" (and {others} other pod{'' if others == 1 else 's'})" if others else ""
        yield f"{min(names)}{also}: {reasons}"
