"""The file that a load test leaves: everything that was measured, and how the run went.

`result.json.gz`. Response times are kept one by one (four bytes each, in seconds), counts exactly. Schema 2
has the nonce of its run, what was sent, and visits; of schema 1 nothing proves that a load test made it.
Schema 3 has the science that was new; what is of one before may have been answered from the database.
It may have digests of the states that sign-ins were given, and the machines that sent.
"""

import base64
import binascii
import gzip
import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from noxgate.errors import NoxgateError
from noxgate.look.documents import of_json
from noxgate.look.observation import shortened
from noxgate.project.target import Target
from noxgate.slo.holds import Hold, Second
from noxgate.slo.ramps import Ramp, ramp_of

T = TypeVar("T")

NAME = "result.json.gz"
SCHEMA = 3
READABLE = (1, 2, 3)
TYPES: Mapping[Any, Any] = {str: str, int: int, float: int | float, float | None: int | float | None}
SINCE = {"nonce": 2, "sent": 2, "visits": 2, "new_jobs": 3}
MAY_HAVE = ("states", "generators")  # what schema 3 has only where there are any
ROUNDED = 1e-6  # of a response time, at most, when it was packed
MOST_BYTES = 500_000_000  # unpacked: hours of samples


class ResultError(NoxgateError):
    """A result cannot be read: one line."""


@dataclass(frozen=True)
class Held:
    """One level's hold as it came to be: `start` and `end` in seconds since 1970, end not included."""

    name: str
    users: int
    judged: str
    planned: int
    start: int
    end: int
    spoiled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Requests of one name that failed for one reason."""

    group: str
    name: str
    status: int
    reason: str
    count: int


@dataclass(frozen=True)
class NewJob:
    """Science that cannot have been asked for before, so that its result was computed within the test.

    `asked` is the body that was sent to `method`, its path; `began` and `ended` in seconds since 1970;
    `value` what the result was, where it is between `low` and `high`; `status` the last one, 0 where nothing
    was answered; `wrong` why it is not right, empty where it is.
    """

    hold: str
    method: str
    asked: str
    began: float
    ended: float
    low: float
    high: float
    value: float | None
    status: int
    wrong: str


@dataclass(frozen=True)
class Generator:
    """A machine that sent: two results of unlike ones say nothing of two versions.

    `mhz`: its clock rate, 0 where the system does not tell; `processor` as it calls itself, or "".
    """

    cores: int
    mhz: int
    processor: str

    def __str__(self) -> str:
        rate = f" at {self.mhz} MHz" if self.mhz else ""
        return f"{self.cores} cores{rate} ({self.processor or 'of no name'})"


HINTS: Mapping[Any, Any] = {kind: get_type_hints(kind) for kind in (Held, Problem, NewJob, Generator)}


@dataclass(frozen=True)
class Result:
    """One load test.

    `stopped`: why it ended before its time; empty if it did not. `problems`: why it proves nothing.
    `accepted` science jobs, and how many of them ended with the `right` result. `users` by second.
    `sent`: requests, of all processes. `visits` that began and that ended in each second. `new_jobs` were
    asked beside the users, and are in no other number.
    """

    target: str
    base_url: str
    rehearsal: bool
    release: str
    version: str  # what the target said its version was, before and after
    ramp: Ramp
    started: str
    ended: str
    processes: int
    stopped: str
    problems: tuple[str, ...]
    holds: tuple[Held, ...]
    classes: tuple[str, ...]
    accepted: int
    right: int
    failures: tuple[Problem, ...]
    users: Mapping[int, int]
    seconds: Mapping[str, Mapping[int, Second]]
    nonce: str = ""  # drawn by the command that ran it
    sent: int = 0
    visits: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    new_jobs: tuple[NewJob, ...] = ()
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # provider -> digests
    generators: tuple[Generator, ...] = ()  # each machine once; none in results of before
    schema: int = SCHEMA

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.started)

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.ended)

    @property
    def methods(self) -> Sequence[str]:
        """By which new science was to be asked for; of a ramp from before it said so, by which it was."""
        return self.ramp.methods or sorted({job.method for job in self.new_jobs})

    def judged_holds(self) -> list[tuple[Held, Hold]]:
        """Each hold as the SLOs are judged on it."""
        return [
            (
                held,
                Hold(
                    held.name,
                    held.start,
                    held.end,
                    self.classes,
                    self.seconds,
                    self.ramp.window,
                    spoiled=(*self.problems, *held.spoiled),
                ),
            )
            for held in self.holds
        ]


def results_folder(root: Path, target: Target, version: str) -> Path:
    """Where the results of a target and a release are kept, one folder each."""
    return target.load_results or root / "reports" / version / "load"


def folder_name(result: Result) -> str:
    """What the folder of a result is called: it begins with the time, by which the newest is found."""
    started = datetime.fromisoformat(result.started)
    return f"{started:%Y%m%dT%H%M%SZ}-{result.target}-{result.ramp.name}"


def write(path: Path, result: Result) -> None:
    """Write it whole or not at all."""
    document = asdict(replace(result, users={}, seconds={}, visits={}))
    document["visits"] = {str(second): both for second, both in result.visits.items()}
    for name in [name for name, since in SINCE.items() if result.schema < since]:
        del document[name]
    if result.schema < SINCE["new_jobs"]:
        del document["ramp"]["new_jobs"]
    if not result.ramp.methods:  # of one from before a ramp said them
        del document["ramp"]["methods"]
    for name in [name for name in MAY_HAVE if not document[name]]:
        del document[name]
    document["users"] = {str(second): users for second, users in result.users.items()}
    document["seconds"] = {
        name: {str(second): _packed(measured) for second, measured in by.items()}
        for name, by in result.seconds.items()
    }
    draft = path.with_suffix(".draft")
    draft.write_bytes(gzip.compress(json.dumps(document, allow_nan=False).encode(), 6))
    draft.replace(path)


def read(path: Path) -> Result:
    """Read a result. Raises ResultError if it is not valid, damaged, or of another version."""
    try:
        with gzip.open(path) as file:
            text = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ResultError(f"{path.name}: {error}") from None
    if len(text) > MOST_BYTES:
        raise ResultError(f"{path.name}: more than {MOST_BYTES} bytes")
    try:
        document = of_json(text)
        schema = document["schema"]
        if schema not in READABLE:
            raise ResultError(
                f"{path.name}: expected schema {SCHEMA}, saw {schema}: made by another version, run it again"
            )
        visits = document.get("visits", {})
        return Result(
            **{
                **document,
                "visits": {int(second): (began, ended) for second, (began, ended) in visits.items()},
                "states": {name: tuple(some) for name, some in document.get("states", {}).items()},
                "generators": tuple(_typed(Generator, one) for one in document.get("generators", ())),
                "ramp": ramp_of(document["ramp"]),
                "problems": tuple(document["problems"]),
                "new_jobs": tuple(_typed(NewJob, job) for job in document.get("new_jobs", ())),
                "holds": tuple(
                    replace(_typed(Held, held), spoiled=tuple(held["spoiled"])) for held in document["holds"]
                ),
                "classes": tuple(document["classes"]),
                "failures": tuple(_typed(Problem, problem) for problem in document["failures"]),
                "users": {int(second): users for second, users in document["users"].items()},
                "seconds": {
                    name: {int(second): _unpacked(measured) for second, measured in by.items()}
                    for name, by in document["seconds"].items()
                },
            }
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ResultError(f"{path.name}: damaged: {type(error).__name__}: {error}") from None


def _typed(kind: type[T], document: Mapping[str, Any]) -> T:
    """One of a list. Raises TypeError if a text or a number of it is something else."""
    made = kind(**document)
    for name, value in document.items():
        hint = HINTS[kind][name]
        if hint in TYPES and (not isinstance(value, TYPES[hint]) or isinstance(value, bool)):
            raise TypeError(f"{name}: expected {hint}, saw {shortened(repr(value), 60)}")
    return made


def _packed(measured: Second) -> list[Any]:
    times = base64.b64encode(array("f", measured.times).tobytes()).decode()
    outcomes = [[status, reason, count] for (status, reason), count in measured.outcomes.items()]
    return [times, outcomes, [[seconds, count] for seconds, count in measured.over.items()]]


def _unpacked(packed: Sequence[Any]) -> Second:
    times, outcomes, over = packed
    measured = array("f")
    measured.frombytes(base64.b64decode(times, validate=True))
    for seconds, count in over:
        surely, perhaps = (sum(map((seconds * (1 + off)).__lt__, measured)) for off in (ROUNDED, -ROUNDED))
        if not surely <= count <= perhaps:
            raise ValueError(f"expected {surely} requests over {seconds:g} s, saw {count}")
    return Second(
        measured,
        {(status, reason): count for status, reason, count in outcomes},
        {float(seconds): count for seconds, count in over},
    )
