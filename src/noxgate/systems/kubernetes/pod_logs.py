"""The logs of pods: every container, the last lines and all since a moment, and its run before a restart."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.kubernetes.connection.answers import Raw
from noxgate.systems.kubernetes.kinds import resource
from noxgate.systems.kubernetes.log_lines import count_grave
from noxgate.systems.kubernetes.session import KubeSession

MOST_BYTES = 20_000_000  # of one container since the switch: a person cannot judge more either
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) ?")
# With status 200, as if the container had written it, where its log is no longer on the node.
_NO_LOG = re.compile(r"unable to retrieve container logs for \S+|failed to try resolving symlinks in path ")
_WORDS = {
    "tailLines": "--tail={}",
    "sinceTime": "--since-time={}",
    "limitBytes": "--limit-bytes={}",
    "previous": "--previous",
}

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Log:
    """One container's lines, the oldest first; of a container that ended, and runs again, as `before`.

    `lost` says what of it cannot be read any more.
    """

    pod: str
    container: str
    lines: tuple[str, ...]
    before: bool = False
    lost: str = ""


class PodLogs:
    """Reads the logs of pods for one check; what it records of them are counts, not lines."""

    def __init__(self, session: KubeSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    def of(self, pod: Json, since: datetime | None, last: int) -> list[Log]:
        """Every container's last lines and all since a moment; and what it logged before it restarted."""
        found = []
        for container in containers_of(pod):
            status = _status(pod, container)
            found.append(self._now(pod, container, since, last, status))
            if status.get("restartCount") or (status.get("lastState") or {}).get("terminated"):
                found.append(self._before(pod, container, since, last, status))
        return found

    def _now(self, pod: Json, container: str, since: datetime | None, last: int, status: Json) -> Log:
        lines = self._lines(pod, container, since, last, {})
        began = ((status.get("state") or {}).get("running") or {}).get("startedAt")
        lost = self._rotated(pod, container, since, began, {})
        return Log(pod["metadata"]["name"], container, lines, lost=lost)

    def _before(self, pod: Json, container: str, since: datetime | None, last: int, status: Json) -> Log:
        """The log of its run before this one: the node keeps no other."""
        name, which = pod["metadata"]["name"], {"previous": "true"}
        run = (status.get("lastState") or {}).get("terminated") or {}
        began, ended = _moment(run.get("startedAt")), _moment(run.get("finishedAt"))
        try:
            lines = self._lines(pod, container, since, last, which)
            lost = self._rotated(pod, container, since, run.get("startedAt"), which)
        except _GoneError as error:
            is_older = since is not None and ended is not None and ended < since
            lost = f"{name} {container} restarted, and what it logged before is gone ({error})"
            return Log(name, container, (), before=True, lost="" if is_older else lost)
        runs = status.get("restartCount") or 1
        if runs > 1 and not (since and began and began < since):
            lost = lost or f"{name} {container} restarted {runs} times, and only the last log before is kept"
        return Log(name, container, lines, before=True, lost=lost)

    def _lines(
        self, pod: Json, container: str, since: datetime | None, last: int, which: Mapping[str, str]
    ) -> tuple[str, ...]:
        lines = self._read(pod, container, {"tailLines": str(last), **which})
        if since is not None:
            start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            lines = together(lines, self._read(pod, container, {"sinceTime": start, **which}))
        return tuple(_bare(line) for line in lines)

    def _rotated(
        self, pod: Json, container: str, since: datetime | None, start: str | None, which: Mapping[str, str]
    ) -> str:
        """A busy node only keeps the newest lines: those that it threw away since then were not read."""
        if since is None:
            return ""
        began = _moment(start) or since
        first = self._read(pod, container, {"limitBytes": "64", **which})
        stamp = _STAMP.match(first[0]) if first else None
        oldest = stamp[0].strip() if stamp else ""
        if not oldest or not began < since < datetime.fromisoformat(oldest):
            return ""
        return (
            f"{pod['metadata']['name']} {container}: expected its log from {since:%H:%M:%S} UTC on, "
            f"saw it begin at {oldest}: what is older was rotated away"
        )

    def _read(self, pod: Json, container: str, query: Mapping[str, str]) -> list[str]:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        options = [_WORDS[key].format(value) for key, value in query.items()]
        repeat = self._session.kubectl("logs", name, "-n", namespace, "-c", container, *options)
        path = f"{resource('Pod').path(namespace, name)}/log"
        try:
            answer = self._session.read(
                path, {"container": container, "timestamps": "true", **query}, MOST_BYTES
            )
            _check(answer, f"the log of {name} {container}")
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        lines = [line.removesuffix("\r") for line in answer.content.decode("utf-8", "replace").split("\n")]
        if not lines[-1]:
            lines.pop()
        grave = count_grave([_bare(line) for line in lines])
        when = f", {lines[0].partition(' ')[0]} to {lines[-1].partition(' ')[0]}" if lines else ""
        seen = f"{name} {container}: {len(lines)} lines{when}, {grave} of an error's level"
        self._observe(Observation(shortened(seen), repeat))
        return lines


def containers_of(pod: Json) -> list[str]:
    """Its containers, and the sidecars that are written among the init containers and run on."""
    beside = [
        each for each in pod["spec"].get("initContainers") or [] if each.get("restartPolicy") == "Always"
    ]
    return [each["name"] for each in (*pod["spec"]["containers"], *beside)]


def together(last: Sequence[str], since: Sequence[str]) -> list[str]:
    """The last lines, and all since a moment, which were read after them: each line once, in its order.

    Where a node's clock went back, some of the last are not among those since: they count all the same.
    """
    found: list[str] = []
    taken = 0
    for line in last:
        try:
            at = since.index(line, taken)
        except ValueError:
            found.append(line)
        else:
            found += since[taken : at + 1]
            taken = at + 1
    return [*found, *since[taken:]]


def refuse_lost(logs: Sequence[Log]) -> None:
    """Raises UnreachableError if lines cannot be read any more."""
    lost = [log.lost for log in logs if log.lost]
    if lost:
        raise UnreachableError(f"{'; '.join(lost)}: look for errors where logs are collected")


class _GoneError(UnreachableError):
    """The node does not have the log."""


def _status(pod: Json, container: str) -> Json:
    status = pod.get("status") or {}
    named = [
        each
        for field in ("containerStatuses", "initContainerStatuses")
        for each in status.get(field) or []
        if each.get("name") == container
    ]
    return named[0] if named else {}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _bare(line: str) -> str:
    return _STAMP.sub("", line, count=1)


def _check(answer: Raw, what: str) -> None:
    if answer.status == HTTPStatus.BAD_REQUEST and "previous terminated container" in answer.message:
        raise _GoneError(answer.message)
    if answer.status == HTTPStatus.OK and (
        gone := _NO_LOG.match(answer.content[:500].decode("utf-8", "replace"))
    ):
        raise _GoneError(f"{what}: {gone[0].strip()}")
    if answer.status == HTTPStatus.FORBIDDEN:
        raise UnreachableError(f"bind the role of docs/roles/look.yaml: {what}: {answer.message}")
    if answer.status != HTTPStatus.OK:
        raise UnreachableError(f"{what}: {answer.status}: {answer.message}")
    if not answer.whole:
        raise UnreachableError(f"{what} has more than {MOST_BYTES} bytes")
