"""The logs of pods: every container, the last lines and all since a moment, up to a limit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.kubernetes.kinds import resource
from noxgate.systems.kubernetes.log_lines import is_grave
from noxgate.systems.kubernetes.session import KubeSession, Raw

MOST_BYTES = 20_000_000  # of one container since the switch: more is no log that a person can judge either
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) ?")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Log:
    """One container's lines, the oldest first."""

    pod: str
    container: str
    lines: tuple[str, ...]


class PodLogs:
    """Reads the logs of pods for one check; what it records of them are counts, not lines."""

    def __init__(self, session: KubeSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    def of(self, pod: Json, since: datetime | None, last: int) -> list[Log]:
        """Every container's last lines, and all since a moment."""
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        found = []
        for container in (each["name"] for each in pod["spec"]["containers"]):
            lines = dict.fromkeys(self._read(namespace, name, container, {"tailLines": str(last)}))
            if since is not None:
                start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
                lines |= dict.fromkeys(self._read(namespace, name, container, {"sinceTime": start}))
                self._refuse_rotated(pod, container, since)
            found.append(Log(name, container, tuple(_STAMP.sub("", line, count=1) for line in sorted(lines))))
        return found

    def _refuse_rotated(self, pod: Json, container: str, since: datetime) -> None:
        """A busy node keeps the newest lines alone: what it threw away since then, nobody has looked at."""
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        began = next(
            (
                datetime.fromisoformat(each["state"]["running"]["startedAt"])
                for each in (pod.get("status") or {}).get("containerStatuses") or []
                if each["name"] == container and "running" in (each.get("state") or {})
            ),
            since,
        )
        first = self._read(namespace, name, container, {"limitBytes": "64"})
        stamp = _STAMP.match(first[0]) if first else None
        oldest = stamp[0].strip() if stamp else ""
        if oldest and began < since < datetime.fromisoformat(oldest):
            raise UnreachableError(
                f"{name} {container}: expected its log from {since:%H:%M:%S} UTC on, "
                f"saw it begin at {oldest}: "
                "what is older was rotated away; look for errors where logs are collected"
            )

    def _read(self, namespace: str, pod: str, container: str, query: Mapping[str, str]) -> list[str]:
        words = {"tailLines": "--tail={}", "sinceTime": "--since-time={}", "limitBytes": "--limit-bytes={}"}
        options = [words[key].format(value) for key, value in query.items()]
        repeat = self._session.kubectl("logs", pod, "-n", namespace, "-c", container, *options)
        path = f"{resource('Pod').path(namespace, pod)}/log"
        try:
            answer = self._session.read(
                path, {"container": container, "timestamps": "true", **query}, MOST_BYTES
            )
            _check(answer, f"the log of {pod} {container}")
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        lines = answer.content.decode("utf-8", "replace").splitlines()
        bare = [_STAMP.sub("", line, count=1) for line in lines]
        grave = sum(map(is_grave, bare))
        when = f", {lines[0].split()[0]} to {lines[-1].split()[0]}" if lines else ""
        self._observe(
            Observation(
                shortened(f"{pod} {container}: {len(lines)} lines{when}, {grave} of an error's level"), repeat
            )
        )
        return lines


def _check(answer: Raw, what: str) -> None:
    if answer.status == HTTPStatus.FORBIDDEN:
        raise UnreachableError(f"bind the role of docs/roles/look.yaml: {what}: {answer.message}")
    if answer.status != HTTPStatus.OK:
        raise UnreachableError(f"{what}: {answer.status}: {answer.message}")
    if not answer.whole:
        raise UnreachableError(f"{what} has more than {MOST_BYTES} bytes")
