"""Every sabotage, the line that it turns red, why, and how that is proven: a row for each.

    python -m tests_self.proof.rehearsal.register > tests_self/proof/rehearsal/sabotages.txt

CI compares the file with what is true now: so a sabotage that is lost, or is proven in a weaker way, is seen.
"""

import sys
from pathlib import Path

from nox_rehearsal.sabotages import SABOTAGES, Sabotage
from noxgate.project.checks import find_checks
from noxgate.project.runbook import read_runbook

ROOT = Path(__file__).parents[3]
FILE = Path(__file__).with_name("sabotages.txt")
FIRST = {sabotage.line: sabotage for sabotage in reversed(SABOTAGES)}.values()
TOPICS = {check.line_id: check.topic for check in find_checks(ROOT, read_runbook(ROOT / "runbook.toml"))}
# `make test` tries the first of each line, among all lines of its phase the first of each topic, and one with
# which all behind the same door is red; `make test-all` tries all, among all lines of its phase the first of
# each line: it takes longer than CI may.
BEHIND_ONE_DOOR = "staging.tls-certificate:other-host"
TRIED = sorted((*FIRST, *(one for one in SABOTAGES if one.id == BEHIND_ONE_DOOR)), key=SABOTAGES.index)
WHOLE = frozenset(
    sabotage.id for sabotage in {(one.phase, TOPICS.get(one.line)): one for one in reversed(TRIED)}.values()
) | {BEHIND_ONE_DOOR}
WHOLE_OF_ALL = frozenset(sabotage.id for sabotage in FIRST) | {BEHIND_ONE_DOOR}


def rows() -> list[str]:
    """Id, outcome, what must stand in the reason, the lines that are red with it, and where it is tried."""
    return [
        " | ".join(
            [one.id, one.outcome, one.because.replace("\n", " "), ", ".join(one.also) or "-", _proven(one)]
        )
        for one in SABOTAGES
    ]


def _proven(sabotage: Sabotage) -> str:
    if sabotage.id in WHOLE:
        return "make test: in a world, among its phase"
    return "make test: in a world" if sabotage in TRIED else "make test-all: in a world"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{row}\n" for row in rows()))
