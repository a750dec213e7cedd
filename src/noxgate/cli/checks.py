"""The command `noxgate checks`: every runbook line, and the check that proves it."""

import argparse
import gc
from pathlib import Path

from noxgate.project.checks import CheckError, find_checks
from noxgate.project.runbook import Runbook, RunbookError, read_runbook

GO = 0
ERRORS = (RunbookError, CheckError)


def checks(given: argparse.Namespace) -> int:
    """Print every runbook line with its check."""
    gc.disable()  # nothing that is made here goes before the end, which is near
    root: Path = given.root()
    runbook = read_runbook(root / "runbook.toml")
    print(table_of_checks(runbook, root, markdown=given.markdown), end="")
    return GO


def table_of_checks(runbook: Runbook, root: Path, *, markdown: bool) -> str:
    """One row for each runbook line and each of its checks: id, ref, file:line, what is expected."""
    places: dict[str, list[str]] = {}
    for check in find_checks(root, runbook):
        # a page in the repository must not change with every edit of a file above the check
        place = f"`{check.node}`" if markdown else f"{check.file}:{check.line_number}"
        places.setdefault(check.line_id, []).append(place)
    out = ["# Every runbook line\n\nMade by `noxgate checks --markdown`.\n"] if markdown else []
    for phase in runbook.phases.values():
        lines = [line for line in runbook.lines.values() if line.phase == phase.name]
        out.append(f"## {phase.title}\n" if markdown else phase.title)
        if markdown:
            out.append("| line | ref | check | expected |\n|---|---|---|---|")
        for line in lines:
            if line.kind in {"human", "derived"}:
                place = {"human": "attested by a person", "derived": "follows from other lines"}[line.kind]
            else:
                place = ", ".join(places.get(line.id, [])) or "to come"
            expected = " ".join(line.expected.split())
            if markdown:
                escaped = expected.replace("|", "\\|")
                out.append(f"| `{line.id}` | {line.ref} | {place} | {escaped} |")
            else:
                out.append(f"  {line.id:<36} {line.ref:<8} {place}\n      {expected}")
        out.append("")
    return "\n".join(out)
