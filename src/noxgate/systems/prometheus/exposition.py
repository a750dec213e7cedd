"""Prometheus text exposition format: what a /metrics endpoint says."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One sample line: full series name (with _bucket, _total ...), labels, value."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse(text: str) -> list[Sample]:
    """The samples of a Prometheus text; AssertionError where it is none or has a series twice."""
    from prometheus_client.parser import (  # noqa: PLC0415 (most runs read no metrics)
        text_string_to_metric_families,
    )

    try:
        samples = [
            Sample(sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
    except (ValueError, IndexError, KeyError) as error:
        raise AssertionError(f"not Prometheus text: {error}") from None
    series = Counter((sample.name, frozenset(sample.labels.items())) for sample in samples)
    twice = sorted(f"{name} {dict(labels)}" for (name, labels), count in series.items() if count > 1)
    assert twice == [], f"not Prometheus text: twice {', '.join(twice)}"
    return samples


def histograms(samples: Iterable[Sample], name: str) -> list[dict[float, float]]:
    """The histograms of that name, one for each set of labels: upper bound -> requests counted up to it."""
    found: dict[frozenset[tuple[str, str]], dict[float, float]] = {}
    for sample in samples:
        if sample.name == f"{name}_bucket":
            others = frozenset(item for item in sample.labels.items() if item[0] != "le")
            found.setdefault(others, {})[float(sample.labels.get("le", "nan"))] = sample.value
    return [dict(sorted(buckets.items())) for buckets in found.values()]
