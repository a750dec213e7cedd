"""What a person's record must hold, so that somebody else can look again: `proof` of a runbook line.

Words prove nothing. What is asked for here is what somebody who looked has at hand.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from noxgate.project.release_facts import link_problem
from noxgate.trust.persons.people import Person
from noxgate.trust.records import SKEW

_LINK = re.compile(r"https?://[^\s<>\"')]+", re.IGNORECASE)
_TICKET = re.compile(r"\b[A-Z][A-Z0-9]+-\d+\b|(?<!\w)#\d+\b|\bINC\d{4,}\b")
_NUMBER = re.compile(r"(?<![\w.:-])\d+(?![\w:-])")
_TIME = re.compile(
    r"(?<![\d:.-])(?:(?P<day>\d{4}-\d\d-\d\d)[T ])?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d)?(?!:?\d)"
    r" ?(?P<half>[ap]m\b)? ?(?P<zone>Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d(?!\d))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
    """What a person says they saw; `now` has a zone."""

    saw: str
    by: Person
    now: datetime


def lacking(proof: Iterable[str], said: Said) -> str | None:
    """What --saw lacks of what a line asks for, or says that cannot be, in words; None if nothing."""
    found = (problem for one in proof if (problem := PROOFS[one](said)))
    return next(found, None)


def _link(said: Said) -> str | None:
    links = [match[0].rstrip(".,;:") for match in _LINK.finditer(said.saw)]
    if not links:
        return "the link of what was seen, as https://…"
    problems = [link_problem(link) for link in links]
    return f"a link that leads somewhere: {links[0]} {problems[0]}" if all(problems) else None


def _ticket(said: Said) -> str | None:
    return None if _TICKET.search(_LINK.sub(" ", said.saw)) else "the ticket's number, as NOX-812 or #812"


def _number(said: Said) -> str | None:
    plain = _TIME.sub(" ", _TICKET.sub(" ", _LINK.sub(" ", said.saw)))
    return None if _NUMBER.search(plain) else "how many were seen, as a number (0 is one)"


def _time(said: Said) -> str | None:
    """A time of the past. One without a day is of today, one without a zone by this machine's."""
    times = [_moment(match, said.now) for match in _TIME.finditer(_LINK.sub(" ", said.saw))]
    known = [moment for moment in times if moment is not None]
    if not known:
        return "when it was seen, as 14:05"
    if min(known) > said.now + SKEW:
        return (
            f"a time that is over: {min(known).astimezone(UTC):%Y-%m-%d %H:%M} UTC is still to come "
            "(another day's or zone's is written as 2026-01-31 14:05+01:00)"
        )
    return None


def _person(said: Said) -> str | None:
    plain = f" {' '.join(said.saw.split()).casefold()} "
    if any(re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", plain) for name in said.by.others):
        return None
    known = ", ".join(said.by.others) or "the release record, which names no other"
    return f"who was told, apart from {said.by.name}: one of {known}"


PROOFS: Mapping[str, Callable[[Said], str | None]] = {
    "link": _link,
    "ticket": _ticket,
    "number": _number,
    "time": _time,
    "person": _person,
}


def _moment(match: re.Match[str], now: datetime) -> datetime | None:
    """The moment that a time in a text is; None if it is not valid, as 31:00 or 1:10."""
    hour, minute, half = int(match["hour"]), int(match["minute"]), (match["half"] or "").lower()
    if not half and len(match["hour"]) == 1:
        return None  # 1:10 is a share as well
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    zone = _zone(match["zone"] or "")
    here = now.astimezone(zone)
    try:
        day = datetime.fromisoformat(match["day"]) if match["day"] else here
        naive = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 (its zone comes next)
        return (naive.replace(tzinfo=zone) if zone else naive.astimezone()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str) -> timezone | None:
    """The zone that a time names; None if it does not."""
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if text[0] == "-" else away) if away < timedelta(hours=24) else None
