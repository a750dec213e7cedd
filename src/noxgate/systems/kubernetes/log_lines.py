"""Which lines of a log say that something went wrong: by their level, or by a whole word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noxgate.look.documents import of_toml
from noxgate.look.observation import shortened
from noxgate.look.secret_forms import redacted, without_people
from noxgate.systems.kubernetes.logs.events import graves
from noxgate.systems.kubernetes.logs.plain import bare


@dataclass(frozen=True)
class Allowed:
    """A line that is known, and why it is harmless."""

    pattern: re.Pattern[str]
    reason: str


def is_grave(line: str) -> bool:
    """Whether a line reports an error: by the level that it says, else by what it is (docs/LOGS.md)."""
    return any(True for _ in graves(line.split("\n")))


def count_grave(lines: Sequence[str]) -> int:
    """How many events of these lines report an error."""
    return sum(1 for _ in graves(lines))


def unexpected_events(lines: Sequence[str], allowed: Sequence[Allowed], mark: str = "") -> list[str]:
    """The grave events that are not allowed, each in one line, without what could be a secret.

    One that has the `mark` is about a request of this gate's own, which was to be refused.
    """
    return [
        shown(event.lines)
        for event in graves(lines)
        if not (mark and mark in "\n".join(event.lines)) and allowing(event.lines, allowed) is None
    ]


def allowing(lines: Sequence[str], allowed: Sequence[Allowed]) -> Allowed | None:
    """The entry that knows an event, if there is one."""
    text = bare("\n".join(lines))
    return next((each for each in allowed if each.pattern.search(text)), None)


def shown(lines: Sequence[str]) -> str:
    """How an event begins and, where it has more lines, what it says at the end: a traceback's exception."""
    said = [line for line in without_people(redacted(bare("\n".join(lines)))).splitlines() if line.strip()]
    if not said[1:]:
        return " ".join(said)
    last = next((line for line in reversed(said[1:]) if not line[0].isspace()), said[-1])
    return f"{said[0]} … {last.strip()} ({len(lines)} lines)"


def allow_list(path: Path | None) -> list[Allowed]:
    """The written list, [[allowed]] with pattern and reason.

    Raises AssertionError for an entry without a reason.
    """
    if path is None:
        return []
    expected = f"{path.name}: expected [[allowed]] tables with a pattern and a reason"
    try:
        document = of_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssertionError(f"{expected}: {error}") from None
    entries = document.get("allowed", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AssertionError(f"{expected}, saw {shortened(str(entries), 60)}")
    found = []
    for number, entry in enumerate(entries, start=1):
        pattern, reason = entry.get("pattern"), entry.get("reason")
        if not isinstance(pattern, str) or not isinstance(reason, str) or not reason.strip():
            raise AssertionError(f"{expected}, saw entry {number} with {', '.join(entry) or 'nothing'}")
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise AssertionError(f"{path.name}: entry {number}: {error}") from None
        if compiled.search("") is not None:
            raise AssertionError(f"{path.name}: entry {number}: {pattern!r} fits every line")
        found.append(Allowed(compiled, reason))
    if document.keys() - {"allowed"}:
        raise AssertionError(f"{expected}, saw {', '.join(document)}")
    return found
