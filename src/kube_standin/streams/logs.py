"""A pod's log, from the file that its process writes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kube_standin.settings import Place
from kube_standin.wire import answers
from kube_standin.wire.answers import Json
from kube_standin.wire.call import Call, is_true, number
from kube_standin.wire.causes import Cause

LOOK_EVERY = 0.1
NO_LOG = b"unable to retrieve container logs for containerd://" + b"0" * 64
PARTS = frozenset({"log", "proxy", "exec", "attach", "portforward"})  # answered in a type of their own


@dataclass(frozen=True)
class LogRequest:
    """Which part of the log, and how."""

    tail: int | None
    limit: int | None
    since: datetime | None
    follow: bool
    timestamps: bool


def wish(call: Call) -> LogRequest:
    """What the query asks for. Raises RefusedError if it asks for something impossible."""
    query = call.query
    tail, limit, seconds = (number(query, name) for name in ("tailLines", "limitBytes", "sinceSeconds"))
    causes = []
    if tail is not None and tail < 0:
        causes.append(_cause("tailLines", tail, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        causes.append(_cause("limitBytes", limit, "must be greater than 0"))
    if seconds is not None and seconds < 1:
        causes.append(_cause("sinceSeconds", seconds, "must be greater than 0"))
    if seconds is not None and query.get("sinceTime"):
        why = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(Cause("FieldValueForbidden", why, "sinceSeconds"))
    if causes:
        raise answers.invalid("", "PodLogOptions", call.name, causes)
    since = None if seconds is None else datetime.now(UTC) - timedelta(seconds=seconds)
    if query.get("sinceTime"):
        since = _moment(query["sinceTime"])
        if since is None:
            raise answers.bad_request(f'parsing time "{query["sinceTime"]}"')
    follow, timestamps = (is_true(query.get(name, "")) for name in ("follow", "timestamps"))
    return LogRequest(tail, limit, since, follow, timestamps)


def source(pod: Json, call: Call, place: Place | None) -> Path | None:
    """The file of the container's log; None if no node runs the pod, or it is not said where its log is."""
    container = container_of(pod, call.query.get("container", ""))
    if place is None:
        return None
    previous = is_true(call.query.get("previous", ""))
    if previous and not place.previous_log:
        name = pod["metadata"]["name"]
        raise answers.bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    path = place.previous_log if previous else place.log
    return Path(path) if path else None


def container_of(pod: Json, asked: str) -> str:
    """The container that is meant; the server insists on a name where there are several."""
    meta, spec = pod["metadata"], pod["spec"]
    names = [container["name"] for container in spec.get("containers", [])]
    others = [container["name"] for container in spec.get("initContainers", [])]
    if not asked and len(names) == 1:
        return str(names[0])
    if not asked:
        raise answers.bad_request(
            f"a container name must be specified for pod {meta['name']}, choose one of: [{' '.join(names)}]"
            + (f" or one of the init containers: [{' '.join(others)}]" if others else "")
        )
    if asked not in names + others:
        raise answers.bad_request(f"container {asked} is not valid for pod {meta['name']}")
    return asked


async def lines(path: Path, wanted: LogRequest, runs: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The wanted part of a log file, and what is written to it while the client follows and the pod runs."""
    left = wanted.limit
    file = _File(path)
    if file.is_missing() and not wanted.follow:
        yield NO_LOG  # with status 200, without a moment and the end of a line, as a kubelet answers
        return
    text = file.more()
    if wanted.follow:
        text = file.whole_lines(text)
    found = _chosen(text, path, wanted)
    while True:
        for chunk in found:
            yield chunk if left is None else chunk[:left]
            if left is not None and (left := left - len(chunk)) <= 0:
                return
        if not wanted.follow or not runs():
            return
        await asyncio.sleep(LOOK_EVERY)
        complete = file.whole_lines(file.more())
        found = (_stamped(line, wanted) for line in complete.splitlines(keepends=True))


class _File:
    """A file that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._rest = b""

    def is_missing(self) -> bool:
        return not self._path.exists()

    def more(self) -> bytes:
        """What has come since the last look; all of it where the file was begun anew."""
        size = self._path.stat().st_size if self._path.exists() else 0
        if size < self._position:
            self._position, self._rest = 0, b""
        if size == self._position:
            return b""
        with self._path.open("rb") as log:
            log.seek(self._position)
            text = log.read(size - self._position)
        self._position = size
        return text

    def whole_lines(self, text: bytes) -> bytes:
        """The lines that are complete now; the start of one waits for its end."""
        complete, end, self._rest = (self._rest + text).rpartition(b"\n")
        return complete + end


def _chosen(text: bytes, path: Path, wanted: LogRequest) -> Iterator[bytes]:
    found = text.splitlines(keepends=True)
    if wanted.since is not None:
        found = _since(found, path, wanted.since)
    if wanted.tail is not None:
        found = found[-wanted.tail :] if wanted.tail else []
    last = None
    for line in found:
        last = _own(line) or last  # a stack is written with the line above it
        yield _stamped(line, wanted, last)


def _since(found: list[bytes], path: Path, since: datetime) -> list[bytes]:
    """The lines written since then. A line without a moment of its own belongs to the one before it."""
    kept = []
    last = None
    for line in found:
        last = _own(line) or last
        if (last or _written(path)) >= since:
            kept.append(line)
    return kept


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _stamped(line: bytes, wanted: LogRequest, last: datetime | None = None) -> bytes:
    """The kubelet knows when a line was written; here the line itself has to say it, or it was just now."""
    if not wanted.timestamps:
        return line
    moment = _own(line) or last or datetime.now(UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ").encode() + line


def _own(line: bytes) -> datetime | None:
    """When a line says that it was written: its first word, or its `time` where it is JSON."""
    if line.startswith(b"{"):
        with suppress(ValueError, AttributeError):
            return _moment(str(json.loads(line).get("time")))
    return _moment(line.split(b" ", 1)[0].decode(errors="replace"))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _cause(field: str, value: int, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", field)
