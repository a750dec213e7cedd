"""Schedules of cron jobs, refused in the words of the library that the server reads them with."""

import re
from collections.abc import Iterator

from kube_standin.wire.causes import Cause, invalid, show

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# field: its least and greatest number, and its names
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(DAYS)}),
)
DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
ZONE = re.compile(r"(CRON_)?TZ=")


class ScheduleError(ValueError):
    """A schedule that the library cannot read."""


def schedule(text: str, path: str) -> Iterator[Cause]:
    """What is wrong with a schedule."""
    if "TZ" in text:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid(path, show(text), why)
        text = ZONE.sub("", text).partition(" ")[2] if ZONE.match(text) else text
    try:
        _read(text)
    except ScheduleError as error:
        yield invalid(path, show(text), str(error))


def _read(text: str) -> None:
    if text.startswith("@"):
        if text not in DESCRIPTORS and not re.fullmatch(r"@every (\d+(\.\d+)?(h|ms|m|s|us|ns))+", text):
            raise ScheduleError(f"unrecognized descriptor: {text}")
        return
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    for field, (least, most, names) in zip(fields, FIELDS, strict=True):
        for part in filter(None, field.split(",")):
            _range(part, least, most, names)


def _range(text: str, least: int, most: int, names: dict[str, int]) -> None:
    bounds, slash, step = text.partition("/")
    low, hyphen, high = bounds.partition("-")
    if low in {"*", "?"}:
        start, end = least, most
    else:
        start = end = _number(low, names)
        if "-" in high:
            raise ScheduleError(f"too many hyphens: {text}")
        if hyphen:
            end = _number(high, names)
    if "/" in step:
        raise ScheduleError(f"too many slashes: {text}")
    every = _number(step, {}) if slash else 1
    if slash and not hyphen and low not in {"*", "?"}:
        end = most
    if start < least:
        raise ScheduleError(f"beginning of range ({start}) below minimum ({least}): {text}")
    if end > most:
        raise ScheduleError(f"end of range ({end}) above maximum ({most}): {text}")
    if start > end:
        raise ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if every == 0:
        raise ScheduleError(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        why = f"strconv.Atoi: parsing {show(text)}: invalid syntax"
        raise ScheduleError(f"failed to parse int from {text}: {why}")
    if int(text) < 0:
        raise ScheduleError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
