"""What a load test owes to its own generator: such a result says nothing of the target, good or bad."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from noxgate.slo.holds import Bad
from noxgate.slo.result import Result
from noxgate.slo.slos import Slo, SloOutcome
from noxgate.slo.table import incomplete, judgements_of, new_jobs_amiss

NAME = "run-again.txt"  # in a result's folder: why it was run again, and does not count
_OWN = ("the generator was late", "the generator was busy")


def late_or_busy(result: Result) -> str:
    """How the generator did not keep up; empty if it did."""
    return "; ".join(dict.fromkeys(why for held in result.holds for why in held.spoiled if _is_own(why)))


def alone(result: Result, slos: Sequence[Slo]) -> str:
    """The same where it is the one thing that is wrong.

    Empty if requests or jobs failed, too: no late generator makes a wrong answer of a right one.
    """
    others = [why for held in result.holds for why in held.spoiled if not _is_own(why)]
    in_time = replace(result, holds=tuple(replace(held, spoiled=()) for held in result.holds))
    answers = [slo for slo in slos if slo.bad is not Bad.SLOW]
    failed = [
        one for slo in answers for one in judgements_of(in_time, slo) if one.outcome is SloOutcome.FAILED
    ]
    jobs = result.right != result.accepted or any(new_jobs_amiss(result))
    if others or incomplete(result) or failed or jobs:
        return ""
    return late_or_busy(result)


def mark_repeated(folder: Path, why: str) -> None:
    """Say in a result's folder why it was run again."""
    (folder / NAME).write_text(f"{why}\n", encoding="utf-8")


def repeated_before(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """The results that the last of these was run in place of, the oldest first, each with the reason."""
    found: list[tuple[Path, str]] = []
    for folder in reversed(folders[:-1]):
        note = folder / NAME
        if not note.is_file():
            break
        found.insert(0, (folder, note.read_text(encoding="utf-8", errors="replace").strip()))
    return found


def _is_own(why: str) -> bool:
    return why.startswith(_OWN)
