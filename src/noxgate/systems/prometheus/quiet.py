"""Minutes without a request: a quiet night, or users who do not get through.

It was quiet if every pod was scraped throughout, the ingress agrees with the pods, and the profile names
those hours, or the same hours of the day before had a silence as long. Where users asked and no pod answered
it was an outage. All else is unreachable.
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


@dataclass(frozen=True)
class Quiet:
    """What is known apart from the pods' own counters. `ingress` are selectors of the ingress' requests.

    Before `switched` it was blue that users asked.
    """

    hours: Sequence[Hours]
    ingress: Sequence[str]
    switched: datetime
    blue: str | None

    def outages(self, metrics: WindowMetrics) -> list[str]:
        """Where users asked and no pod answered. Raises UnreachableError if that cannot be determined."""
        silences = [_widened(each, metrics) for each in metrics.silences()]
        if not silences:
            return []
        either = " or ".join(f"last_over_time({each}[{SEEN}s])" for each in self.ingress)
        counted = metrics.by_minute(f"sum by (instance,pod,status,code) ({either})")
        before = self._days_before(metrics, silences)
        found: list[str] = []
        unknown: list[str] = []
        for silence in silences:
            asked = _asked(counted, silence)
            answered = metrics.answered(silence.first - MINUTE, silence.last)
            if asked is not None and asked.against(answered):
                found.append(f"{silence}: the ingress counted {asked}")
            elif why := (asked and asked.doubt(answered)) or self._doubt(metrics, silence, asked, before):
                unknown.append(f"{silence}: {why}")
        if unknown and not found:
            raise UnreachableError(
                f"no request at all, and it cannot be told whether it was just quiet: {'; '.join(unknown)}"
            )
        return found

    def _doubt(
        self,
        metrics: WindowMetrics,
        silence: Stretch,
        asked: "IngressRequests | None",
        before: Sequence[WindowMetrics],
    ) -> str:
        """Why a silence may be more than that; empty if it was quiet."""
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
class IngressRequests:
    """How many requests the ingress counted, but for its redirects: to https it sends users by itself.

    `failed` with a 5xx, and users `left` before they had an answer (499). `first` is what it was first seen
    with, and may be older.
    """

    requests: float
    failed: float
    left: float = 0.0
    first: float = 0.0

    def against(self, answered: float) -> bool:
        """Whether the pods cannot have had them all; they answer probes, too."""
        return self.failed > 0 or self.requests > answered

    def doubt(self, answered: float) -> str:
        """Why it may be against them all the same; empty if it agrees."""
        if self.left:
            return f"at the ingress {self.left:g} users left before they had an answer (499)"
        if self.first and self.requests + self.first > answered:
            return f"the ingress was first seen with {self.first:g} requests, which may be older"
        return ""

    def __str__(self) -> str:
        return f"{self.requests:g} requests, of which {self.failed:g} failed with a 5xx"


def nginx_requests(namespace: str, ingress: str) -> tuple[str, ...]:
    """Of one Ingress: its namespace is in a label of its own, unless Prometheus honours nginx' labels."""
    metric, ours = "nginx_ingress_controller_requests", f'="{namespace}",ingress="{ingress}"'
    return tuple(f"{metric}{{{each}{ours}}}" for each in ("exported_namespace", "namespace"))


def _asked(counted: Sequence[Series], silence: Stretch) -> IngressRequests | None:
    """What the ingress counted; None if it, or one of several, was not seen in each minute."""
    begin = silence.first - MINUTE
    seen: dict[tuple[str, str], set[datetime]] = defaultdict(set)
    for one in counted:
        seen[_whose(one)] |= {at for at, _ in one.points}
    if not all(any(at in each for each in seen.values()) for at in _minutes(begin, silence.last)):
        return None
    for minutes in seen.values():
        if not set(_minutes(max(begin, min(minutes)), min(silence.last, max(minutes)))) <= minutes:
            return None
    grown: dict[str, float] = defaultdict(float)
    first = 0.0
    for one in counted:
        points = [point for point in one.points if begin <= point[0] <= silence.last]
        if not points:
            continue
        status = one.labels.get("status") or one.labels.get("code", "")
        at, value = points[0]
        if at - MINUTE in seen[_whose(one)]:
            grown[status] += value if at > begin else 0.0  # of a status that was not there a minute before
        elif at > begin:
            first += value
        grown[status] += sum(now - was if now >= was else now for (_, was), (_, now) in pairwise(points))
    return IngressRequests(
        sum(value for status, value in grown.items() if not status.startswith("3")),
        sum(value for status, value in grown.items() if is_failed(status)),
        grown["499"],
        first,
    )


def _minutes(first: datetime, last: datetime) -> list[datetime]:
    return [first + number * MINUTE for number in range((last - first) // MINUTE + 1)]


def _whose(series: Series) -> tuple[str, str]:
    return series.labels.get("instance", ""), series.labels.get("pod", "")


def _hours_before(silence: Stretch) -> tuple[datetime, datetime]:
    """The same hours of the day before, as whole ones."""
    first, last = (each.replace(minute=0, second=0) - DAY for each in (silence.first, silence.last))
    return first, last + HOUR


def _day_before(known: Sequence[WindowMetrics], first: datetime, last: datetime) -> Stretch | None:
    """The longest silence in these hours; None if it is unknown, or if there was always a request."""
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
