"""Durations as Prometheus writes them."""

import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def seconds(duration: object) -> float:
    """A duration of Prometheus, such as 1m30s."""
    return sum(
        int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", str(duration))
    )
