"""report.html: the runbook's words in pytest-html's table, and the verdict above it."""

import base64
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest

from noxgate.look.observation import shortened
from noxgate.plugin.gate import Gate
from noxgate.plugin.looking import LINE, OUTCOME, REASON, SEEN, explanation, next_step
from noxgate.run.verdict import LineResult, Outcome
from noxgate.trust.persons.attest import said_by

ROW = r"^(?=(Runbook|Expected|Seen|Repeat|Next) )"
CSS = Path(__file__).with_name("report.css")


# pytest-html's script shows rows of these outcomes and no others.
_FILTERS = "const possibleFilters = ["


def show_every_outcome(path: Path) -> None:
    """Let the written report show the rows of our own outcomes, too; a report that is not there stays so."""
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    if _FILTERS not in text:
        raise ValueError(
            f"{path.name}: expected pytest-html's list of filters, saw none: its version changed"
        )
    ours = "".join(f"'{outcome}', " for outcome in (Outcome.UNREACHABLE, Outcome.NOT_RUN))
    path.write_text(text.replace(_FILTERS, _FILTERS + ours, 1), encoding="utf-8")


def _picture(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode()
    name = escape(path.parent.name)
    return f"<img class='picture' alt='load test {name}' src='data:image/svg+xml;base64,{content}'>"


class Report:
    """Hooks of pytest-html."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def pytest_html_report_title(self, report: Any) -> None:
        report.title = f"Release gate: NOX API {self._gate.runbook.release.version}"

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
            if result.outcome is not Outcome.PASSED or result.attestation is not None
        ]
        prefix.append(
            f"<div class='verdict {verdict.lower().replace(' ', '-')}'><b>{escape(word)}</b>{escape(rest)}"
            f"<span>{escape(gate.target.base_url)} · {gate.started:%Y-%m-%d %H:%M:%S} UTC</span></div>"
        )
        prefix += [f"<p class='doubt'>{escape(doubt)}</p>" for doubt in gate.doubts]
        if rows:
            prefix.append(f"<table class='open-lines'>{''.join(rows)}</table>")
        pictures = [path for folder in gate.kept for path in sorted(folder.glob("*.svg"))]
        prefix += [_picture(path) for path in pictures]

    def _open_line(self, result: LineResult) -> str:
        todo = ""
        reason = result.reason
        if result.outcome is Outcome.PASSED and result.attestation is not None:
            reason = said_by(result.attestation)
        if result.outcome is Outcome.WAIVED:
            todo = f"<span class='next'>{escape(str(result.waiver))}</span>"
        if result.outcome is Outcome.FAILED:
            todo = f"<span class='next'>{escape(next_step(self._gate, result.line))}</span>"
        return (
            f"<tr><td class='{result.outcome.replace(' ', '-')}'>{result.outcome}</td>"
            f"<td>{escape(result.line.id)}</td><td>{escape(reason)}{todo}</td></tr>"
        )

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells[1:] = [
            '<th class="sortable" data-column-type="line">Runbook line</th>',
            '<th class="sortable" data-column-type="ref">Ref</th>',
            "<th>Seen</th>",
            '<th class="sortable" data-column-type="duration">Time</th>',
        ]

    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        properties = dict(getattr(report, "user_properties", ()))  # a collection error has none
        if LINE not in properties:
            return
        line = self._gate.runbook.lines[str(properties[LINE])]
        outcome = str(properties.get(OUTCOME, Outcome.FAILED))
        seen = properties.get(REASON) or " · ".join(
            str(text) for name, text in report.user_properties if name == SEEN
        )
        cells[:] = [
            f'<td class="col-result {outcome.replace(" ", "-")}">{outcome}</td>',
            f'<td class="col-line">{escape(line.id)}</td>',
            f'<td class="col-ref">{escape(line.ref)}</td>',
            f'<td class="col-seen">{escape(shortened(str(seen)))}</td>',
            cells[2],
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
