"""A run in short: where everything is, what to do next, and the table for a CI server's summary page.

Works on the results as they are kept: every secret is gone from them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from noxgate.project.runbook import Runbook
from noxgate.run.causes import Shared, Told, next_of, next_of_all, shared
from noxgate.run.results import Judged, Results
from noxgate.run.results_file import NAME
from noxgate.run.verdict import Outcome
from noxgate.trust.seal import ENVELOPE

FILES = {"report": "report.html", "results": NAME, "signature": ENVELOPE}
LONGEST = 300  # characters of a reason in a table


def places(folder: Path, shown: str) -> list[str]:
    """Where each thing of a run is; `shown` is how the folder is to be named."""
    rows = [f"{what:<11}{shown}/{name}" for what, name in FILES.items() if (folder / name).is_file()]
    if not (folder / ENVELOPE).is_file():
        rows.append(f"{'signature':<11}none: the run is not signed")
    return rows


def first_next(results: Results, runbook: Runbook) -> str | None:
    """What to do about the first line that failed, in runbook order, or what it has in common with others.

    If none did, about what keeps most lines from being looked at; None if they have nothing in common.
    """
    causes, target = _causes(results), names(results)["target"]
    step = next_of_all(causes, target)
    for result in results.lines:
        if result.outcome is Outcome.FAILED and result.id in runbook.lines:
            common = next_of(causes, result.id, target)
            step = common or f"{result.id}: {runbook.lines[result.id].next_on(names(results))}"
            break
    return f"{'Next':<11}{' '.join(step.split())}" if step else None


def _causes(results: Results) -> list[Shared]:
    """What many lines have in common."""
    told = [
        Told(
            line.id,
            line.outcome,
            line.reason,
            [look.seen for one in line.checks for look in one.observations],
        )
        for line in results.lines
    ]
    return shared(told, results.target.base_url)


def names(results: Results) -> Mapping[str, str]:
    """What the run's target calls its namespaces; a run of an earlier version says one of them."""
    target = results.target
    return {"target": target.name, "namespace": target.namespace, **target.names}


def word(results: Results) -> str:
    """The verdict."""
    return f"{results.verdict} (rehearsal)" if results.target.rehearsal else str(results.verdict)


def where(results: Results) -> str:
    """Of what, and how many lines came to which outcome."""
    counts = Counter(line.outcome for line in results.lines)
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in reversed(Outcome) if counts[outcome])
    of = f"{'+'.join(results.phases)}, release {results.release} on {results.target.name}"
    led = ", ".join(f"{name}={value}" for name, value in results.target.overrides.items())
    of += f" ({led})" if led else ""
    return f"{of}: {said or 'no line of the runbook is due'}"


def of_run(results: Results, folder: Path, runbook: Runbook) -> str:
    """The verdict table of a run, in Markdown: what is not passed first, the rest folded away."""
    order = [*reversed(Outcome)]
    lines = sorted(results.lines, key=lambda line: order.index(line.outcome))
    parts = [f"## {plain(word(results))}", "", plain(where(results)), ""]
    parts += [f"- {plain(doubt)}" for doubt in results.doubts]
    open_lines = [line for line in lines if line.outcome is not Outcome.PASSED]
    if open_lines:
        parts += ["", *_table(open_lines, runbook, names(results))]
    passed = [line for line in lines if line.outcome is Outcome.PASSED]
    if passed:
        parts += ["", f"<details><summary>{len(passed)} passed</summary>", ""]
        parts += [*_table(passed, runbook, names(results)), "", "</details>"]
    signed = "signed" if (folder / ENVELOPE).is_file() else "not signed"
    parts += ["", plain(f"evidence: {folder.name}, {signed}; {results.target.base_url}"), ""]
    return "\n".join(parts)


def of_words(title: str, rows: Sequence[str]) -> str:
    """The same for what has no results: a verification, or a run that came to no verdict."""
    return "\n".join([f"## {plain(title)}", "", *(f"- {plain(row)}" for row in rows), ""])


def plain(text: object) -> str:
    """Text in Markdown that stays text: an answer of the target must not become a picture or a link."""
    one_line = " ".join(str(text).split())
    shown = re.sub(r"[^\w\s,.;/%'=?-]", lambda match: f"&#{ord(match[0])};", one_line)
    return re.sub(r"(?i)(?<=\bwww)\.", "\u2060.", shown)


def _table(lines: Iterable[Judged], runbook: Runbook, target: Mapping[str, str]) -> Iterator[str]:
    yield "| outcome | line | what was seen | next |"
    yield "|---|---|---|---|"
    for line in lines:
        known = runbook.lines.get(line.id)
        todo = known.next_on(target) if known and line.outcome is Outcome.FAILED else ""
        cells = (line.outcome, line.id, _seen(line), todo)
        yield f"| {' | '.join(plain(_cut(cell)) for cell in cells)} |"


def _seen(line: Judged) -> str:
    if waiver := line.waiver:
        return f"{line.reason} (waived by {waiver.owner} until {waiver.expires}: {waiver.reason})"
    if line.reason:
        return line.reason
    if line.attestation:
        return f"{line.attestation.by} saw: {line.attestation.seen}"
    return "; ".join(look.seen for check in line.checks for look in check.observations[-1:])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
