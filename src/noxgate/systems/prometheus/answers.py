"""What Prometheus' HTTP API answers, read strictly: what is not whole and proper is not an answer."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.observation import shortened
from noxgate.machine.late import late

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

T = TypeVar("T")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
NOTE = "PromQL info"
LET_IN = (
    "prometheus_token or prometheus_password, USER:PASSWORD, under [credentials] names the variable of one "
    "that may read"
)
_NEVER = 1  # the year of Go's zero time

Labels = Mapping[str, str]


@dataclass(frozen=True)
class ScrapeTarget:
    """One active target. `pool` is the scrape job, such as serviceMonitor/NAMESPACE/NAME/0."""

    job: str
    pool: str
    url: str
    health: str  # up, down, unknown
    last_error: str
    last_scrape: datetime | None
    every_seconds: float | None
    labels: Labels


@dataclass(frozen=True)
class Alert:
    """One alert that is pending or firing."""

    name: str
    state: str
    since: datetime | None
    value: float
    labels: Labels
    annotations: Labels


@dataclass(frozen=True)
class Rule:
    """One rule as it is loaded; `query` in Prometheus' own spelling."""

    group: str
    name: str
    query: str
    type: str  # alerting, recording
    health: str  # ok, err, unknown
    last_error: str
    last_evaluation: datetime | None
    evaluation_seconds: float
    every_seconds: float  # its group's interval
    for_seconds: float
    labels: Labels
    annotations: Labels
    alerts: Sequence[Alert]


@dataclass(frozen=True)
class Sample:
    """One series' value at one time; it may be NaN or infinite."""

    labels: Labels
    value: float
    at: datetime


@dataclass(frozen=True)
class Series:
    """One series' values over a time."""

    labels: Labels
    points: Sequence[tuple[datetime, float]] = field(repr=False)


def read_answer(response: "httpx.Response", text: str, read: Callable[[Any], T]) -> tuple[T, Sequence[str]]:
    """What `read` makes of an answer's data, and the notes on it.

    Raises UnreachableError if the answer cannot be read. A warning says that data are missing, or that a
    number is not one. A note does not: it is an `info`, or, of
    a Prometheus before 3.0, a warning that begins so.
    """
    where = f"{response.url.copy_with(query=None)}"
    said = f"HTTP {response.status_code}"
    if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        said += f" ({LET_IN})"
    if response.is_redirect:
        to = urlsplit(response.headers.get("location", ""))
        raise UnreachableError(
            f"{where}: expected an answer of Prometheus, saw {said} to {to.netloc}{to.path} (to sign in?)"
        )
    try:
        document = json.loads(text, parse_constant=_not_json)
        state = document["status"]
    except (ValueError, RecursionError, TypeError, KeyError):
        seen = shortened(text, 160) or "an empty body"
        raise UnreachableError(f"{where}: expected an answer of Prometheus, saw {said}: {seen}") from None
    if state != "success" or response.status_code != httpx.codes.OK:
        problem = shortened(f"{document.get('errorType', '')}: {document.get('error', '')}")
        raise UnreachableError(f"{where}: expected success, saw {said}, {problem}")
    said_besides = [*_texts(document.get("warnings")), *_texts(document.get("infos"))]
    warnings = [one for one in _texts(document.get("warnings")) if not one.startswith(NOTE)]
    if warnings:
        raise UnreachableError(
            f"{where}: expected an answer without warnings, saw {shortened('; '.join(warnings))}"
        )
    try:
        return read(document["data"]), said_besides
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreachableError(
            f"{where}: expected Prometheus' form of an answer, saw {shortened(text, 160)} "
            f"({type(error).__name__}: {shortened(str(error), 80)})"
        ) from None


def targets(data: Any) -> list[ScrapeTarget]:
    """Of /api/v1/targets."""
    return [
        ScrapeTarget(
            job=one["labels"].get("job", ""),
            pool=one.get("scrapePool", ""),
            url=one["scrapeUrl"],
            health=one["health"],
            last_error=one["lastError"],
            last_scrape=_time(one["lastScrape"]),
            every_seconds=_seconds(one.get("scrapeInterval")),
            labels=dict(one["labels"]),
        )
        for one in data["activeTargets"]
    ]


def rules(data: Any) -> list[Rule]:
    """Of /api/v1/rules."""
    return [
        Rule(
            group=group["name"],
            name=one["name"],
            query=one["query"],
            type=one["type"],
            health=one["health"],
            last_error=one.get("lastError", ""),
            last_evaluation=_time(one["lastEvaluation"]),
            evaluation_seconds=float(one["evaluationTime"]),
            every_seconds=float(group["interval"]),
            for_seconds=float(one.get("duration", 0)),
            labels=dict(one.get("labels") or {}),
            annotations=dict(one.get("annotations") or {}),
            alerts=alerts({"alerts": one.get("alerts") or []}),
        )
        for group in data["groups"]
        for one in group["rules"]
    ]


def alerts(data: Any) -> list[Alert]:
    """Of /api/v1/alerts."""
    return [
        Alert(
            name=one["labels"]["alertname"],
            state=one["state"],
            since=_time(one["activeAt"]),
            value=float(one["value"]),
            labels=dict(one["labels"]),
            annotations=dict(one.get("annotations") or {}),
        )
        for one in data["alerts"]
    ]


def samples(data: Any) -> list[Sample]:
    """Of /api/v1/query: a scalar is one sample without labels."""
    if data["resultType"] == "scalar":
        at, value = data["result"]
        return [Sample({}, float(value), _at(at))]
    if data["resultType"] != "vector":
        raise ValueError(f"expected a vector, saw a {data['resultType']}")
    return [
        Sample(dict(one["metric"]), float(one["value"][1]), _at(one["value"][0])) for one in data["result"]
    ]


def series(data: Any) -> list[Series]:
    """Of /api/v1/query_range, and of /api/v1/query where a range is selected."""
    if data["resultType"] != "matrix":
        raise ValueError(f"expected a matrix, saw a {data['resultType']}")
    return [
        Series(dict(one["metric"]), [(_at(at), float(value)) for at, value in one["values"]])
        for one in data["result"]
    ]


def text(data: Any) -> str:
    """Of /api/v1/format_query."""
    if not isinstance(data, str):
        raise TypeError(f"expected text, saw {type(data).__name__}")
    return data


def _texts(said: Any) -> list[str]:
    """Warnings, or notes, as texts; a field that is not a list counts as one."""
    if not said:
        return []
    return [str(one) for one in said] if isinstance(said, list) else [str(said)]


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _time(value: str) -> datetime | None:
    """A time; None for Go's zero time, which stands for never."""
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(f"expected a time with its zone, saw {value}")
    return None if found.year == _NEVER else found.astimezone(UTC)


def _seconds(duration: str | None) -> float | None:
    """A duration such as 1m30s; None if the server does not say."""
    if duration is None:
        return None
    parts = re.findall(r"(\d+)(ms|[smhdwy])", duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"expected a duration, saw {duration}")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def _not_json(constant: str) -> None:
    raise ValueError(constant)


def alertmanager_version(response: "httpx.Response", text: str) -> str:
    """Of /api/v2/status. Raises UnreachableError, in one line, if that is not an Alertmanager."""
    try:
        document = json.loads(text)
        version = document["versionInfo"]["version"]
    except (ValueError, RecursionError, TypeError, KeyError):
        version = None
    if not response.is_success or not isinstance(version, str):
        raise UnreachableError(
            f"{response.url}: expected the status of an Alertmanager, saw HTTP {response.status_code}: "
            f"{shortened(text, 120) or 'an empty body'}"
        )
    return version
