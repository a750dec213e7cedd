"""report.html: the runbook's words in pytest-html's table, and the verdict above it."""

import json
import os
import re
from collections.abc import Sequence
from html import escape, unescape
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from noxgate.look.observation import shortened
from noxgate.look.wording import NONE, counted
from noxgate.plugin.gate import Gate
from noxgate.plugin.looking import LINE, OUTCOME, REASON, SEEN, explanation, next_step, without_time
from noxgate.reports.pictures import address
from noxgate.reports.signoff.derived import clock
from noxgate.run.causes import Shared, grouped, next_of
from noxgate.run.verdict import WAS_NOT_RUN, LineResult, Outcome
from noxgate.trust.persons.attest import said_by

# What to do, who accepted it, who said so: of each line its own.
ALONE = {Outcome.FAILED, Outcome.WAIVED, Outcome.PASSED}
WHY_NARROWED = "were not selected: the whole phase counts"
ROW = r"^(?=(Runbook|Expected|Seen|Repeat|Next) )"
CSS = Path(__file__).with_name("report.css")

# The outcomes that pytest-html's script knows: on another it ends, and rows and buttons are missing.
_KNOWN = ("passed", "skipped", "failed", "error", "xfailed", "xpassed", "rerun")
_DATA = re.compile(r'(data-jsonblob=")([^"]*)"')  # what its table is made of
_HEAD = "<!-- verdict -->"  # around the verdict, which is known only after pytest-html has written
SABOTAGE = "NOXGATE_SABOTAGE"  # what a rehearsal has broken on purpose


def finish(path: Path, gate: Gate) -> None:
    """Write the verdict above the written report's table, whose rows come in the runbook's order.

    May be called again, when the run has come into doubt. A report that is not there stays so.
    """
    if not path.is_file():
        return
    above, *middle, below = path.read_text(encoding="utf-8").split(_HEAD)
    if not middle or not _DATA.search(below):
        raise ValueError(
            f"{path.name}: expected a page as pytest-html makes it, saw another: its version changed"
        )
    lines = gate.judgement.lines if gate.judgement else ()
    nodes = [check.node for line in lines for check in line.checks]
    table = _DATA.sub(lambda found: f'{found[1]}{_ordered(found[2], nodes)}"', below)
    path.write_text(_HEAD.join((above, _head(gate), table)), encoding="utf-8")


def _ordered(data: str, nodes: Sequence[str]) -> str:
    """The table's data, whose rows are shown in their own order; the cells say what the outcome is."""
    found = json.loads(unescape(data))
    tests = {node: [_known(row) for row in rows] for node, rows in found["tests"].items()}
    first = {node: tests[node] for node in nodes if node in tests}
    return escape(json.dumps({**found, "initialSort": "original", "tests": {**first, **tests}}))


def _known(row: dict[str, Any]) -> dict[str, Any]:
    return row if row["result"].lower() in _KNOWN else {**row, "result": "skipped"}


def _picture(path: Path) -> str:
    name = escape(path.parent.name)
    return f"<img class='picture' alt='load test {name}' src='{address(path.read_bytes())}'>"


def _is_left_out(result: LineResult) -> bool:
    return result.outcome is Outcome.NOT_RUN and result.reason == WAS_NOT_RUN


def _row(outcome: str, what: str, why: str, *more: str) -> str:
    spans = "".join(f"<span class='next'>{escape(each)}</span>" for each in more)
    shown = f"<td class='{outcome.replace(' ', '-')}'>{outcome}</td><td>{escape(what)}</td>"
    return f"<tr>{shown}<td>{escape(why)}{spans}</td></tr>"


def _head(gate: Gate) -> str:
    """The verdict, why the run is in doubt, and every line that is open, worst first."""
    if gate.judgement is None or gate.target is None:
        return ""
    verdict = str(gate.judgement.verdict)
    word, _, rest = gate.headline().partition("  ")
    where = f"{escape(gate.target.base_url)} · {gate.started:%Y-%m-%d %H:%M:%S} UTC"
    said = f"<b>{escape(word)}</b>{escape(rest)}<span>{where}</span>"
    parts = [f"<div class='verdict {verdict.lower().replace(' ', '-')}'>{said}</div>"]
    broken = os.environ.get(SABOTAGE, "")
    if broken and gate.target.rehearsal:
        parts.append(f"<p>Broken on purpose: {escape(broken)}</p>")
    parts += [f"<p class='doubt'>{escape(doubt)}</p>" for doubt in gate.doubts]
    parts += [
        f"<p class='cause'><b>{escape(str(cause))}</b><span>{escape(', '.join(cause.ids))}</span>"
        f"<span class='next'>{escape(_next(cause, gate.names['target']))}</span></p>"
        for cause in gate.causes()
    ]
    if rows := _open_lines(gate, gate.judgement.lines):
        parts.append(f"<table class='open-lines'>{''.join(rows)}</table>")
    parts += [_picture(path) for folder in gate.kept for path in sorted(folder.glob("*.svg"))]
    return "".join(parts)


def _next(cause: Shared, target: str) -> str:
    return f"Next: {next_of([cause], cause.ids[0], target)}"


def _open_lines(gate: Gate, lines: Sequence[LineResult]) -> list[str]:
    """A row for each; where several could not be judged for one reason, one row that names them.

    Those that have a cause in common are named beside that; what each saw is in the table of checks.
    """
    told = {id_ for cause in gate.causes() for id_ in cause.ids}
    worst_first = sorted(lines, key=lambda result: list(Outcome).index(result.outcome), reverse=True)
    listed = [
        result
        for result in worst_first
        if not _is_left_out(result)
        and result.line.id not in told
        and (result.outcome is not Outcome.PASSED or result.attestation is not None)
    ]
    rows = []
    for outcome, results in groupby(listed, key=lambda result: result.outcome):
        if outcome not in ALONE:
            rows += [
                _row(outcome, f"{len(alike)} lines", cause, ", ".join(each.line.id for each in alike))
                if alike[1:]
                else _open_line(gate, alike[0])
                for cause, alike in grouped((result, result.reason) for result in results)
            ]
        else:
            rows += [_open_line(gate, result) for result in results]
    if left_out := [result.line.id for result in worst_first if _is_left_out(result)]:
        many = f"{len(left_out)} line{'s' if left_out[1:] else ''}"
        rows.append(_row(Outcome.NOT_RUN, many, ", ".join(left_out), WHY_NARROWED))
    return rows


def _open_line(gate: Gate, result: LineResult) -> str:
    reason = result.reason
    if result.outcome is Outcome.PASSED and result.attestation is not None:
        reason = said_by(result.attestation)
    more = [str(result.waiver)] if result.outcome is Outcome.WAIVED else []
    if result.outcome is Outcome.FAILED:
        more = [f"Next: {next_step(gate, result.line)}"]
        reason = f"{result.line.expected} Seen: {reason.removeprefix(NONE)}"
    return _row(result.outcome, result.line.id, reason, *more)


class HtmlReport:
    """Hooks of pytest-html."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def pytest_html_report_title(self, report: Any) -> None:
        report.title = (
            f"Release gate: {self._gate.runbook.service.title} {self._gate.runbook.release.version}"
        )

    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Keep a place for the verdict."""
        prefix.append(2 * _HEAD)

    def pytest_html_duration_format(self, duration: float) -> str:
        """As the sign-off page has it; pytest-html's own has two forms, 29 ms and 00:00:02.

        Its script sorts a column by what stands in the cells, as texts: the milliseconds come first in them.
        """
        return f'<data value="{round(1000 * duration):010}">{clock(duration)}</data>'

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells[1:] = [
            '<th class="sortable" data-column-type="line">Runbook line</th>',
            '<th class="sortable" data-column-type="ref">Ref</th>',
            "<th>Expected</th>",
            "<th>Seen</th>",
            '<th class="sortable" data-column-type="time">Time</th>',
        ]

    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        properties = dict(getattr(report, "user_properties", ()))  # a collection error does not have one
        if LINE not in properties:
            return
        line = self._gate.runbook.lines[str(properties[LINE])]
        outcome = str(properties.get(OUTCOME, Outcome.FAILED))
        looks = [str(text) for name, text in report.user_properties if name == SEEN]
        if len(looks) > 1:
            looks = counted(without_time(text) for text in looks)
        seen = str(properties.get(REASON) or " · ".join(looks)).removeprefix(NONE)
        cells[:] = [
            f'<td class="col-result {outcome.replace(" ", "-")}">{outcome}</td>',
            f'<td class="col-line">{escape(line.id)}</td>',
            f'<td class="col-ref">{escape(line.ref)}</td>',
            f'<td class="col-expected">{escape(line.expected)}</td>',
            f'<td class="col-seen">{escape(shortened(seen))}</td>',
            cells[2].replace("col-duration", "col-time", 1),  # that one its script reads as its own two forms
        ]

    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """A passing check shows what it saw too: that is the evidence."""
        properties = dict(getattr(report, "user_properties", ()))
        if LINE not in properties:
            return
        if not report.failed:
            data[:] = [escape(explanation(self._gate, str(properties[LINE]), report.user_properties))]
        # pytest-html paints each line red that begins with E, as pytest's own do, and so does "Expected"
        data[:] = [re.sub(ROW, " ", text, flags=re.MULTILINE) for text in data]
