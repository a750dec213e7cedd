"""The names and numbers of levels, of every common logger, as its own documents give them (docs/LOGS.md)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Weight(Enum):
    """What a level means for a release."""

    GRAVE = "error or worse"
    WARNING = "warning"
    LESS = "less than a warning"


def _words(text: str) -> list[str]:
    return text.split()


GRAVE = """
    emerg emergency alert crit critical err error fatal panic dpanic severe fail failure disaster
    crt ftl pnc erro eror fata pani err! internal_error incident_error exception assert
    error2 error3 error4 fatal2 fatal3 fatal4
"""
WARNING = "warn warning wrn warn2 warn3 warn4"
LESS = """
    notice info information informational inf debug debu dbg dbug trace trac trce trc verbose verb vrb sill
    silly log note detail hint statement context query location config fine finer finest success ok audit
    system http timing notset info2 info3 info4 debug1 debug2 debug3 debug4 debug5
    trace1 trace2 trace3 trace4 trace5 trace6 trace7 trace8
"""
WEIGHTS = (
    dict.fromkeys(_words(GRAVE), Weight.GRAVE)
    | dict.fromkeys(_words(WARNING), Weight.WARNING)
    | dict.fromkeys(_words(LESS), Weight.LESS)
)
LETTERS = {
    **dict.fromkeys("EFCA", Weight.GRAVE),
    "W": Weight.WARNING,
    **dict.fromkeys("INDVT", Weight.LESS),
}
# Words that also mean something else: alone they are not a level, after a moment or before a colon they are.
WEAK = frozenset(
    _words(
        "alert fail failure exception assert disaster log note detail hint statement context query location"
        " config fine success ok audit system http timing verb"
    )
)
_OFFSET = re.compile(r"([A-Za-z]+)(?:[+-]\d+|: ?\d+)$")  # slog's ERROR+4, Oracle's ERROR:16
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Scale:
    """The numbers of a logger: from which on one is a warning, and an error; more is worse."""

    least: float
    most: float
    warning: float
    grave: float

    def weight(self, number: float) -> Weight | None:
        """What a number of this scale weighs; None for one that is outside."""
        if not self.least <= number <= self.most:
            return None
        if number >= self.grave:
            return Weight.GRAVE
        return Weight.WARNING if number >= self.warning else Weight.LESS


PYTHON = Scale(1, 1000, 30, 40)
OPEN_TELEMETRY = Scale(1, 24, 13, 17)  # 0 says nothing
GOOGLE = Scale(100, 800, 400, 500)  # 0 is DEFAULT
APPLICATION_INSIGHTS = Scale(0, 4, 2, 3)
DOTNET = Scale(0, 5, 3, 4)
NEXTCLOUD = Scale(0, 4, 2, 3)
TSLOG = Scale(0, 6, 4, 5)
PINO = Scale(8, 99, 40, 50)  # and Bunyan, roarr
MONOLOG = Scale(100, 600, 300, 400)
JAVA_UTIL_LOGGING = Scale(601, 4999, 900, 1000)
LOGBACK = Scale(5000, 2**31, 30_000, 40_000)  # and log4j
BELOW = Scale(-1000, -1, 0, 0)  # zap's and slog's, for debugging
_SYSLOG = Scale(-7, 0, -4, -3)  # falling: 0 is an emergency

_BY_KEY: Mapping[str, Sequence[Scale]] = {
    "severitynumber": [OPEN_TELEMETRY],
    "levelno": [PYTHON],
    "levelnumber": [PYTHON],  # structlog's
    "levelvalue": [LOGBACK],
    "severitylevel": [APPLICATION_INSIGHTS],
    "loglevelid": [TSLOG],
    "severity": [Scale(8, 24, 13, 17), GOOGLE],
}
_OF_LEVEL = [BELOW, PINO, MONOLOG, JAVA_UTIL_LOGGING, LOGBACK]
_OF_SYSLOG = frozenset(_words("priority syslogseverity severitycode"))
# Parts of a record of Python's logging, which no other logger calls so: the number beside them is its own.
_OF_PYTHON = frozenset(_words("lineno funcName func_name exc_info exc_text stack_info taskName"))


def of_name(text: str) -> Weight | None:
    """What a level of this name weighs; None for a name that no logger has."""
    name = _COLOUR.sub("", text).strip(" \t\r\n[]<>()\"'")
    name = name.removeprefix("SEVERITY_NUMBER_").removeprefix("SeverityNumber.")  # as OTLP has it, and Python
    if len(name) == 1:
        return LETTERS.get(name.upper())
    if with_offset := _OFFSET.match(name):
        name = with_offset[1]
    return WEIGHTS.get(name.lower())


def of_syslog(number: float) -> Weight | None:
    """RFC 5424: 0 is an emergency, 3 an error, 4 a warning, 7 is for debugging."""
    return _SYSLOG.weight(-number) if number == int(number) else None


def of_number(key: str, number: float, document: Mapping[str, Any]) -> Weight | None:
    """By the scale of the logger that writes this key, in small letters and without signs."""
    if number != number:  # noqa: PLR0124  # NaN
        return None
    if key in _OF_SYSLOG or "short_message" in document:  # GELF
        return of_syslog(number)
    if key == "loglevel" and "LogLevel" in document:
        return DOTNET.weight(number)
    if "reqId" in document and "app" in document:
        return NEXTCLOUD.weight(number)
    is_of_python = key in {"level", "lvl", "loglevel"} and not _OF_PYTHON.isdisjoint(document)
    scales = [PYTHON] if is_of_python else _BY_KEY.get(key, _OF_LEVEL)
    found = (scale.weight(number) for scale in scales)
    weight = next((each for each in found if each is not None), None)
    if weight is not None or number == 0 or key not in {"level", "lvl", "severity"}:
        return weight  # 0: syslog's emergency to one logger, to others nothing at all
    is_of_logr = next(iter(document), "") == "logger"  # how verbose a message is; its errors have no level
    return Weight.LESS if is_of_logr else of_syslog(number)
