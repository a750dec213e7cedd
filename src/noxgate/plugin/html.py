"""report.html: the runbook's words in pytest-html's table, and the verdict above it."""

import base64
import json
import os
import re
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from noxgate.look.observation import shortened
from noxgate.look.wording import NONE, counted
from noxgate.plugin.gate import Gate
from noxgate.plugin.looking import LINE, OUTCOME, REASON, SEEN, explanation, next_step
from noxgate.reports.signoff.derived import clock
from noxgate.run.verdict import WAS_NOT_RUN, LineResult, Outcome
from noxgate.trust.persons.attest import said_by

WHY_NARROWED = "were not selected: the whole phase counts"
_TIME = re.compile(r" in \d+ ms\b")  # in which looks that saw the same differ
ROW = r"^(?=(Runbook|Expected|Seen|Repeat|Next) )"
CSS = Path(__file__).with_name("report.css")


OURS = (Outcome.UNREACHABLE, Outcome.NOT_RUN, Outcome.UNDECIDED, Outcome.NOT_COUNTED)
# pytest-html's script shows rows of these outcomes and no others.
_FILTERS = "const possibleFilters = ["
_DATA = re.compile(r'(data-jsonblob=")([^"]*)"')  # what its table is made of
SABOTAGE = "NOXGATE_SABOTAGE"  # what a rehearsal has broken on purpose


def finish(path: Path, nodes: Sequence[str]) -> None:
    """Let the written report show the rows of our own outcomes, too, with these checks first, in this order.

    A report that is not there stays so.
    """
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    if _FILTERS not in text:
        raise ValueError(
            f"{path.name}: expected pytest-html's list of filters, saw none: its version changed"
        )
    ours = "".join(f"'{outcome}', " for outcome in OURS)
    text = text.replace(_FILTERS, _FILTERS + ours, 1)
    path.write_text(
        _DATA.sub(lambda found: f'{found[1]}{_ordered(found[2], nodes)}"', text), encoding="utf-8"
    )


def _ordered(data: str, nodes: Sequence[str]) -> str:
    """The table's data, whose rows are shown in their own order."""
    found = json.loads(unescape(data))
    tests = found["tests"]
    first = {node: tests[node] for node in nodes if node in tests}
    return escape(json.dumps({**found, "initialSort": "original", "tests": {**first, **tests}}))


def _picture(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    name = escape(path.parent.name)
    return f"<img class='picture' alt='load test {name}' src='data:image/svg+xml;base64,{content}'>"


def _is_left_out(result: LineResult) -> bool:
    return result.outcome is Outcome.NOT_RUN and result.reason == WAS_NOT_RUN


def _row(outcome: str, what: str, why: str, *more: str) -> str:
    spans = "".join(f"<span class='next'>{escape(each)}</span>" for each in more)
    shown = f"<td class='{outcome.replace(' ', '-')}'>{outcome}</td><td>{escape(what)}</td>"
    return f"<tr>{shown}<td>{escape(why)}{spans}</td></tr>"


class Report:
    """Hooks of pytest-html."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def pytest_html_report_title(self, report: Any) -> None:
        report.title = (
            f"Release gate: {self._gate.runbook.service.title} {self._gate.runbook.release.version}"
        )

    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        gate = self._gate
        if gate.judgement is None or gate.target is None:
            return
        verdict = str(gate.judgement.verdict)
        word, _, rest = gate.headline().partition("  ")
        worst_first = sorted(
            gate.judgement.lines, key=lambda result: list(Outcome).index(result.outcome), reverse=True
        )
        rows = [
            self._open_line(result)
            for result in worst_first
            if not _is_left_out(result)
            and (result.outcome is not Outcome.PASSED or result.attestation is not None)
        ]
        left_out = [result.line.id for result in worst_first if _is_left_out(result)]
        if left_out:
            rows.append(
                _row(
                    Outcome.NOT_RUN,
                    f"{len(left_out)} line{'s' if left_out[1:] else ''}",
                    ", ".join(left_out),
                    WHY_NARROWED,
                )
            )
        prefix.append(
            f"<div class='verdict {verdict.lower().replace(' ', '-')}'><b>{escape(word)}</b>{escape(rest)}"
            f"<span>{escape(gate.target.base_url)} · {gate.started:%Y-%m-%d %H:%M:%S} UTC</span></div>"
        )
        broken = os.environ.get(SABOTAGE, "")
        if broken and gate.target.rehearsal:
            prefix.append(f"<p>Broken on purpose: {escape(broken)}</p>")
        prefix += [f"<p class='doubt'>{escape(doubt)}</p>" for doubt in gate.doubts]
        prefix += [
            f"<p class='cause'><b>{escape(str(cause))}</b><span>{escape(', '.join(cause.ids))}</span></p>"
            for cause in gate.causes()
        ]
        if rows:
            prefix.append(f"<table class='open-lines'>{''.join(rows)}</table>")
        pictures = [path for folder in gate.kept for path in sorted(folder.glob("*.svg"))]
        prefix += [_picture(path) for path in pictures]

    def _open_line(self, result: LineResult) -> str:
        reason = result.reason
        if result.outcome is Outcome.PASSED and result.attestation is not None:
            reason = said_by(result.attestation)
        more = [str(result.waiver)] if result.outcome is Outcome.WAIVED else []
        if result.outcome is Outcome.FAILED:
            more = [f"Next: {next_step(self._gate, result.line)}"]
            reason = f"{result.line.expected} Seen: {reason.removeprefix(NONE)}"
        return _row(result.outcome, result.line.id, reason, *more)

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
            looks = counted(_TIME.sub("", text) for text in looks)
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
