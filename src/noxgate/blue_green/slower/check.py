"""Whether users wait longer since the switch, as the check asks: blue's last hour, and the day before."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from noxgate.blue_green.slower.since_switch import Beside, Busy, Time, together
from noxgate.errors import UndecidedError, UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.project.runbook import Line
from noxgate.project.target import Target
from noxgate.slo.before import drawing
from noxgate.slo.before.judging import Compared, limits_of
from noxgate.slo.slos import OR_WAIVE
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.key_metrics import KeyMetrics
from noxgate.systems.prometheus.metric_queries import MetricQueries

HOUR, DAY, LONGEST = timedelta(hours=1), timedelta(days=1), timedelta(hours=6)
TABLE = "slower.txt"


@dataclass(frozen=True)
class SinceSwitch:
    """What the check looks at. `metrics` are green's, whose pods have to be scraped; `folder` makes one."""

    prometheus: Prometheus
    metrics: KeyMetrics
    green: MetricQueries
    target: Target
    switched: datetime
    line: Line
    observe: Observe
    folder: Callable[[str], Path]

    def found(self) -> list[str]:
        """What users wait longer for, or what fails more often.

        Raises UnreachableError if Prometheus cannot tell, UndecidedError if blue had no requests, or if what
        it tells does not decide.
        """
        target, limits = self.target, self.line.limits
        if target.blue_namespace is None:
            raise UnreachableError(f"{target.path.name} names no blue_namespace")
        looked = self.metrics.looked()
        since = looked.since if target.rehearsal else max(self.switched, looked.until - LONGEST)
        blue = replace(self.green, namespace=target.blue_namespace)
        now = Time("green since the switch", self.green, since, looked.until)
        references = [
            Time("blue's last hour", blue, self.switched - HOUR, self.switched),
            Time("the same time a day before", blue, since - DAY, looked.until - DAY),
        ]
        # in a rehearsal the checks ask as often as its few visitors
        times = limits["requests_times"] if not target.rehearsal else float("inf")
        beside = Beside(
            self.prometheus,
            looked.labels,
            looked.every,
            limits_of(self.line, rehearsal=target.rehearsal),
            Busy(int(limits["paths"]), times),
        )
        found = [beside.judged(now, each) for each in references]
        silent = [each.name for each, rows in zip(references, found, strict=True) if not rows]
        for name in silent:
            self._say(f"{name}: Prometheus has no request that blue answered")
        if len(silent) == len(references):
            seen = f"no request of {' or of '.join(silent)}"
            raise UndecidedError(f"cannot be compared, {OR_WAIVE}: {seen}")
        self._show([one for rows in found for one in rows], beside)
        worse, open_ = together(found)
        if open_ and not worse:
            raise UndecidedError(f"not decided: look again later, {OR_WAIVE}: {'; '.join(open_)}")
        return worse

    def _show(self, rows: list[Compared], beside: Beside) -> None:
        """Each measure, and both distributions."""
        folder = self.folder(f"{self.target.name}-since-the-switch")
        (folder / TABLE).write_text("".join(f"{one}\n" for one in rows), encoding="utf-8")
        if beside.panels:
            drawing.draw(beside.panels, folder, ("since the switch", "before"), self.target.name)
        repeat = f"cat {shlex.quote(str(folder / TABLE))}"
        self.observe(Observation(f"{len(rows)} measures of {len(beside.panels)} paths", repeat, folder))
        for one in rows:
            self.observe(Observation(str(one), repeat))

    def _say(self, seen: str) -> None:
        self.prometheus.say(seen, self.green.requests)
