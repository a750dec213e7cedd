"""The command `noxgate checks`: every runbook line, and the check that proves it."""

import argparse
import difflib
import gc
from collections.abc import Collection
from pathlib import Path

from noxgate.errors import CommandError, Exit
from noxgate.project.checks import CheckError, find_checks
from noxgate.project.keys.json_schema import of_runbook
from noxgate.project.runbook import Line, Runbook, RunbookError, read_runbook

ERRORS = (RunbookError, CheckError, CommandError)


def checks(given: argparse.Namespace) -> int:
    """Print every runbook line with its check."""
    if given.schema:
        print(of_runbook(), end="")
        return Exit.DONE
    gc.disable()  # nothing that is made here goes before the end, which is near
    root: Path = given.root()
    runbook = read_runbook(root / "runbook.toml")
    lines = chosen(runbook, given.what)
    print(table_of_checks(runbook, root, lines, markdown=given.markdown), end="")
    return Exit.DONE


def chosen(runbook: Runbook, what: str | None) -> list[Line]:
    """The lines of a phase, of an id or what it begins with, or of a reference such as RB-2.7; else all.

    Raises CommandError if it does not exist.
    """
    lines = list(runbook.lines.values())
    if what is None:
        return lines
    found = [line for line in lines if what in {line.phase, line.id} or what.upper() == line.ref]
    found = found or [line for line in lines if line.id.startswith(what)]
    if not found:
        known = [*runbook.phases, *runbook.lines, *dict.fromkeys(line.ref for line in lines)]
        near = difflib.get_close_matches(what, known, n=1)
        close = f"; did you mean {near[0]!r}?" if near else ""
        raise CommandError(f"expected a phase, a line or a reference like RB-2.7, saw {what!r}{close}")
    return found


def table_of_checks(
    runbook: Runbook, root: Path, chosen: Collection[Line] | None = None, *, markdown: bool
) -> str:
    """One row for each runbook line and each of its checks: id, ref, file:line, what is expected."""
    places: dict[str, list[str]] = {}
    for check in find_checks(root, runbook):
        # a page in the repository must not change with every edit of a file above the check
        place = f"`{check.node}`" if markdown else f"{check.file}:{check.line_number}"
        places.setdefault(check.line_id, []).append(place)
    out = ["# Every runbook line\n\nMade by `noxgate checks --markdown`.\n"] if markdown else []
    for phase in runbook.phases.values():
        lines = [line for line in runbook.lines.values() if line.phase == phase.name]
        lines = [line for line in lines if chosen is None or line in chosen]
        if not lines:
            continue
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
