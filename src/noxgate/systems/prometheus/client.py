"""Prometheus over its HTTP API, read only: what it scrapes, which rules it has, and what queries answer."""

import math
import shlex
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.http import reason, within
from noxgate.look.observation import Observation, Observe, least_and_most, shortened
from noxgate.machine.late import late
from noxgate.systems.prometheus import answers
from noxgate.systems.prometheus.answers import Alert, Rule, Sample, ScrapeTarget, Series, read_answer
from noxgate.systems.prometheus.session import PrometheusSession

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

T = TypeVar("T")
MOST_BYTES = 50_000_000  # the targets and rules of a whole cluster may be many
TOO_OFTEN = 1.2  # times the samples expected: the interval that was assumed is wrong


class NoDataError(UnreachableError):
    """Prometheus answered, and has no sample of this."""


class Prometheus:
    """Looks at Prometheus for one check and records what it saw.

    All that is not a whole and proper answer, a page to sign in or a warning that data are missing included,
    is an UnreachableError: nothing is known then. A note on a query is kept beside what was seen.
    """

    def __init__(self, session: PrometheusSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    def targets(self) -> list[ScrapeTarget]:
        """What Prometheus scrapes now."""
        return self._look(
            "/api/v1/targets", {"state": "active"}, answers.targets, lambda found: _health(found, "target")
        )

    def rules(self) -> list[Rule]:
        """Every rule that is loaded, of every group."""
        return self._look(
            "/api/v1/rules",
            {},
            answers.rules,
            lambda rules: f"{_health(rules, 'rule')}; {sum(len(rule.alerts) for rule in rules)} alerts",
        )

    def alerts(self) -> list[Alert]:
        """The alerts that are pending or firing."""
        return self._look(
            "/api/v1/alerts",
            {},
            answers.alerts,
            lambda alerts: ", ".join(f"{one.name} {one.state}" for one in alerts) or "no alerts",
        )

    def alertmanagers(self) -> list[str]:
        """Where the alerts are sent; empty without a receiver."""
        return self._look(
            "/api/v1/alertmanagers",
            {},
            lambda data: [str(one["url"]) for one in data["activeAlertmanagers"]],
            lambda urls: ", ".join(urls) or "no Alertmanager is connected: alerts reach no person",
        )

    def ask_alertmanager(self, url: str) -> str:
        """The version of an Alertmanager, asked itself and without the token of Prometheus."""
        where, repeat = f"{url}/api/v2/status", f"curl -sS {shlex.quote(f'{url}/api/v2/status')}"
        try:
            answer, text = self._session.patience.run(lambda: self._exchange(where, {}, {}))
            found = answers.alertmanager_version(answer, text)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        self._observe(Observation(f"Alertmanager {found} answers", repeat))
        return found

    def has_metadata(self, metric: str) -> bool:
        """Whether somebody who is scraped says of a metric what it is, though it may have no series."""
        return self._look(
            "/api/v1/metadata",
            {"metric": metric},
            lambda data: bool(dict(data).get(metric)),
            lambda known: f"{metric} is {'known' if known else 'not known'} to what is scraped",
        )

    def query(self, promql: str, of: str = "") -> list[Sample]:
        """What an expression answers now; empty if no series fits.

        `of`: what a number without labels counts, or its unit, for readers of what was seen.
        """
        return self._look(
            "/api/v1/query", {"query": promql}, answers.samples, lambda found: _shown(found, of), _values
        )

    def range(self, promql: str, start: datetime, end: datetime, step: float) -> list[Series]:
        """What an expression answers from `start` to `end`, every `step` seconds."""
        parameters = {
            "query": promql,
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step:g}",
        }
        return self._look(
            "/api/v1/query_range",
            parameters,
            answers.series,
            lambda series: f"{len(series)} series, {sum(len(one.points) for one in series)} points",
        )

    def samples(self, selector: str, seconds: float, until: datetime) -> list[Series]:
        """Each sample that the series of a selector have in so many seconds up to then, as it was scraped."""
        parameters = {"query": f"{selector}[{math.ceil(seconds)}s]", "time": f"{until.timestamp():.3f}"}
        return self._look(
            "/api/v1/query",
            parameters,
            answers.series,
            lambda series: f"{len(series)} series, {sum(len(one.points) for one in series)} samples",
        )

    def value(self, promql: str, of: str = "") -> float:
        """The one number that an expression answers.

        Raises UnreachableError if it does not exist, or NaN, or two.
        """
        samples = self.query(promql, of)
        expected = f"{shortened(promql, 200)}: expected one number, saw"
        if len(samples) != 1:
            seen = f"{len(samples)} series" if samples else "no data"
            raise UnreachableError(f"{expected} {seen}")
        if not math.isfinite(samples[0].value):
            raise UnreachableError(f"{expected} {samples[0].value} (no data)")
        return samples[0].value

    def coverage(self, selector: str, window_seconds: int, every_seconds: float) -> list[Sample]:
        """The share of the expected samples that each series has, from 0 to 1: the rest are gaps.

        Raises NoDataError if no series fits, UnreachableError if the samples come more often than
        `every_seconds`: a gap could not be seen.
        """
        expected = window_seconds / every_seconds
        counted = self.query(f"count_over_time({selector}[{window_seconds}s])")
        if not counted:
            raise NoDataError(f"{selector}: expected samples in {window_seconds} s, saw no data")
        if not all(math.isfinite(sample.value) for sample in counted):  # which no comparison would find
            raise UnreachableError(f"{selector}: expected numbers of samples, saw {_shown(counted)}")
        most = max(sample.value for sample in counted)
        if most > expected * TOO_OFTEN + 1:
            raise UnreachableError(
                f"{selector}: expected a sample every {every_seconds:g} s, saw {most:g} in "
                f"{window_seconds} s: a gap could not be seen; look at the scrape interval"
            )
        return [Sample(one.labels, min(one.value / expected, 1.0), one.at) for one in counted]

    def say(self, seen: str, promql: str, *numbers: float) -> None:
        """Record what was made of answers, beside the query that shows it again."""
        repeat = self._session.curl("/api/v1/query", {"query": promql})
        self._observe(Observation(shortened(seen), repeat, measured=least_and_most(numbers)))

    def formatted(self, promql: str) -> str:
        """An expression in Prometheus' own spelling: two that are spelled alike mean the same.

        Raises UnreachableError if it is not PromQL, or the server is older than 2.40.
        """
        return self._look("/api/v1/format_query", {"query": promql}, answers.text, lambda text: text)

    def _look(
        self,
        path: str,
        parameters: Mapping[str, str],
        read: Callable[[Any], T],
        show: Callable[[T], str],
        numbers: Callable[[T], Sequence[float]] = lambda _: (),
    ) -> T:
        url = self._session.url + path
        headers = self._session.authorization()
        repeat = self._session.curl(path, parameters)
        try:
            answer = self._session.patience.run(lambda: self._exchange(url, parameters, headers))
            found, notes = read_answer(*answer, read)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        if notes:
            self._observe(Observation(f"noted: {shortened('; '.join(notes))}", repeat))
        measured = least_and_most(numbers(found))
        self._observe(Observation(shortened(show(found)), repeat, measured=measured))
        return found

    def _exchange(
        self, url: str, parameters: Mapping[str, str], headers: Mapping[str, str]
    ) -> "tuple[httpx.Response, str]":
        started = time.monotonic()
        self._session.http.cookies.clear()
        try:
            with self._session.http.stream("GET", url, params=parameters, headers=dict(headers)) as response:
                content = within(response, MOST_BYTES)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            if isinstance(error, httpx.TimeoutException):
                self._session.patience.lost(time.monotonic() - started)
            raise UnreachableError(f"{url}: {reason(error)}") from None
        if content is None:
            raise UnreachableError(f"{url}: expected at most {MOST_BYTES} bytes, saw more")
        return response, content.decode("utf-8", "replace")


def _health(found: Sequence[ScrapeTarget] | Sequence[Rule], what: str) -> str:
    counts = Counter(one.health for one in found)
    said = [f"{count} {what}{'s' * (count != 1)} {health}" for health, count in sorted(counts.items())]
    errors = sorted({one.last_error for one in found if one.last_error})
    return "; ".join([", ".join(said) or f"no {what}s", *errors])


def _values(found: Sequence[Sample]) -> list[float]:
    return [one.value for one in found]


def _shown(found: Sequence[Sample], of: str = "") -> str:
    return "; ".join(_told(one, of) for one in found) or "no data"


def _told(sample: Sample, of: str) -> str:
    """Of what a value is stands beside it: in its labels, or in the words of who asked."""
    labels = _labels(sample.labels)
    return " ".join(filter(None, (labels or ("" if of else "the number"), f"{sample.value:g}", of)))


def _labels(labels: Mapping[str, str]) -> str:
    inner = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return labels.get("__name__", "") + (f"{{{inner}}}" if inner else "")
