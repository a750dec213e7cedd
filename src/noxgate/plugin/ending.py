"""After the last check: the verdict, the evidence folder, the block at the end, the exit status."""

import os
import shutil
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import LogXML, xml_key

from noxgate.errors import Exit
from noxgate.look.secret import Scrubber
from noxgate.plugin import allure, committed, html
from noxgate.plugin.facts import facts
from noxgate.plugin.gate import ALLURE_RESULTS, Gate
from noxgate.plugin.looking import KEPT, result_of
from noxgate.plugin.selection import whole_phases
from noxgate.plugin.terminal import verdict_block
from noxgate.run import bundle, results_file, sweep
from noxgate.run.points_at import elsewhere, points_at
from noxgate.run.pytest_program import say
from noxgate.run.results import Results, RunTarget, Selection, judged
from noxgate.run.verdict import Verdict
from noxgate.trust import counted, seal
from noxgate.trust.loads import EVIDENCE
from noxgate.trust.records import RecordError


class Ending:
    """Registered on the controller of a gate run only: xdist workers judge and write nothing."""

    def __init__(self, config: pytest.Config, gate: Gate) -> None:
        self._config = config
        self._gate = gate
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._uncollected: dict[str, str] = {}
        self._workers = committed.Workers()
        self.evidence: str | None = None
        self._final: Path | None = None
        self.signed_by: str | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Allure writes where a check runs: an xdist worker must know the folder."""
        node.workerinput[ALLURE_RESULTS] = self._config.option.allure_report_dir

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        self._workers.heard(node, error)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(trylast=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Below the traceback: pytest prints no verdict of a run that broke."""
        error = self._gate.scrubber.scrub(str(excinfo.value).partition("\n")[0])
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.ensure_newline()
            terminal.write_line(
                f"{Verdict.INCONCLUSIVE}  the run broke off: {type(excinfo.value).__name__}: {error}: "
                "mend that, and run the whole phase again"
            )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            said = str(report.longrepr).strip().splitlines()
            self._uncollected[report.nodeid] = self._gate.scrubber.scrub(
                said[-1] if said else "no reason given"
            )

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
        elif why := self._unaccounted(session):
            gate.doubt(why)
        try:
            self._keep()
            yield  # the other plugins write their reports
            self._seal()
        except Exception as error:  # noqa: BLE001 (after every error the verdict is told, and is not GO)
            gate.doubt(f"no evidence: {type(error).__name__}: {gate.scrubber.scrub(str(error))}")
        if not broken:
            session.exitstatus = gate.judgement.verdict.exit
            say(gate.judgement.verdict, self._final)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        verdict_block.show(terminalreporter, self._gate, self.evidence, self.signed_by)

    def _unaccounted(self, session: pytest.Session) -> str:
        """What made pytest end otherwise than the lines explain, such as a tear-down; "" if they do."""
        judgement = self._gate.judgement
        assert judgement is not None
        if session.exitstatus == pytest.ExitCode.OK or judgement.verdict.exit is not Exit.GO:
            return ""
        # accepted by a waiver, or seen by a person where no tool could be asked
        settled = {
            node
            for node, check in self._gate.by_node.items()
            for result in judgement.lines
            if result.line.id == check.line_id and (result.waiver or result.attestation)
        }
        failed = [report for reports in self._reports.values() for report in reports if report.failed]
        others = [report for report in failed if report.nodeid not in settled]
        if others:
            outcome, reason = result_of([others[0]]).outcome, result_of([others[0]]).reason
            more = f"; and {len(others) - 1} more: junit.xml names them" if others[1:] else ""
            return f"{others[0].nodeid} ({others[0].when}) is {outcome}, which no line shows: {reason}{more}"
        for node, why in self._uncollected.items():
            return f"{node} could not be collected: {why}"
        if session.exitstatus != pytest.ExitCode.TESTS_FAILED or session.testsfailed != len(failed):
            status = pytest.ExitCode(session.exitstatus).name.lower().replace("_", " ")
            return f"pytest ended with {status!r}, {session.testsfailed} failed, which no check explains"
        return ""

    def _keep(self) -> None:
        """Copy what the checks say belongs to the evidence, such as a load test, into the folder."""
        gate = self._gate
        assert gate.folder is not None
        properties = [one for reports in self._reports.values() for one in reports[-1].user_properties]
        for path in dict.fromkeys(Path(str(value)) for name, value in properties if name == KEPT):
            gate.kept.append(Path(shutil.copytree(path, gate.folder / EVIDENCE / path.name)))

    def _seal(self) -> None:
        """Complete the folder and give it its name."""
        gate = self._gate
        folder, target = gate.folder, gate.target
        assert folder is not None
        assert target is not None
        if gate.before is not None:
            for doubt in committed.doubts(self._config, gate.before, target, self._workers):
                gate.doubt(doubt)
        for name in [name for name in target.overridden if name not in target.overrides]:
            gate.doubt(
                f"{name} says otherwise than {target.path.name}, which does not allow it: "
                f"unset it, or add it to `overrides` there"
            )
        places = points_at(target)
        for why in elsewhere(target.points_at, places):
            gate.doubt(f"{target.path.name}: {why}")
        bundle.copy_records(gate.records().folder, folder)
        for name in bundle.missing(folder) if gate.results else ():
            gate.doubt(f"{name} was not written")
        html.finish(folder / "report.html", gate)
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
        name = f"{gate.started:%Y%m%dT%H%M%SZ}-{target.name}-{'+'.join(gate.phases)}"
        sealing = gate.key is not None and not leaks  # a leak: no sealed evidence
        if sealing:
            self._count(folder, name)
        html.finish(folder / "report.html", gate)  # with the doubts since
        ended = datetime.now(UTC)
        results = Results(
            schema=results_file.SCHEMA,
            run=gate.id,
            verdict=judgement.verdict,
            doubts=tuple(gate.doubts),
            release=gate.runbook.release.version,
            target=RunTarget(
                name=target.name,
                rehearsal=target.rehearsal,
                base_url=target.base_url,
                namespace=target.namespace,
                overrides=target.overridden,
                points_at=places,
                names=gate.names,
            ),
            phases=tuple(gate.phases),
            checkpoint=gate.now.checkpoint if gate.now else None,
            whole=tuple(whole_phases(self._config, gate)),
            started=gate.started,
            ended=ended,
            seconds=round((ended - gate.started).total_seconds(), 2),
            selection=Selection(option.markexpr, option.keyword, tuple(map(str, self._config.args))),
            facts=found,
            lines=judged(judgement),
            to_come=tuple(line.id for line in judgement.to_come),
        )
        environment = bundle.environment(gate.root, target.origins, target.source)
        if gate.before is not None and gate.before.commit is not None:
            bundle.write_json(folder / bundle.DECIDED, gate.before.commit.document())
        bundle.write_json(folder / results_file.NAME, _shown(results, gate.scrubber))
        bundle.write_json(folder / "environment.json", gate.scrubber.scrub_tree(environment, people=False))
        bundle.write_sums(folder)
        if sealing and gate.key is not None:
            seal.seal(folder, gate.root, target.path, gate.key)
            self.signed_by = gate.key.id
        final = bundle.publish(folder, name)
        self._final = final.absolute()
        self.evidence = os.path.relpath(final, self._config.invocation_params.dir)
        self._retire_report_plugins()

    def _count(self, folder: Path, name: str) -> None:
        """Add the run to the records of a real target, so that it cannot go away unseen."""
        gate = self._gate
        chain = gate.records()
        if gate.key is None or gate.judgement is None or chain.rehearsal:
            return
        try:
            counted.count(chain, gate.key, gate.id, name, gate.judgement.verdict)
            bundle.copy_records(chain.folder, folder)
        except RecordError as error:
            if str(error) not in gate.doubts:
                gate.doubt(str(error))

    def _retire_report_plugins(self) -> None:
        """They have written; what they would say at the end names the folder before it had its name."""
        from pytest_html.basereport import (  # type: ignore[import-untyped]  # noqa: PLC0415 (listing needs none)
            BaseReport,
        )

        manager = self._config.pluginmanager
        for plugin in manager.get_plugins():
            if isinstance(plugin, LogXML | BaseReport):
                manager.unregister(plugin)
        if xml_key in self._config.stash:
            del self._config.stash[xml_key]


def _shown(results: Results, scrubber: Scrubber) -> Any:
    """The results without secrets, packed ones too: other files show what a check saw, cut off."""
    return sweep.withheld(scrubber.scrub_tree(results_file.document(results), people=False), scrubber)
