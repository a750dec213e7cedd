"""Minutes in which nobody asked for anything: a quiet night, or users who do not get through.

It was quiet if every pod was scraped throughout, the ingress agrees with the pods, and the profile names
those hours, or the same hours of the day before had a silence as long. Where users asked and no pod answered
it was an outage. All else stays undecided.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from noxgate.errors import UnreachableError
from noxgate.project.target import Hours
from noxgate.systems.prometheus.answers import Series
from noxgate.systems.prometheus.metric_queries import is_failed
from noxgate.systems.prometheus.stretches import STEP, Stretch
from noxgate.systems.prometheus.window_metrics import RATE, SEEN, WindowMetrics

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(seconds=STEP)
SHOWN = 3


@dataclass(frozen=True)
class Quiet:
    """What is known besides the pods' own counters. `ingress` are selectors of the ingress' requests.

    Before `switched` it was blue that users asked.
    """

    hours: Sequence[Hours]
    ingress: Sequence[str]
    switched: datetime
    blue: str | None

    def outages(self, metrics: WindowMetrics) -> list[str]:
        """Where users asked and no pod answered; UnreachableError where nobody can tell."""
        silences = [_widened(each, metrics) for each in metrics.silences()]
        if not silences:
            return []
        found: list[str] = []
        unknown: list[str] = []
        for silence in silences:
            asked = self._asked(metrics, silence)
            if asked is not None and asked.against(
                metrics.between(silence.first - MINUTE, silence.last).answered()
            ):
                found.append(f"{silence}: the ingress counted {asked}")
            elif why := self._doubt(metrics, silence, asked):
                unknown.append(f"{silence}: {why}")
        if unknown and not found:
            shown = "; ".join(unknown[:SHOWN]) + ("; …" if unknown[SHOWN:] else "")
            raise UnreachableError(
                f"no request at all, and nobody can tell whether it was just quiet: {shown}"
            )
        return found

    def _doubt(self, metrics: WindowMetrics, silence: Stretch, asked: "Asked | None") -> str:
        """Why a silence may be more than that; empty where it was quiet."""
        if any(gap.first <= silence.last and gap.last >= silence.first for gap in metrics.gaps):
            return "not every pod was scraped"
        if asked is None:
            return f"expected the ingress' own counter all the time ({' or '.join(self.ingress)}), saw none"
        if any(each.covers(silence.first, silence.last) for each in self.hours):
            metrics.prometheus.say(f"{silence}: quiet, as the profile names those hours", metrics.of.requests)
            return ""
        before = self._day_before(metrics, silence)
        if before is None or before.minutes < silence.minutes:
            seen = "nothing to compare with" if before is None else f"at most {before.minutes} min"
            return f"[quiet] hours name others, and the same hours of the day before had {seen}"
        metrics.prometheus.say(f"{silence}: quiet, as the day before: {before}", metrics.of.requests)
        return ""

    def _day_before(self, metrics: WindowMetrics, silence: Stretch) -> Stretch | None:
        """The longest silence of the same hours; None where nobody knows."""
        first = silence.first.replace(minute=0, second=0) - DAY
        last = silence.last.replace(minute=0, second=0) + HOUR - DAY
        if first < self.switched < last:
            return None
        namespace = self.blue if last <= self.switched else metrics.of.namespace
        then = metrics.between(first, last, namespace)
        try:
            silences = [] if namespace is None or then.gaps else then.silences()
        except UnreachableError:
            return None
        return max((_widened(each, then) for each in silences), key=lambda each: each.minutes, default=None)

    def _asked(self, metrics: WindowMetrics, silence: Stretch) -> "Asked | None":
        """What the ingress counted; None where it was not seen in each minute."""
        looked: set[datetime] = set()
        counted: dict[bool, float] = defaultdict(float)
        for selector in self.ingress:
            whole = metrics.between(silence.first - MINUTE, silence.last)
            series = whole.by_minute(
                f"sum by (instance,pod,status,code) (last_over_time({selector}[{SEEN}s]))"
            )
            there = {(_whose(one), at) for one in series for at, _ in one.points}
            looked |= {at for _, at in there}
            for one in series:
                failed = is_failed(one.labels.get("status") or one.labels.get("code", ""))
                begun, value = one.points[0]
                if (_whose(one), begun - MINUTE) in there:
                    counted[failed] += value  # of a status that was not there a minute before
                counted[failed] += sum(max(0.0, now - was) for (_, was), (_, now) in pairwise(one.points))
        if len(looked) <= silence.minutes:
            return None
        return Asked(sum(counted.values()), counted[True])


@dataclass(frozen=True)
class Asked:
    """How many requests the ingress counted, and how many of them failed."""

    requests: float
    failed: float

    def against(self, answered: float) -> bool:
        """Whether the pods cannot have had them all; they answer probes, too."""
        return self.failed > 0 or self.requests > answered

    def __str__(self) -> str:
        return f"{self.requests:g} requests, of which {self.failed:g} failed with a 5xx"


def nginx_requests(namespace: str, ingress: str) -> tuple[str, ...]:
    """Of one Ingress: its namespace is in a label of its own, unless Prometheus honours nginx' labels."""
    labels = ("exported_namespace", "namespace")
    return tuple(
        f'nginx_ingress_controller_requests{{{each}="{namespace}",ingress="{ingress}"}}' for each in labels
    )


def _whose(series: Series) -> tuple[str, str]:
    return series.labels.get("instance", ""), series.labels.get("pod", "")


def _widened(silence: Stretch, metrics: WindowMetrics) -> Stretch:
    """From the first minute of the first window, within what is looked at."""
    return Stretch(max(metrics.start, silence.first - timedelta(seconds=RATE) + MINUTE), silence.last)
