"""What the scrapes of pods cover, without which silence proves nothing."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.systems.prometheus.answers import Sample
from noxgate.systems.prometheus.client import NoDataError, Prometheus

T = TypeVar("T")
COVERED = 0.9  # of the samples that there should be: below it, silence proves nothing
SAMPLES = 4  # at the least, of what a rate is made of
PARTS = 6  # of the window: a rate over all of it would hide a short incident


@dataclass(frozen=True)
class Span:
    """How long to look back: windows of `rate` seconds, one each `step`, over the last `seconds`."""

    seconds: int
    rate: int
    step: int

    @classmethod
    def of(cls, seconds: float, every: float) -> "Span":
        """At least so long that every rate has its samples."""
        rate = max(SAMPLES * every, seconds / PARTS)
        whole = max(seconds, 2 * rate)
        return cls(round(whole), round(rate), max(1, round(max(every, rate / SAMPLES))))

    def longer(self, seconds: float) -> "Span":
        """From the same start: what was there when it began must not fall out of it."""
        return replace(self, seconds=self.seconds + round(seconds))

    def over(self, function: str, expression: str) -> str:
        """The expression's worst moment: its windows must lie within the span."""
        return f"{function}(({expression})[{self.seconds - self.rate}s:{self.step}s])"


class Waiting:
    """How long a run's checks wait for samples that are missing: all of them together, at most `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def for_all(self, look: Callable[[float], T], every: float) -> T:
        """What `look` finds, which is told how many seconds were waited; UnreachableError in the end."""
        began = time.monotonic()
        try:
            return eventually(
                lambda: look(time.monotonic() - began), within=max(0.0, self._left), every=every
            )
        except AssertionError as error:
            raise UnreachableError(str(error)) from None
        finally:
            self._left -= time.monotonic() - began


@dataclass(frozen=True)
class Covered:
    """What was covered: until when, by Prometheus' own clock, and the seconds between two scrapes."""

    span: Span
    until: datetime
    every: int
    labels: Sequence[str]  # of the targets

    @property
    def since(self) -> datetime:
        return self.until - timedelta(seconds=self.span.seconds)


def names_of_labels(found: Iterable[Sample]) -> Sequence[str]:
    """The names of the labels that series have."""
    return sorted({name for one in found for name in one.labels} - {"__name__"})


class ScrapeCoverage:
    """Asks for one check of these pods. A gap is an UnreachableError: nothing is known then."""

    def __init__(
        self,
        prometheus: Prometheus,
        pods: Sequence[str],
        seconds: float,
        waiting: Waiting,
        began: Mapping[str, datetime],
    ) -> None:
        """`began` is when the container of a pod did, where it is not older than what is looked at."""
        self._prometheus = prometheus
        self._pods = pods
        self._seconds = seconds
        self._waiting = waiting
        self._began = began

    def of(self, selector: str) -> Covered:
        """What of the scrapes of a selector is covered, and what else has to be known of them."""
        found, every = self.scraping(selector)
        span = Span.of(self._seconds, every)
        until = max(one.at for one in found)
        whole = self._waiting.for_all(
            lambda waited: self._whole(
                selector, span.longer(waited), every, until + timedelta(seconds=round(waited))
            ),
            every,
        )
        longer = timedelta(seconds=whole.seconds - span.seconds)
        return Covered(whole, until + longer, max(1, math.ceil(every)), names_of_labels(found))

    def scraping(self, selector: str) -> tuple[Sequence[Sample], float]:
        """Its series now, and the longest time between two scrapes of their jobs."""
        found = self._prometheus.query(selector)
        jobs = {one.labels.get("job", "") for one in found}
        every = [
            one.every_seconds
            for one in self._prometheus.targets()
            if one.job in jobs and one.every_seconds is not None
        ]
        if not every:
            raise UnreachableError(f"{selector}: expected series of a job that is scraped, saw none")
        return found, max(every)

    def _whole(self, selector: str, span: Span, every: float, until: datetime) -> Span:
        """The same span; AssertionError as long as a pod lacks samples in it, which later ones outweigh."""
        shares: dict[str, float] = {}
        try:
            found = self._prometheus.coverage(selector, span.seconds, every)
        except NoDataError as error:
            raise AssertionError(str(error)) from None
        for one in found:
            pod = one.labels.get("pod", "")
            shares[pod] = max(one.value, shares.get(pod, 0.0))
        lived = self.lived(span, until, SAMPLES * every)
        slack = every / span.seconds  # one sample more or less lies within, as it happens
        gaps = [pod for pod in self._pods if shares.get(pod, 0.0) < COVERED * lived[pod] - slack]
        said = ", ".join(f"{pod} {shares.get(pod, 0.0):.0%}" for pod in gaps)
        assert not gaps, f"{selector}: expected {COVERED:.0%} of the samples of {span.seconds} s, saw {said}"
        return span

    def lived(self, span: Span, until: datetime, found_after: float) -> dict[str, float]:
        """Pod -> of which part of the span there must be samples: an autoscaler may have added it meanwhile.

        It takes a moment to be found by Prometheus. Where clocks differ, or no pod would be older than the
        span, all of it counts.
        """
        lived = dict.fromkeys(self._pods, 1.0)
        for pod, began in self._began.items():
            seconds = (until - began).total_seconds()
            if seconds >= 0:
                lived[pod] = min(1.0, max(0.0, seconds - found_after) / span.seconds)
        return lived if 1.0 in lived.values() else dict.fromkeys(self._pods, 1.0)
