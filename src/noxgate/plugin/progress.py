"""While checks run on a terminal: one bar for each phase. Anywhere else pytest prints its plain lines."""

import os
import sys
from collections import Counter
from collections.abc import Generator
from typing import IO, TYPE_CHECKING

import pytest

from noxgate.machine.late import late
from noxgate.plugin.gate import Gate
from noxgate.plugin.looking import OUTCOME
from noxgate.run.verdict import Outcome

if TYPE_CHECKING:
    from rich import console
    from rich import progress as bars
else:
    console, bars = late("rich.console"), late("rich.progress")

Status = tuple[str, str, str | tuple[str, dict[str, bool]]]
BAD = (Outcome.FAILED, Outcome.UNREACHABLE, Outcome.NOT_RUN, Outcome.UNDECIDED)
COLORS = {kind: "red" if kind is Outcome.FAILED else "yellow" for kind in BAD}
NARROWEST = 60


def allowed(config: pytest.Config) -> bool:
    """Whether a bar would do: a terminal that can move its cursor, and neither -v nor -q."""
    option = config.option
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("CI"):
        return False
    asked = ("usepdb", "trace", "setupshow", "setuponly", "numprocesses", "log_cli_level")
    return (
        option.verbose in {0, -1}
        and option.capture != "no"
        and not any(getattr(option, name, None) for name in asked)
        and console.Console().width >= NARROWEST
    )


class Bars:
    """Hooks that draw the bars and keep pytest's dots back."""

    def __init__(self, config: pytest.Config, gate: Gate) -> None:
        self._config = config
        self._gate = gate
        self._counts: dict[str, Counter[Outcome]] = {}
        self._tasks: dict[str, bars.TaskID] = {}
        self._worst: dict[str, Outcome] = {}
        self._shown = False
        # a copy: while a check runs, its output is captured, and so would ours be
        self._file: IO[str] = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        config.add_cleanup(self._file.close)
        self._progress = bars.Progress(
            bars.TextColumn("{task.description:<10}"),
            bars.BarColumn(bar_width=24),
            bars.MofNCompleteColumn(),
            bars.TimeElapsedColumn(),
            bars.TextColumn("{task.fields[bad]}{task.fields[line]}"),
            console=console.Console(file=self._file, force_terminal=True, width=console.Console().width),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or not session.items:
            return (yield)
        reporter.showfspath = False
        totals = Counter(self._phase(item.nodeid) for item in session.items)
        for phase, total in totals.items():
            self._counts[phase] = Counter()
            self._tasks[phase] = self._progress.add_task(phase, total=total, bad="", line="", start=False)
        self._progress.start()
        self._shown = True
        try:
            return (yield)
        finally:
            self._progress.stop()
            self._shown = False
            for phase, counts in self._counts.items():
                reporter.write_line(self._plain(phase, counts))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self._tasks:
            task = self._tasks[self._phase(nodeid)]
            self._progress.start_task(task)
            self._progress.update(task, line=f"[dim]{self._gate.line(nodeid).id}")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not self._tasks:
            return
        said = Outcome(str(dict(report.user_properties).get(OUTCOME, Outcome.NOT_RUN)))
        order = list(Outcome)
        worst = max(said, self._worst.get(report.nodeid, said), key=order.index)
        self._worst[report.nodeid] = worst
        if report.when == "teardown":
            phase = self._phase(report.nodeid)
            counts = self._counts[phase]
            counts[worst] += 1
            bad = "".join(f"[{COLORS[kind]}]{counts[kind]} {kind}[/]  " for kind in BAD if counts[kind])
            self._progress.update(self._tasks[phase], advance=1, bad=bad, line="")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(self) -> Generator[None, Status, Status]:
        """Counted as ever, and shown by the bar: no dot, no letter."""
        status = yield
        return (status[0], "", "") if self._shown else status

    def _phase(self, node: str) -> str:
        return self._gate.line(node).phase

    def _plain(self, phase: str, counts: Counter[Outcome]) -> str:
        said = ", ".join(f"{counts[kind]} {kind}" for kind in reversed(Outcome) if counts[kind])
        seconds = self._progress.tasks[self._tasks[phase]].elapsed or 0.0
        return f"{phase:<10} {said or 'nothing was run'} in {seconds:.1f} s"
