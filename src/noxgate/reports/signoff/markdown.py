"""SIGN-OFF.md: the same for a pull request."""

import re
from collections.abc import Iterator, Sequence

from noxgate.reports.signoff.derived import took
from noxgate.reports.signoff.metrics import key_metrics
from noxgate.reports.signoff.model import Shown, ShownLine, SignOff, Word
from noxgate.reports.signoff.page import SIGNS, VERDICT_SIGNS, moment, number, sections, summary, title

MOST = 200  # characters of what was seen: the page and the runs have all of it


def markdown(page: SignOff) -> str:
    """The whole text."""
    return "\n".join(_blocks(page)) + "\n"


def _blocks(page: SignOff) -> Iterator[str]:
    yield f"# {VERDICT_SIGNS[page.verdict]} {page.headline}: {page.service} {page.release}\n"
    if page.rehearsal:
        yield "> **REHEARSAL.** Played on one machine against stand-ins: it signs nothing off.\n"
    yield f"{plain(summary(page))}\n"
    yield from _table(
        ("Status", "Release engineer", "Traffic switched", "Next review"),
        [
            (
                f"{page.status}{' (rehearsal)' if page.rehearsal else ''}",
                plain(page.engineer) or "not known",
                moment(page.switched),
                moment(page.next_review),
            )
        ],
    )
    yield from (f"- {plain(target)}: {plain(address)}" for target, address in page.places())
    yield ""
    yield "## Phases\n"
    yield from _table(
        ("Phase", "Outcome", "Lines passed", "Time", "Began", "Signature"),
        [
            (
                phase.phase.title,
                f"{VERDICT_SIGNS[phase.verdict]} {phase.verdict}" if phase.run else "**no run**",
                f"{phase.count(Shown.PASSED)} of {len(phase.lines)}",
                took([phase]) if phase.run else moment(None),
                moment(phase.run.started) if phase.run else moment(None),
                plain(str(phase.run.seal)) if phase.run else moment(None),
            )
            for phase in page.phases
        ],
    )
    yield from _held(page)
    yield "## Completion\n"
    completion = [shown for shown in page.derived if shown.line.section.startswith("Completion")]
    for heading, lines in sections(completion):
        yield f"**{heading.removeprefix('Completion · ')}**\n"
        for shown in lines:
            why = (
                ""
                if shown.outcome is Shown.PASSED
                else f": {shown.outcome}, {plain(shown.reason or shown.seen)}"
            )
            yield f"- {SIGNS[shown.outcome]} {title(shown)}{why}"
        yield ""
    yield from _metrics(page)
    yield from _people(page)
    yield "## The runbook, line by line\n"
    for phase in page.phases:
        yield from _lines(phase.phase.title, phase.lines)
    yield from _lines("Completion and sign-off", page.derived)
    yield f"Made {moment(page.made)}. Not the evidence: `noxgate verify {page.release}` verifies the runs."


def _held(page: SignOff) -> Iterator[str]:
    held = page.held_lines()
    if held or page.problems or page.unbelieved():
        yield "## Held back by\n"
        yield from (f"- runs: {plain(problem)}" for problem in page.problems)
        yield from (f"- {plain(phase.phase.title)}: {plain(phase.against())}" for phase in page.unbelieved())
        yield from (
            f"- {SIGNS[one.outcome]} `{one.line.id}` {one.outcome}: {plain(one.reason)}" for one in held
        )
        yield ""


def _metrics(page: SignOff) -> Iterator[str]:
    rows = [
        (
            one.name,
            "no number" if one.value is None else f"{number(one.value)} {one.unit}",
            f"{SIGNS[one.within.outcome]} {number(one.target)} {one.unit}",
            f"{SIGNS[one.beyond.outcome]} {number(one.critical)} {one.unit}",
        )
        for one in key_metrics(page.lines())
    ]
    if rows:
        yield "## Key metrics\n"
        yield from _table(("Metric", "Measured", "Target", "Critical"), rows)


def _people(page: SignOff) -> Iterator[str]:
    lines = page.lines().values()
    waived = [
        (f"`{one.line.id}`", plain(one.waiver.owner), plain(one.waiver.expires), plain(one.waiver.reason))
        for one in lines
        if one.waiver
    ]
    attested = [
        (f"`{one.line.id}`", str(one.outcome), plain(_by(one.word)), one.word.at, plain(one.word.seen))
        for one in lines
        if one.word
    ]
    if waived:
        yield "## Waivers\n"
        yield from _table(("Line", "Accepted by", "Until", "Why"), waived)
    if attested:
        yield "## Attestations\n"
        yield from _table(("Line", "Outcome", "By", "When", "Saw"), attested)


def _by(word: Word) -> str:
    return f"{word.by} ({word.key})" if word.key else word.by


def _lines(name: str, lines: Sequence[ShownLine]) -> Iterator[str]:
    passed = sum(shown.outcome is Shown.PASSED for shown in lines)
    yield f"<details><summary>{plain(name)}: {passed} of {len(lines)} passed</summary>\n"
    yield from _table(
        ("", "Line", "Seen"),
        [(SIGNS[one.outcome], f"`{one.line.id}` {one.outcome}", plain(_seen(one))) for one in lines],
    )
    yield "</details>\n"


def _seen(shown: ShownLine) -> str:
    looks = [look for check in shown.checks for look in check.looks]
    word = f"{shown.word.by}: {shown.word.seen}" if shown.word else ""
    return shown.reason or shown.seen or word or (looks[-1].seen if looks else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def plain(text: str) -> str:
    """Text that Markdown shows as it is: links, images, HTML and mentions by @ are escaped."""
    short = text if len(text) <= MOST else f"{text[:MOST]}…"
    short = short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u2060")
    short = re.sub(r"(?i)(?<=\bwww)\.", "\u2060.", short)
    short = re.sub(r"([\\`*_{}\[\]()#!|~])", r"\\\1", short)
    return short.replace("://", ":\u2060//")
