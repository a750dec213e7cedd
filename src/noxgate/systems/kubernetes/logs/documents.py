"""What a line says of itself that is a JSON document: by its level, else by what it holds."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noxgate.systems.kubernetes.logs import levels
from noxgate.systems.kubernetes.logs.levels import Weight

# Without signs and case, in the order in which they are believed.
_LEVELS = (
    *(
        "level",
        "lvl",
        "levelname",
        "loglevelname",
        "loglevel",
        "severitytext",
        "severity",
        "errorseverity",
        "severitynumber",
    ),
    *("l", "lev", "sev", "syslogseveritytext", "severityname", "severitylevel", "priority", "priorityname"),
)
_NUMBERS = (
    *("severitynumber", "levelno", "levelnumber", "levelvalue", "level", "lvl", "loglevel", "loglevelid"),
    *("severity", "severitylevel", "priority", "syslogseverity", "severitycode"),
)
_INSIDE = (
    *("log", "logprocessed", "record", "fields", "attributes", "meta"),
    *("context", "syslog", "severity", "level"),
)
_MESSAGES = ("message", "msg", "event", "shortmessage", "log", "body", "m", "mt", "text")
# Loggers that have another key for errors alone, such as Kubernetes' own JSON, and no level.
_ERRORS = (
    "err",
    "error",
    "errormessage",
    "exception",
    "excinfo",
    "stacktrace",
    "errorstacktrace",
    "thrown",
    "x",
)
_DATADOG = ("ddsource", "ddtags", "ddtraceid", "dd")
_STATUS = re.compile(
    r"emerg\w*|alert|crit\w*|err\w*|fatal|warn\w*|notice|info\w*|debug|trace|ok|success", re.IGNORECASE
)
_DECODER = json.JSONDecoder()
_BETWEEN = re.compile(r"^\{.*\}\s*\{", re.DOTALL)
_NESTED = 3  # how deep a level may lie

Json = Mapping[str, Any]


def document_of(line: str) -> dict[str, Any] | None:
    """The JSON object that a line is, or that stands at its end behind a moment or a name."""
    start = line.find("{")
    if start < 0 or not line.rstrip().endswith("}"):
        return None
    try:
        found = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def apart(line: str) -> list[str]:
    """Each of several JSON objects of a line; else the line."""
    found: list[str] = []
    if not _BETWEEN.search(line):
        return [line]
    start = 0
    while start < len(line):
        try:
            document, end = _DECODER.raw_decode(line, start)
        except (ValueError, RecursionError):
            return [line]
        if not isinstance(document, dict):
            return [line]
        end += len(line[end:]) - len(line[end:].lstrip())
        found.append(line[start:end])
        start = end
    return found


def weight_of(document: Json) -> Weight | None:
    """What the level of a document weighs; None if it says none that anybody knows."""
    records = list(_records(document))
    if records:
        found = {weight_of(record) for record in records}
        return next((weight for weight in Weight if weight in found), None)
    plain = _plain(document)
    return (
        _named(plain, document, _NESTED)
        or _datadog(plain)
        or _mongo(plain)
        # Serilog's compact form leaves the level out where it is Information
        or (Weight.LESS if {"@t", "@mt"} <= document.keys() or {"@t", "@m"} <= document.keys() else None)
    )


def said(document: Json) -> str | None:
    """The message, where there is one."""
    plain = _plain(document)
    if _labels_of_loki(plain) is not None:
        return str(plain["line"])
    found = [str(plain[key]) for key in _MESSAGES if isinstance(plain.get(key), str | int | float)]
    return " ".join(found) or None


def holds_an_error(document: Json) -> bool:
    """Whether a document without a level has something under a key that is for errors."""
    plain = _plain(document)
    return "v" not in plain and any(_is_something(plain.get(key)) for key in _ERRORS)


def weight_of_labels(document: Json) -> Weight | None:
    """What Loki's labels say of a line that says nothing itself."""
    labels = _labels_of_loki(_plain(document)) or {}
    found = (levels.of_name(name) for key in ("level", "detected_level") if (name := _name(labels.get(key))))
    return next((each for each in found if each is not None), None)


def _labels_of_loki(plain: Json) -> Json | None:
    """As logcli and Promtail write them beside a line; None if it is another document."""
    found = (plain[key] for key in ("labels", "stream") if isinstance(plain.get(key), dict))
    return next(found, None) if isinstance(plain.get("line"), str) else None


def is_of_journald(document: Json) -> bool:
    """Whether it is a record of journald's: what a service writes to its output has one priority there."""
    return {"MESSAGE", "PRIORITY"} <= document.keys() and any(key.startswith("_") for key in document)


def plain_key(key: str) -> str:
    """The key without case and signs: log.level, log_level, logLevel and @level are each one of two."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _is_something(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in {
            "",
            "0",
            "null",
            "none",
            "nil",
            "<nil>",
            "false",
            "undefined",
            "-",
        }
    return bool(value)


def _named(plain: Json, document: Json, deeper: int) -> Weight | None:
    """Names before numbers: where both are there, the number is on a scale of the logger's own."""
    keys = [key for key in _LEVELS if key != "loglevel" or "log.level" in document or _has_a_message(plain)]
    found = (levels.of_name(name) for key in keys if (name := _name(plain.get(key))) is not None)
    weight = next((each for each in found if each is not None), None)
    if weight is not None:
        return weight
    numbers = ((key, _number(plain.get(key))) for key in _NUMBERS)
    found = (levels.of_number(key, number, document) for key, number in numbers if number is not None)
    weight = next((each for each in found if each is not None), None)
    if weight is not None or not deeper:
        return weight
    inside = [plain[key] for key in _INSIDE if isinstance(plain.get(key), dict)]
    found = (_named(_plain(each), each, deeper - 1) for each in inside)
    return next((each for each in found if each is not None), None)


def _has_a_message(plain: Json) -> bool:
    """Whether something is told: else the level from which on a service logs stands among its settings."""
    return any(key in _MESSAGES or key in _ERRORS or key.endswith("message") for key in plain)


def _plain(document: Json) -> dict[str, Any]:
    plain = {plain_key(str(key)): value for key, value in document.items()}
    severity = plain.get("severity")
    if isinstance(severity, dict):  # ECS: log.syslog.severity
        name = severity.get("name", severity.get("text"))
        plain |= {"severityname": name, "severitycode": severity.get("code")}
        plain.setdefault("severitynumber", severity.get("number"))
    return plain


def _name(value: object) -> str | None:
    """A level's name; of Loguru and log4j, the name of an object."""
    if isinstance(value, dict):
        value = value.get("name")
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 2**40 else None
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,6}", value.strip()):
        return float(value)
    return None


def _datadog(plain: Json) -> Weight | None:
    """Datadog's `status`: its own agent's by first letter and number, else by whole names; not of HTTP."""
    status = plain.get("status")
    if any(key in plain for key in _DATADOG):
        number = _number(status)
        if number is not None:
            return levels.of_syslog(number)
        if isinstance(status, str) and status:
            first = status[0].lower()
            is_grave = first in "fac" or status.lower().startswith(("emerg", "err"))
            return Weight.GRAVE if is_grave else Weight.WARNING if first == "w" else Weight.LESS
    if isinstance(status, str) and _STATUS.fullmatch(status.strip()):
        return levels.of_name(status) or Weight.LESS
    return None


def _mongo(plain: Json) -> Weight | None:
    """MongoDB's: s for severity, c for component."""
    severity = plain.get("s")
    if isinstance(severity, str) and "c" in plain and "t" in plain and re.fullmatch(r"[FEWI]|D\d", severity):
        return levels.LETTERS[severity[0]]
    return None


def _records(document: Json) -> Iterator[Json]:
    """The records of OpenTelemetry's own form, in which a line holds many."""
    for resource in _list(document.get("resourceLogs")):
        for scope in _list(resource.get("scopeLogs")):
            yield from _list(scope.get("logRecords"))


def _list(value: object) -> Sequence[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
