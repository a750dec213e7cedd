"""The levels of the Pod Security Standards, version latest: what each forbids, in the server's words."""

from collections.abc import Iterable, Iterator

from kube_standin.validation.pods.baseline import BASELINE, added, adding, host_paths, seccomp
from kube_standin.validation.pods.said import (
    Check,
    Found,
    context,
    named,
    of_windows,
    own_users,
    seccomp_type,
    setters,
    some,
)
from kube_standin.wire.answers import Json

LEVELS = ("privileged", "baseline", "restricted")  # from lax to strict
VOLUMES = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim"),
        *("projected", "secret"),
    }
)


def violations(level: str, meta: Json, spec: Json) -> list[Found]:
    """What a level forbids of a pod."""
    if level == "privileged":
        return []
    checks = [*BASELINE, *RESTRICTED] if level == "restricted" else BASELINE
    covered = OVERRIDDEN if level == "restricted" else ()
    return [found for check in checks if check not in covered for found in check(meta, spec)]


def told(found: Iterable[Found]) -> str:
    """The violations in one line."""
    return ", ".join(f"{reason} ({detail})" for reason, detail in found)


def _escalation(_: Json, spec: Json) -> Iterator[Found]:
    names = named(spec, lambda each: context(each).get("allowPrivilegeEscalation") is not False)
    if names and not of_windows(spec):
        what = "must set securityContext.allowPrivilegeEscalation=false"
        yield "allowPrivilegeEscalation != false", f"{some('container', names)} {what}"


def _dropped(_: Json, spec: Json) -> Iterator[Found]:
    if of_windows(spec):
        return
    names = named(
        spec, lambda each: "ALL" not in ((context(each).get("capabilities") or {}).get("drop") or [])
    )
    reason = "unrestricted capabilities"
    found = [f'{some("container", names)} must set securityContext.capabilities.drop=["ALL"]'] * bool(names)
    found += [detail for _, detail in adding(spec, {"NET_BIND_SERVICE"}, reason)]
    if found:
        yield reason, "; ".join(found)


def _volume_types(_: Json, spec: Json) -> Iterator[Found]:
    def kind(volume: Json) -> str:
        return next((key for key in volume if key != "name"), "unknown")

    bad = {str(each.get("name")): kind(each) for each in spec.get("volumes") or []}
    bad = {name: kind for name, kind in bad.items() if kind not in VOLUMES}
    if bad:
        uses = "uses" if len(bad) == 1 else "use"
        types = some("restricted volume type", sorted(set(bad.values())))
        yield "restricted volume types", f"{some('volume', bad)} {uses} {types}"


def _non_root(_: Json, spec: Json) -> Iterator[Found]:
    if own_users(spec):
        return
    reason = "runAsNonRoot != true"
    who = setters(spec, lambda each: each.get("runAsNonRoot") is False)
    if who:
        yield reason, f"{who} must not set securityContext.runAsNonRoot=false"
        return
    open_ = named(spec, lambda each: context(each).get("runAsNonRoot") is None)
    if open_ and context(spec).get("runAsNonRoot") is not True:
        yield reason, f"pod or {some('container', open_)} must set securityContext.runAsNonRoot=true"


def _root(_: Json, spec: Json) -> Iterator[Found]:
    who = "" if own_users(spec) else setters(spec, lambda each: each.get("runAsUser") == 0)
    if who:
        yield "runAsUser=0", f"{who} must not set runAsUser=0"


def _seccomp_set(meta: Json, spec: Json) -> Iterator[Found]:
    if of_windows(spec):
        return
    bad = list(seccomp(meta, spec))
    yield from bad
    open_ = named(spec, lambda each: seccomp_type(context(each)) is None)
    if not bad and open_ and seccomp_type(context(spec)) is None:
        what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        yield "seccompProfile", f"pod or {some('container', open_)} {what}"


RESTRICTED: tuple[Check, ...] = (_escalation, _dropped, _volume_types, _non_root, _root, _seccomp_set)
OVERRIDDEN: tuple[Check, ...] = (added, host_paths, seccomp)  # restricted has stricter ones
