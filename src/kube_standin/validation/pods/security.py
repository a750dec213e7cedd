"""What the server checks of security contexts and of the paths in a pod's spec."""

from collections.abc import Iterator

from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, invalid, required, show, unsupported

MAX_ID = 0xFFFFFFFF
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def descending(given: str, path: str) -> Iterator[Cause]:
    """A relative path that does not leave where it begins."""
    if given.startswith("/"):
        yield invalid(path, show(given), "must be a relative path")
    if ".." in given.split("/"):
        yield invalid(path, show(given), "must not contain '..'")


def security(given: Json, path: str) -> Iterator[Cause]:
    """A container's security context, and what a pod's shares with it."""
    for name in ("runAsUser", "runAsGroup"):
        if name in given and not 0 <= given[name] <= MAX_ID:
            yield invalid(f"{path}.{name}", str(given[name]), f"must be between 0 and {MAX_ID}, inclusive")
    mount = given.get("procMount")
    if mount and mount not in {"Default", "Unmasked"}:
        yield unsupported(f"{path}.procMount", mount, ("Default", "Unmasked"))
    yield from profile(given.get("seccompProfile"), "seccomp", f"{path}.seccompProfile")
    if given.get("allowPrivilegeEscalation") is False:
        why = "cannot set `allowPrivilegeEscalation` to false and"
        if given.get("privileged"):
            yield invalid(path, show(given), f"{why} `privileged` to true")
        if "CAP_SYS_ADMIN" in ((given.get("capabilities") or {}).get("add") or []):
            yield invalid(path, show(given), f"{why} `capabilities.Add` CAP_SYS_ADMIN")
    yield from profile(given.get("appArmorProfile"), "AppArmor", f"{path}.appArmorProfile")


def profile(given: Json | None, what: str, path: str) -> Iterator[Cause]:
    if given is None:
        return
    kind, local = given.get("type", ""), given.get("localhostProfile")
    field = path.rpartition(".")[2]
    if not kind:
        yield required(f"{path}.type", f"type is required when {field} is set")
    elif kind not in PROFILES:
        yield unsupported(f"{path}.type", kind, PROFILES)
    if kind == "Localhost":
        if not local:
            yield required(f"{path}.localhostProfile", f"must be set when {what} type is Localhost")
        elif what == "seccomp":
            yield from descending(local, f"{path}.localhostProfile")
    elif local is not None:
        yield invalid(
            f"{path}.localhostProfile", show(local), f"can only be set when {what} type is Localhost"
        )
