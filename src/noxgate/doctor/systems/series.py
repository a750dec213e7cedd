"""Whether Prometheus has what the gate asks it for: series by these names, with these labels.

A query that finds nothing is not an error of Prometheus: it would only be seen after the release day.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum, auto

from noxgate.doctor.needs import Need
from noxgate.doctor.seen import Cause, Place, Seen
from noxgate.doctor.systems.address import unrecorded
from noxgate.errors import UnreachableError
from noxgate.look.observation import few, shortened
from noxgate.look.promql.selectors import selectors
from noxgate.project.service.names import Service
from noxgate.systems import settings
from noxgate.systems.prometheus.answers import Sample
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.metric_queries import MetricQueries
from noxgate.systems.prometheus.quiet import nginx_requests
from noxgate.systems.prometheus.session import PrometheusSession

MOST = 3  # series of one answer: their labels are alike
STATUS = ("status", "code")  # as nginx calls it, and as others do
PAGE = "docs/METRICS.md"


class SeriesPlace(Enum):
    """Where a metric's series are."""

    HERE = auto()
    UNLABELLED = auto()  # here, without what the queries tell them apart by
    OTHERWISE = auto()  # of the namespace, with other values
    ELSEWHERE = auto()  # of other namespaces alone
    NOWHERE = auto()


@dataclass(frozen=True)
class MetricSeries:
    """One metric of the queries, and what was found of it."""

    name: str
    selector: str
    found: SeriesPlace
    said: str


def series(at: Place, service: Service, systems: Collection[str]) -> Iterator[Seen]:
    """What lines need of these; empty if Prometheus does not answer: another look says so."""
    target = at.target
    role = next((each for each in settings.PROMETHEUS_ROLES if each in target.credentials), None)
    if target.prometheus_url is None or (role and target.credentials[role] not in target.variables):
        return
    session = PrometheusSession(settings.prometheus(target))
    ask = Asking(session)
    try:
        ask.any_of("vector(1)")
    except (UnreachableError, AssertionError):
        session.close()
        return
    try:
        if "metrics" in systems:
            yield from _key_metrics(at, ask, service)
            yield from _named(at, ask, "signed_in_requests", target.signed_in_requests, STATUS, "metrics")
        if "quiet" in systems:
            yield from _ingress(at, ask, service)
        if "counters" in systems and target.load_counters is not None:
            yield from _named(at, ask, "load_counters", target.load_counters.query, (), "counters")
    finally:
        session.close()


class Asking:
    """Instant queries, each for a few series."""

    def __init__(self, session: PrometheusSession) -> None:
        self._session = session
        self._prometheus = Prometheus(session, unrecorded)

    def any_of(self, promql: str) -> Sequence[Sample]:
        return self._prometheus.query(f"topk({MOST}, {promql})")

    def names(self, namespace: str) -> list[str]:
        """Of all metrics that it has now."""
        found = self._prometheus.query(f'count by (__name__) ({{namespace="{namespace}"}})')
        return sorted(one.labels["__name__"] for one in found)

    def curl_names(self, namespace: str) -> str:
        """The command that asks for the names."""
        selected = {"match[]": f'{{namespace="{namespace}"}}'}
        return self._session.curl("/api/v1/label/__name__/values", selected)

    def curl(self, promql: str) -> str:
        """The command that asks the same."""
        return self._session.curl("/api/v1/query", {"query": f"topk({MOST}, {promql})"})


def _key_metrics(at: Place, ask: Asking, service: Service) -> Iterator[Seen]:
    """Green's; before it is there, blue's. Where neither is scraped yet, others show the labels."""
    target, need = at.target, at.need("metrics")
    container = service.application(target.container).name
    sides = [
        MetricQueries(namespace, container, service.metrics)
        for namespace in (target.green_namespace, target.blue_namespace)
        if namespace
    ]
    metrics = [_of(ask, sides, number) for number in range(len(sides[0].every))]
    ours = [
        each
        for each in metrics
        if each.found in {SeriesPlace.HERE, SeriesPlace.UNLABELLED, SeriesPlace.OTHERWISE}
    ]
    missing = [
        each
        for each in metrics
        if each.found in {SeriesPlace.UNLABELLED, SeriesPlace.OTHERWISE, SeriesPlace.NOWHERE}
        or (each.found is SeriesPlace.ELSEWHERE and ours)
    ]
    if not missing:
        where = " or ".join(side.namespace for side in sides)
        said = (
            f"{len(metrics)} queries of the key metrics find series of {where}"
            if ours
            else f"nothing of {where} is scraped yet; others have the labels of {PAGE}"
        )
        yield at.seen("key metrics", said, need, origin=at.origin("green_namespace"), is_set=bool(ours))
        return
    for each in missing:
        yield _row(at, ask, each, "green_namespace", need)


def _of(ask: Asking, sides: Sequence[MetricQueries], number: int) -> MetricSeries:
    """The first side that has series of a query; else how the series are labelled that there are."""
    tried = [(side, selector) for side in sides for selector in side.every[number]]
    for side, selector in tried:
        if found := ask.any_of(selector):
            name = _name(selector)
            lacking = _lacking(found, side.labels(name))
            said = f"no label {' or '.join(lacking)} on {_labels(found)}" if lacking else ""
            return MetricSeries(name, selector, SeriesPlace.UNLABELLED if lacking else SeriesPlace.HERE, said)
    for side, selector in tried:
        name = _name(selector)
        if found := ask.any_of(f'{name}{{namespace="{side.namespace}"}}'):
            return MetricSeries(name, selector, SeriesPlace.OTHERWISE, _instead(selector, found))
    names = list(dict.fromkeys(_name(selector) for _, selector in tried))
    own = tried[0][1]
    for name in names:
        if found := ask.any_of(f'{name}{{namespace!=""}}'):
            said = f"expected series of {own}, saw those of other namespaces alone ({_labels(found)})"
            return MetricSeries(name, own, SeriesPlace.ELSEWHERE, said)
    for name in names:
        if found := ask.any_of(name):
            return MetricSeries(name, own, SeriesPlace.UNLABELLED, _instead(own, found))
    return MetricSeries(
        names[0], own, SeriesPlace.NOWHERE, f"expected series of {own}, saw no metric {names[0]}"
    )


def _ingress(at: Place, ask: Asking, service: Service) -> Iterator[Seen]:
    """The ingress' own counters: by them a quiet night is told from an outage."""
    named, target = at.target.quiet.ingress, at.target
    if named is not None:
        yield from _named(at, ask, "quiet.ingress", named, STATUS, "quiet", key="quiet")
        return
    if any(ask.any_of(selector) for selector in nginx_requests(target.namespace, service.ingress)):
        yield at.seen("quiet.ingress", "nginx' own counters have series", at.need("quiet"), is_set=False)
        return
    others = ask.any_of("nginx_ingress_controller_requests")
    seen = f"; there are {_labels(others)}" if others else ""
    said = f"none of nginx{seen}: a minute without requests is unreachable ([quiet] in docs/PROFILE.md)"
    yield at.seen("quiet.ingress", said, is_set=False)


def _named(
    at: Place, ask: Asking, setting: str, query: str | None, labels: Sequence[str], system: str, key: str = ""
) -> Iterator[Seen]:
    """A selector of the profile's own, if it names one. `labels`: any of these."""
    if query is None:
        return
    need, key = at.need(system), key or setting
    try:
        found = ask.any_of(f"({query})")
        name = _name(query) if not found else ""
        others = ask.any_of(name) if name else []
    except UnreachableError as error:
        cause = Cause(f"{setting}: {error}", (at.edit(key),))
        yield replace(at.seen(key, str(error), need, cause=cause), setting=at.label(setting))
        return
    if found and labels and not any(label in one.labels for one in found for label in labels):
        metric = MetricSeries(
            setting, query, SeriesPlace.UNLABELLED, f"no label {' or '.join(labels)} on {_labels(found)}"
        )
    elif found:
        seen = at.seen(key, f"finds series: {_labels(found)}", need)
        yield replace(seen, setting=at.label(setting))
        return
    elif others:
        metric = MetricSeries(setting, query, SeriesPlace.OTHERWISE, _instead(query, others))
    else:
        said = f"expected series of {query}, saw no metric {name}"
        metric = MetricSeries(setting, query, SeriesPlace.NOWHERE, said)
    yield _row(at, ask, metric, key, need)


def _row(at: Place, ask: Asking, metric: MetricSeries, key: str, need: Need) -> Seen:
    name, namespace = _name(metric.selector), at.target.green_namespace
    said, shown = metric.said, f"{ask.curl(name)}     # its labels"
    if metric.found in {SeriesPlace.NOWHERE, SeriesPlace.ELSEWHERE}:
        names = ask.names(namespace)
        near = ", ".join(
            get_close_matches(name, names, n=MOST) or few(names, MOST, "the command below names them")
        )
        said += f"; {namespace} has {near}" if names else f"; nothing of {namespace} is scraped"
        shown = f"{ask.curl_names(namespace)}     # all that there is"
    remedy = (f"{shown}; {PAGE}: which the queries need", at.edit(key))
    cause = Cause(f"{metric.name}: {said}", remedy, key=f"series {metric.name}")
    seen = at.seen(key, said, need, cause=cause)
    return replace(seen, setting=at.label(metric.name))


def _name(query: str) -> str:
    """Of the first metric in it; empty if a pattern stands for it."""
    return next((each.name or "" for each in selectors(query)), "")


def _instead(query: str, found: Iterable[Sample]) -> str:
    return f"no series of {query}; there are {_labels(found)}"


def _lacking(found: Sequence[Sample], labels: Sequence[str]) -> list[str]:
    return [label for label in labels if not any(label in one.labels for one in found)]


def _labels(found: Iterable[Sample]) -> str:
    """Of the first: its names and values."""
    labels = next(iter(found)).labels
    shown = [
        f'{name}="{shortened(value, 40)}"' for name, value in sorted(labels.items()) if name != "__name__"
    ]
    return ", ".join(shown) or "some without labels"
