"""After the last check: the verdict, the evidence folder, the block at the end, the exit status."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import LogXML, xml_key
from pytest_html.basereport import BaseReport  # type: ignore[import-untyped]

from noxgate.evidence import bundle, seal, sweep
from noxgate.evidence.attest import said_by
from noxgate.evidence.signing import VARIABLE
from noxgate.evidence.verdict import LineResult, Outcome, Verdict
from noxgate.evidence.waivers import FILE as WAIVERS
from noxgate.plugin import allure, html
from noxgate.plugin.facts import facts
from noxgate.plugin.gate import ALLURE_RESULTS, Gate
from noxgate.plugin.looking import KEPT, next_step, result_of
from noxgate.plugin.selection import whole_phases

# The runbook's words (RB-2.4). Printed for a full GO of staging on a real target, and never else.
PASSED = "VALIDATION PASSED - Ready for production deployment!"


class Ending:
    """Registered on the controller of a gate run only: xdist workers judge and write nothing."""

    def __init__(self, config: pytest.Config, gate: Gate) -> None:
        self._config = config
        self._gate = gate
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self.evidence: str | None = None
        self._final: Path | None = None
        self.signed_by: str | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Allure writes where a check runs: an xdist worker must know the folder."""
        node.workerinput[ALLURE_RESULTS] = self._config.option.allure_report_dir

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        gate = self._gate
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            yield
            return  # no run, no verdict, no folder
        gate.results = {node: result_of(reports) for node, reports in self._reports.items()}
        untrusted = gate.read_attestations()
        gate.judgement = gate.judge()
        if untrusted:
            gate.doubt(untrusted)
        broken = session.exitstatus == pytest.ExitCode.INTERNAL_ERROR
        if broken or session.exitstatus == pytest.ExitCode.INTERRUPTED:
            gate.doubt("the run did not come to its end")
        elif not self._is_accounted_for(session):
            gate.doubt("pytest found something wrong besides the checks")
        try:
            self._keep()
            yield  # the other plugins write their reports
            if gate.folder is not None:
                html.show_every_outcome(gate.folder / "report.html")
            self._seal()
        except Exception as error:  # noqa: BLE001 (whatever it was, the verdict is told, and is not GO)
            gate.doubt(f"no evidence: {type(error).__name__}: {gate.scrubber.scrub(str(error))}")
        if not broken:
            session.exitstatus = gate.judgement.verdict.exit_code
            if said := os.environ.get("NOXGATE_VERDICT"):  # `noxgate gate` believes no exit status alone
                where = os.fsencode(self._final) if self._final else b""
                Path(said).write_bytes(gate.judgement.verdict.encode() + b"\n" + where)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        gate = self._gate
        judgement = gate.judgement
        if judgement is None or gate.target is None:
            return
        color = {Verdict.GO: "green", Verdict.NO_GO: "red"}.get(judgement.verdict, "yellow")
        terminalreporter.write_sep("=", "release verdict", **{color: True, "bold": True})
        self._show_lines(terminalreporter)
        for doubt in gate.doubts:
            terminalreporter.line(doubt, red=True)
        terminalreporter.line(gate.headline(), **{color: True, "bold": True})
        if judgement.verdict is Verdict.GO and "staging" in gate.phases and not gate.target.rehearsal:
            terminalreporter.line(PASSED, green=True)
        if self.evidence:
            terminalreporter.line(f"evidence: {self.evidence}")
        if self.signed_by:
            terminalreporter.line(f"signed with key {self.signed_by[:12]}")
        elif gate.trust is not None and gate.trust.signers:
            terminalreporter.line(
                f"not signed: export {VARIABLE}, or noxgate seal {self.evidence or 'FOLDER'}"
            )

        failed = next((result for result in judgement.lines if result.outcome is Outcome.FAILED), None)
        if failed and not os.environ.get("NOXGATE_VERDICT"):  # `noxgate gate` has the last word itself
            terminalreporter.line(f"{'Next':<10}{failed.line.id}: {next_step(gate, failed.line)}", red=True)

    def _show_lines(self, reporter: pytest.TerminalReporter) -> None:
        """What is not passed, worst first; then what rests on a person's word."""
        judgement = self._gate.judgement
        assert judgement is not None
        for outcome in (Outcome.FAILED, Outcome.UNREACHABLE, Outcome.WAIVED):
            for result in judgement.lines:
                if result.outcome is outcome:
                    reporter.line(_row(outcome, result, result.reason))
                    if outcome is Outcome.WAIVED:
                        reporter.line(f"{'':<12}{result.waiver}", yellow=True)
        not_run = [result.line.id for result in judgement.lines if result.outcome is Outcome.NOT_RUN]
        if not_run:
            reporter.line(f"not run: {', '.join(not_run)}")
        for result in judgement.lines:
            if result.outcome is Outcome.PASSED and result.attestation is not None:
                reporter.line(_row("attested", result, said_by(result.attestation)))
            if result.outcome is Outcome.PASSED and result.line.id in self._gate.waivers:
                reporter.line(f"{WAIVERS}: {result.line.id} passed: its waiver can go")

    def _is_accounted_for(self, session: pytest.Session) -> bool:
        """Whether the checks' outcomes explain the exit status of pytest."""
        judgement = self._gate.judgement
        assert judgement is not None
        if session.exitstatus == pytest.ExitCode.OK or judgement.verdict.exit_code:
            return True
        waived = {
            check.node
            for result in judgement.lines
            if result.outcome is Outcome.WAIVED
            for check in result.checks
        }
        failed = sum(report.failed for node in waived for report in self._reports.get(node, ()))
        return session.exitstatus == pytest.ExitCode.TESTS_FAILED and session.testsfailed == failed

    def _keep(self) -> None:
        """Copy what the checks say belongs to the evidence, such as a load test, into the folder."""
        gate = self._gate
        assert gate.folder is not None
        properties = [one for reports in self._reports.values() for one in reports[-1].user_properties]
        for path in dict.fromkeys(Path(str(value)) for name, value in properties if name == KEPT):
            gate.kept.append(Path(shutil.copytree(path, gate.folder / "load" / path.name)))

    def _seal(self) -> None:
        """Complete the folder and give it its name."""
        gate = self._gate
        folder, target = gate.folder, gate.target
        assert folder is not None
        assert target is not None
        changed = [] if target.rehearsal else bundle.uncommitted(gate.root)
        if changed:
            gate.doubt(f"not as committed: {', '.join(changed[:5])}: commit or put back what was changed")
        bundle.copy_records(gate.records().folder, folder)
        for name in bundle.missing(folder) if gate.results else ():
            gate.doubt(f"{name} was not written")
        allure.describe(folder / "allure-results", gate)
        leaks = sweep.leaks(folder, gate.scrubber)
        for path, name in leaks:
            path.unlink()
            file = gate.scrubber.scrub(str(path.relative_to(folder)))
            gate.doubt(f"{file} would have shown {name}: the file was removed")
        found = facts(gate, (reports[-1] for reports in self._reports.values()))
        judgement = gate.judgement
        assert judgement is not None
        option = self._config.option
        selection = {
            "m": option.markexpr,
            "k": option.keyword,
            "arguments": list(map(str, self._config.args)),
        }
        content = {
            "schema": bundle.SCHEMA,
            "verdict": judgement.verdict,
            "doubts": gate.doubts,
            "release": gate.runbook.release.version,
            "target": {
                "name": target.name,
                "rehearsal": target.rehearsal,
                "base_url": target.base_url,
                "namespace": target.namespace,
            },
            "phases": gate.phases,
            "checkpoint": gate.now.checkpoint if gate.now else None,
            "whole": whole_phases(self._config, gate),
            **bundle.duration(gate.started),
            "selection": selection,
            "facts": found,
            **bundle.lines(judgement),
        }
        environment = bundle.environment(gate.root, target.origins, target.source)
        bundle.write_json(folder / "results.json", gate.scrubber.scrub_tree(content))
        bundle.write_json(folder / "environment.json", gate.scrubber.scrub_tree(environment))
        bundle.write_sums(folder)
        if gate.key is not None and not leaks:  # a leak: no sealed evidence
            seal.seal(folder, gate.root, target.path, gate.key)
            self.signed_by = gate.key.id
        name = f"{gate.started:%Y%m%dT%H%M%SZ}-{target.name}-{'+'.join(gate.phases)}"
        final = bundle.publish(folder, name)
        self._final = final.absolute()
        self.evidence = os.path.relpath(final, self._config.invocation_params.dir)
        self._retire_report_plugins()

    def _retire_report_plugins(self) -> None:
        """They have written; what they would say at the end names the folder before it had its name."""
        manager = self._config.pluginmanager
        for plugin in manager.get_plugins():
            if isinstance(plugin, LogXML | BaseReport):
                manager.unregister(plugin)
        if xml_key in self._config.stash:
            del self._config.stash[xml_key]


def _row(word: str, result: LineResult, text: str) -> str:
    return f"{word:<12}{result.line.id:<38} {' '.join(text.split())}"[:200]
