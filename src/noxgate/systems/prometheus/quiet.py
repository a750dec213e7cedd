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
        ask = f"sum by (instance,pod,status,code) (last_over_time({{}}[{SEEN}s]))"
        counted = [one for each in self.ingress for one in metrics.by_minute(ask.replace("{}", each))]
        before = self._days_before(metrics, silences)
        found: list[str] = []
        unknown: list[str] = []
        for silence in silences:
            asked = _asked(counted, silence)
            if asked is not None and asked.against(metrics.answered(silence.first - MINUTE, silence.last)):
                found.append(f"{silence}: the ingress counted {asked}")
            elif why := self._doubt(metrics, silence, asked, before):
                unknown.append(f"{silence}: {why}")
        if unknown and not found:
            shown = "; ".join(unknown[:SHOWN]) + ("; …" if unknown[SHOWN:] else "")
            raise UnreachableError(
                f"no request at all, and nobody can tell whether it was just quiet: {shown}"
            )
        return found

    def _doubt(
        self, metrics: WindowMetrics, silence: Stretch, asked: "Asked | None", before: Sequence[WindowMetrics]
    ) -> str:
        """Why a silence may be more than that; empty where it was quiet."""
        if _in(metrics.gaps, silence.first, silence.last):
            return "not every pod was scraped"
        if asked is None:
            return f"expected the ingress' own counter all the time ({' or '.join(self.ingress)}), saw none"
        if any(each.covers(silence.first, silence.last) for each in self.hours):
            metrics.prometheus.say(f"{silence}: quiet, as the profile names those hours", metrics.of.requests)
            return ""
        then = _day_before(before, *_hours_before(silence))
        if then is None or then.minutes < silence.minutes:
            seen = "nothing to compare with" if then is None else f"at most {then.minutes} min"
            return f"[quiet] hours name others, and the same hours of the day before had {seen}"
        metrics.prometheus.say(f"{silence}: quiet, as the day before: {then}", metrics.of.requests)
        return ""

    def _days_before(self, metrics: WindowMetrics, silences: Sequence[Stretch]) -> list[WindowMetrics]:
        """What may be compared with: blue until the switch, and green since."""
        of_blue = [each for each in map(_hours_before, silences) if each[1] <= self.switched]
        if self.blue is None or not of_blue:
            return [metrics]
        first, last = min(each[0] for each in of_blue), max(each[1] for each in of_blue)
        return [metrics.between(first, last, self.blue), metrics]


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
    metric, ours = "nginx_ingress_controller_requests", f'="{namespace}",ingress="{ingress}"'
    return tuple(f"{metric}{{{each}{ours}}}" for each in ("exported_namespace", "namespace"))


def _asked(counted: Sequence[Series], silence: Stretch) -> Asked | None:
    """What the ingress counted; None where it was not seen in each minute."""
    begin = silence.first - MINUTE
    within = [(one, [point for point in one.points if begin <= point[0] <= silence.last]) for one in counted]
    there = {(_whose(one), at) for one, points in within for at, _ in points}
    if len({at for _, at in there}) <= silence.minutes:
        return None
    grown: dict[bool, float] = defaultdict(float)
    for one, points in within:
        failed = is_failed(one.labels.get("status") or one.labels.get("code", ""))
        if points and (_whose(one), points[0][0] - MINUTE) in there:
            grown[failed] += points[0][1]  # of a status that was not there a minute before
        grown[failed] += sum(max(0.0, now - was) for (_, was), (_, now) in pairwise(points))
    return Asked(sum(grown.values()), grown[True])


def _whose(series: Series) -> tuple[str, str]:
    return series.labels.get("instance", ""), series.labels.get("pod", "")


def _hours_before(silence: Stretch) -> tuple[datetime, datetime]:
    """The same hours of the day before, as whole ones."""
    first, last = (each.replace(minute=0, second=0) - DAY for each in (silence.first, silence.last))
    return first, last + HOUR


def _day_before(known: Sequence[WindowMetrics], first: datetime, last: datetime) -> Stretch | None:
    """The longest silence in these hours; None where nobody knows, or there was none."""
    for then in known:
        if then.start <= first and last <= then.end:
            try:
                silences = [] if _in(then.gaps, first, last) else then.silences()
            except UnreachableError:
                return None
            longest = _in([_widened(each, then) for each in silences], first, last)
            return max(longest, key=lambda each: each.minutes, default=None)
    return None


def _in(stretches: Sequence[Stretch], first: datetime, last: datetime) -> list[Stretch]:
    """What lies in a time of these."""
    found = [Stretch(max(first, each.first), min(last, each.last)) for each in stretches]
    return [each for each in found if each.first <= each.last]


def _widened(silence: Stretch, metrics: WindowMetrics) -> Stretch:
    """From the first minute of the first window, within what is looked at."""
    return Stretch(max(metrics.start, silence.first - timedelta(seconds=RATE) + MINUTE), silence.last)
