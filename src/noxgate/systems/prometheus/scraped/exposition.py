"""What a /metrics endpoint says, as a scrape of Prometheus keeps it (docs/METRICS.md)."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from noxgate.look.http import Answer
from noxgate.look.observation import shortened
from noxgate.systems.prometheus.scraped.text import ReadSample, openmetrics, plain
from noxgate.systems.prometheus.scraped.words import NAME, LostError

# What Prometheus 2.x asks with; 3.x asks for the same formats, in other words.
ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PATH = "/metrics"
_ELSEWHERE = (301, 302, 307, 308)
TEXT, OPENMETRICS = "text/plain", "application/openmetrics-text"
# Of a sample's own time: what is older, or later than that from now, is dropped alone.
_OLDEST, _LATEST = 3600, 600
_NAME = re.compile(NAME)
_WORD = r"[\w!#$%&'*+.^`|~-]+"
_ONE = rf'\s*;\s*{_WORD}\s*=\s*(?:{_WORD}|"(?:[^"\\]|\\.)*")'
_CONTENT_TYPE = re.compile(rf"\s*(?P<kind>{_WORD}/{_WORD})\s*(?P<parameters>(?:{_ONE})*)\s*;?\s*", re.ASCII)
_PARAMETER = re.compile(rf";\s*({_WORD})\s*=", re.ASCII)


@dataclass(frozen=True)
class ScrapedSample:
    """One sample line: full series name (with _bucket, _total ...), labels, value."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Scrape:
    """What a scrape keeps; `dropped` says which single samples it does not."""

    samples: Sequence[ScrapedSample] = field(repr=False)
    dropped: Sequence[str] = ()


def parse(content: bytes | str, content_type: str = TEXT) -> list[ScrapedSample]:
    """The samples of an answer. Raises AssertionError if Prometheus would lose them all, or some."""
    scrape = scraped(content, content_type)
    assert list(scrape.dropped) == [], f"a scrape drops samples: {shortened('; '.join(scrape.dropped))}"
    return list(scrape.samples)


def read(answer: Answer) -> list[ScrapedSample]:
    """The samples of what was answered, by its content type."""
    return parse(answer.content or answer.text, answer.headers.get("content-type", ""))


def scraped(content: bytes | str, content_type: str = TEXT, now: float | None = None) -> Scrape:
    """What a scrape keeps of an answer, by its content type. Raises AssertionError if it loses all of it."""
    content = content.encode() if isinstance(content, str) else content
    samples = openmetrics if media_type(content_type) == OPENMETRICS else plain
    try:
        return _kept(_named(samples(content)), time.time() if now is None else now)
    except LostError as error:
        number = content.count(b"\n", 0, error.at) + 1
        lines = content.split(b"\n")
        line = lines[number - 1] if number <= len(lines) else b""
        seen = shortened(line.decode("utf-8", "replace"), 120)
        raise AssertionError(
            f"not Prometheus text: the whole scrape is lost at line {number}: {error}: {seen!r}"
        ) from None


def asked(get: Callable[[str], Answer]) -> Answer:
    """What /metrics answers; a scrape follows where an application mounts it: to the same with a slash."""
    answer = get(PATH)
    to = urlsplit(answer.headers.get("location", "")).path
    return get(to) if answer.status in _ELSEWHERE and to == f"{PATH}/" else answer


def media_type(content_type: str) -> str:
    """Of a Content-Type, such as text/plain; empty if Go cannot read it, parameters and all."""
    found = _CONTENT_TYPE.fullmatch(content_type)
    parameters = [name.lower() for name in _PARAMETER.findall(found["parameters"])] if found else []
    if found is None or len(set(parameters)) < len(parameters):
        return ""
    return found["kind"].lower()


def histograms(samples: Iterable[ScrapedSample], name: str) -> list[dict[float, float]]:
    """The histograms of that name, one for each set of labels: upper bound -> requests counted up to it."""
    found: dict[frozenset[tuple[str, str]], dict[float, float]] = {}
    for sample in samples:
        if sample.name == f"{name}_bucket":
            others = frozenset(item for item in sample.labels.items() if item[0] != "le")
            found.setdefault(others, {})[_bound(sample)] = sample.value
    return [dict(sorted(buckets.items())) for buckets in found.values()]


def _named(read: Iterator[ReadSample]) -> Iterator[tuple[ScrapedSample, int | None]]:
    """The samples with names and labels that Prometheus takes. Raises LostError for the first with others."""
    for each in read:
        named = [("__name__", each.name.decode("utf-8", "replace")), *each.labels]
        empty = {label for label, value in named if not value}
        labels = [(label, value) for label, value in named if label not in empty]
        twice = sorted({label for label, _ in labels if [name for name, _ in labels].count(label) > 1})
        if twice:
            raise LostError(each.at, f"expected each label once, saw {', '.join(twice)} twice")
        if not _NAME.fullmatch(each.name):
            raise LostError(each.at, "expected the name of a metric first in its line, saw blanks before it")
        found = dict(labels)
        yield ScrapedSample(found.pop("__name__"), found, each.value), each.milliseconds


def _kept(samples: Iterator[tuple[ScrapedSample, int | None]], now: float) -> Scrape:
    kept: dict[tuple[str, frozenset[tuple[str, str]]], ScrapedSample] = {}
    dropped = []
    for sample, milliseconds in samples:
        series = f"{sample.name} {dict(sample.labels)}"
        key = (sample.name, frozenset(sample.labels.items()))
        seconds = now if milliseconds is None else milliseconds / 1000
        if seconds < now - _OLDEST:
            dropped.append(f"{series} is of {now - seconds:.0f} s ago")
        elif seconds > now + _LATEST:
            dropped.append(f"{series} is {seconds - now:.0f} s in the future")
        elif key in kept:
            dropped.append(f"{series} twice: {kept[key].value:g} and {sample.value:g}")
        else:
            kept[key] = sample
    return Scrape(list(kept.values()), dropped)


def _bound(sample: ScrapedSample) -> float:
    """Of a bucket. Raises AssertionError if it is missing, as Prometheus' own parser leaves it out."""
    said = sample.labels.get("le", "")
    try:
        return float(said)
    except ValueError:
        raise AssertionError(f"{sample.name}: expected le with a number, saw {said!r}") from None
