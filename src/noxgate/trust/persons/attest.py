"""A person says what they saw of a runbook line that no machine can check."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from noxgate.errors import NoxgateError
from noxgate.project.keys.reading import guess
from noxgate.project.runbook import Line, Runbook
from noxgate.run.record import Record
from noxgate.trust.persons.people import NOBODY, Person, plain
from noxgate.trust.persons.proof import Said, lacking
from noxgate.trust.records import ATTESTATION, OPENED, SKEW, Chain, RecordError, latest
from noxgate.trust.signing import SigningKey

PASSED, FAILED = "passed", "failed"
OWN_KEY = "own_key"  # whether the release record gives the key to the person
# What is typed to get past a question says nothing of what was seen.
_NOTHING = re.compile(
    r"(ok(ay)?|done|y(es)?|good|fine|green|pass(ed)?|checked|seen|attested|true|n/?a)[.!]*", re.IGNORECASE
)
_KINDS = {
    "auto": "a check proves it: noxgate gate --target NAME --phase {phase}",
    "mutate": "a check proves it: noxgate gate --target NAME --phase {phase}",
    "derived": "it follows from other lines",
}


class AttestationError(NoxgateError):
    """What cannot be attested: one line saying what was expected, what was seen, what to do."""


def human_line(runbook: Runbook, line_id: str) -> Line:
    """The line of this id that a person attests."""
    line = runbook.lines.get(line_id)
    if line is None:
        humans = human_lines(runbook)
        hint = guess(line_id, [each.id for each in humans]) or guess(line_id, runbook.lines)
        raise AttestationError(f"no runbook line {line_id!r}{hint} (noxgate attest --list shows them)")
    if line.kind != "human":
        raise AttestationError(
            f"{line_id} is not a person's to attest: {_KINDS[line.kind].format(phase=line.phase)}"
        )
    return line


def human_lines(runbook: Runbook) -> list[Line]:
    """All lines that a person attests, in runbook order."""
    return [line for line in runbook.lines.values() if line.kind == "human"]


def attest(
    chain: Chain,
    key: SigningKey,
    line: Line,
    *,
    by: Person,
    saw: str,
    outcome: str = PASSED,
    now: datetime | None = None,
) -> Record:
    """Record that a person saw a line hold, or fail. Raises AttestationError or RecordError."""
    saw = plain("--saw", saw)
    if _NOTHING.fullmatch(saw) or saw in {line.id, line.expected}:
        raise AttestationError(f"--saw: expected what was seen, with a link or a number; saw {saw!r}")
    refuse_wrong_moment(line, chain.read(), now or datetime.now(UTC))
    nobody = chain.rehearsal and by.name == NOBODY
    if not nobody and (lack := lacking(line.proof, Said(saw, by, now or datetime.now().astimezone()))):
        raise AttestationError(f"--saw: {line.id} needs {lack}; saw {saw!r}")
    own = nobody or (by.key is not None and by.key == chain.name_of(key))
    data = {"outcome": outcome, OWN_KEY: own}
    return chain.append(key, kind=ATTESTATION, line=line.id, by=by.name, seen=saw, data=data, now=now)


def refuse_wrong_moment(line: Line, records: Sequence[Record], now: datetime) -> None:
    """A line with the limits `hour` and `late_minutes` is due that long after the window opened."""
    due = due_between(line, records)
    if due is None:
        return
    first, last = due
    if now < first:
        raise AttestationError(f"{line.id}: too early: due from {first:%Y-%m-%d %H:%M} UTC")
    if now > last:
        raise AttestationError(
            f"{line.id}: too late: was due until {last:%Y-%m-%d %H:%M} UTC, and is not made up for afterwards"
        )


def due_between(line: Line, records: Sequence[Record]) -> tuple[datetime, datetime] | None:
    """When a line is due; None if at any time."""
    if "hour" not in line.limits:
        return None
    opened = [record for record in records if record.kind == OPENED]
    if not opened:
        raise AttestationError(
            f"{line.id}: its hours count from the window's opening, and it has not been opened"
        )
    switched = opened[-1].data.get("switched")  # its hours count from there, as the checkpoints' do
    start = opened[-1].at if switched is None else datetime.fromisoformat(switched)
    first = start + timedelta(hours=line.limits["hour"])
    return first, first + timedelta(minutes=line.limits.get("late_minutes", 60))


def attestations(chain: Chain, hours: float, now: datetime | None = None) -> dict[str, Record]:
    """The newest attestation of each line that counts at `now`: neither older than `hours` nor yet to come.

    A rehearsal plays its days in minutes, so its times are not compared with the clock.
    """
    found = latest(chain.read(), ATTESTATION)
    now = now or datetime.now(UTC)
    if chain.rehearsal:
        return found
    ahead = [record for record in found.values() if record.at > now + SKEW]
    if ahead:
        raise RecordError(f"records of {chain.target}: record {ahead[0].number} is from the future")
    return {line: record for line, record in found.items() if now - record.at <= timedelta(hours=hours)}


def said_by(record: Record) -> str:
    """Who saw it, when, and what."""
    kind = ", rehearsal" if record.rehearsal and record.by != "rehearsal" else ""
    return f"{record.by}{kind}, {record.at:%Y-%m-%d %H:%M} UTC: {record.seen}"


def owed(lines: Iterable[Line], attested: dict[str, Record]) -> list[Line]:
    """The human lines that are not attested yet."""
    return [line for line in lines if line.kind == "human" and line.id not in attested]
