"""What is kept of each request: one sample, also of a failure."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

# Samples carry wall-clock seconds that never jump: a monotonic clock, moved once. Workers can compare them.
SHIFT = time.time() - time.monotonic()
clock = time.monotonic


def wall(moment: float) -> float:
    """The wall-clock second of a moment of `clock`."""
    return moment + SHIFT


class Reason(StrEnum):
    """Why a request failed, short enough to count by."""

    NONE = ""
    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect timeout"
    TLS = "tls"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    RESET = "reset"
    CLOSED = "closed"  # the server ended the connection before the first byte of an answer
    TRUNCATED = "truncated"  # and here after it
    SURPLUS = "surplus"  # more came than the answer said
    MALFORMED = "malformed"
    TOO_BIG = "too big"
    ENCODING = "encoding"
    REDIRECT = "redirect"
    STATUS = "status"
    NO_CERTIFICATE = "client certificate"  # which the edge asks for: the API was not asked
    CHECK = "check"  # an answer, but not the right one
    UPGRADE = "upgrade"  # the WebSocket was refused
    SCRIPT = "script"  # our own mistake: the run proves nothing
    OWN_LIMIT = "own limit"  # this machine had no more ports, files or memory: likewise
    KILLED = "killed"  # the run ended before the request did

    __hash__ = str.__hash__  # Enum's own is written in Python, and each sample is counted by its reason


class WireError(Exception):
    """A request that failed, and why."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason


class Sample(NamedTuple):
    """One timed request.

    `seconds` is from before the request was sent to the last byte of its answer, without `connect` (TCP and
    TLS, 0 on a kept connection) but for what of that is beyond a second. A request that could not be sent
    took all the time until that was known: a refused connection is not a fast answer. `late` is how long
    after its intended start it began.
    """

    began: float
    ended: float
    name: str
    group: str
    method: str
    status: int
    error: Reason
    seconds: float
    connect: float
    late: float
    size: int
    retried: bool


Record = Callable[[Sample], None]


@dataclass(slots=True)
class Totals:
    """Counts of one process. `sent` and `recorded` are equal whenever no request is in flight."""

    sent: int = 0
    recorded: int = 0
    failed: int = 0
    retried: int = 0
    redirects: int = 0
    connections: int = 0
    found_closed: int = 0  # kept connections that the server had closed, seen before anything was sent
    held_up: float = 0.0  # seconds: the longest that a connection waited for this process, since last asked
