"""The command `noxgate gate`: pytest for one phase, and an exit status that is never a false GO."""

import argparse
import os
import sys
from pathlib import Path

from noxgate.errors import Exit, ProfileError
from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.project.which.rule import choose
from noxgate.reports import summary
from noxgate.run import results_file
from noxgate.run.pytest_program import LAST_WORD, RunEnded, run_pytest
from noxgate.run.results import Results
from noxgate.run.verdict import Verdict

GOES = {verdict.value for verdict in Verdict if verdict.exit is Exit.GO}
ERRORS = (RunbookError, OSError)


def gate(given: argparse.Namespace) -> int:
    """Run pytest for one phase; an exit status that is not a verdict counts as INCONCLUSIVE."""
    root: Path = given.root()
    try:
        choose(root, given.target)  # as pytest does, which says on its first line what named it
    except ProfileError as error:
        return _usage(given, str(error))
    # the first word alone: after an option of pytest, as in -k staging, it is that option's
    if given.pytest and given.pytest[0] in read_runbook(root / "runbook.toml").phases:
        return _usage(given, f"expected --phase {given.pytest[0]}, saw {given.pytest[0]!r} alone")
    words = ["-m", given.phase, *given.pytest]
    if given.target:
        # in one word: pytest would take a path that stands alone for a place to find its rootdir
        words.append(f"--target={given.target}")
    said = run_pytest(root, words, {LAST_WORD: "noxgate gate"})
    status = Exit(said.status) if said.status in set(Exit) else Exit.INCONCLUSIVE
    # a process that ended itself has given no verdict, and a word without its evidence is anybody's
    kept = _results(said.folder)
    if status is Exit.GO and (said.verdict not in GOES or kept is None or kept.verdict != said.verdict):
        print("noxgate: pytest ended without a verdict, or without its evidence", file=sys.stderr)
        status = Exit.INCONCLUSIVE
    _tell(given, root, status, said)
    return status


def _tell(given: argparse.Namespace, root: Path, status: Exit, said: RunEnded) -> None:
    """Where everything is, and what to do next, as the last words; and the summary, if one is asked for."""
    results = _results(said.folder)
    if said.folder is None or results is None:
        word = "wrong usage" if status is Exit.USAGE else "INCONCLUSIVE"
        _summarize(given, summary.of_words(word, [f"the run left no evidence: exit status {said.status}"]))
        return
    runbook = read_runbook(root / "runbook.toml")
    print(*summary.places(said.folder, os.path.relpath(said.folder)), sep="\n")
    if status in {Exit.NO_GO, Exit.INCONCLUSIVE} and (step := summary.first_next(results, runbook)):
        print(step)
    _summarize(given, summary.of_run(results, said.folder, runbook))


def _usage(given: argparse.Namespace, message: str) -> int:
    print(f"noxgate gate: {message}", file=sys.stderr)
    _summarize(given, summary.of_words("wrong usage", [message]))
    return Exit.USAGE


def _summarize(given: argparse.Namespace, text: str) -> None:
    if given.summary:
        with Path(given.summary).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")


def _results(folder: Path | None) -> Results | None:
    try:
        return results_file.read(folder) if folder else None
    except results_file.ResultsError:
        return None
