"""Prometheus text exposition format: what a /metrics endpoint says."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Sample:
    """One sample line: full series name (with _bucket, _total ...), labels, value."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse(text: str) -> list[Sample]:
    """The samples of a Prometheus text; AssertionError where the text is not in that format."""
    try:
        return [
            Sample(sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
    except (ValueError, IndexError, KeyError) as error:
        raise AssertionError(f"not Prometheus text: {error}") from None
