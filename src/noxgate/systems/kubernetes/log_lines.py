"""Which lines of a log say that something went wrong: by their level, or by a whole word."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noxgate.look.secret_forms import redacted, without_people

_LEVELS = ("level", "severity", "levelname", "lvl", "log.level", "loglevel")
_MESSAGES = ("message", "msg", "event")
_GRAVE = {"error", "err", "critical", "crit", "fatal", "emerg", "emergency", "alert", "panic"}
_GRAVE_NUMBER = 50  # pino's and bunyan's: 50 is error, 60 fatal
_WORD = re.compile(r"\b(error|critical|fatal|panic)\b|Traceback \(most recent call last\)", re.IGNORECASE)
_KLOG = re.compile(r"[EF]\d{4} \d\d:\d\d:\d\d")
# What names an error and says that there was none: "0 errors" does not, by whole words.
_NONE = re.compile(
    r"\b(?:no|0|zero|without(?: any| an)?)\s+(?:error|critical|fatal)\b"
    r"|\b(?:error|critical|fatal)(?:s|_count|_total)?[\"']?\s*[=:]\s*(?:0|0\.0+|null|none|nil|false|\"\"|'')(?![\w.])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Allowed:
    """A line that is known, and why it is harmless."""

    pattern: re.Pattern[str]
    reason: str


def is_grave(line: str) -> bool:
    """Whether a line reports an error: a structured one by its level, where it has one."""
    document = _document(line)
    if document is None:
        return _KLOG.match(line) is not None or _WORD.search(_NONE.sub(" ", line)) is not None
    level = _level(document)
    if level is None:
        said = " ".join(str(document[key]) for key in _MESSAGES if key in document) or line
        return _WORD.search(_NONE.sub(" ", said)) is not None
    if isinstance(level, int | float):
        return level >= _GRAVE_NUMBER
    return level.strip().lower() in _GRAVE


def unexpected(lines: Sequence[str], allowed: Sequence[Allowed]) -> list[str]:
    """The grave lines that nobody has allowed, without what could be a secret."""
    return [
        without_people(redacted(line))
        for line in lines
        if is_grave(line) and not any(each.pattern.search(line) for each in allowed)
    ]


def allow_list(path: Path | None) -> list[Allowed]:
    """The written list, [[allowed]] with pattern and reason; AssertionError for an entry without a reason."""
    if path is None:
        return []
    expected = f"{path.name}: expected [[allowed]] tables with a pattern and a reason"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssertionError(f"{expected}: {error}") from None
    found = []
    for number, entry in enumerate(document.get("allowed", []), start=1):
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


def _document(line: str) -> Mapping[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _level(document: Mapping[str, Any]) -> str | float | None:
    nested = document.get("log")
    for candidate in (document, nested if isinstance(nested, dict) else {}):
        for key in _LEVELS:
            value = candidate.get(key)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return value
    return None
