"""Who says what in a pod's security contexts, in the words of the Pod Security Standards."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from kube_standin.wire.answers import Json
from kube_standin.wire.causes import show

PROFILES = ("RuntimeDefault", "Localhost")
Found = tuple[str, str]  # what is forbidden, and where it was seen
Check = Callable[[Json, Json], Iterator[Found]]


def containers(spec: Json) -> Iterator[Json]:
    for name in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(name) or []


def context(part: Json) -> Json:
    found: Json = part.get("securityContext") or {}
    return found


def quoted(names: Iterable[str]) -> str:
    return ", ".join(show(name) for name in names)


def some(word: str, names: Collection[str]) -> str:
    """Such as: containers "a", "b"."""
    return f"{word}{'' if len(names) == 1 else 's'} {quoted(names)}"


def named(spec: Json, is_bad: Callable[[Json], bool]) -> list[str]:
    return [str(each.get("name", "")) for each in containers(spec) if is_bad(each)]


def setters(spec: Json, is_bad: Callable[[Json], bool]) -> str:
    """Who says it: the pod, containers of it, or both."""
    names = named(spec, lambda each: is_bad(context(each)))
    found = ["pod"] * is_bad(context(spec)) + ([some("container", names)] if names else [])
    return " and ".join(found)


def values(spec: Json, value: Callable[[Json], Any]) -> list[Any]:
    return [value(context(each)) for each in (spec, *containers(spec))]


def of_windows(spec: Json) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def own_users(spec: Json) -> bool:
    """Its users are not the node's, so that its root is not the node's."""
    return spec.get("hostUsers") is False


def seccomp_type(context: Json) -> Any:
    return (context.get("seccompProfile") or {}).get("type")
