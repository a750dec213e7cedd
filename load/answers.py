"""What an answer of the science says: a job that was taken, a job that ended, a number."""

import re
from collections.abc import Iterator
from typing import Any

JOB_SECONDS = 60.0  # that a job may take in all
LOOK_AGAIN = 0.25  # seconds between two looks at a job
JOB_ID = re.compile(r"[\w.~-]+", re.ASCII)  # what may stand in a path
DONE, TAKEN_ON = 200, 202
TAKEN = frozenset({DONE, TAKEN_ON})
COMPLETED = "completed"
UNDER_WAY = ("queued", "running")  # no set: what is compared with it may be a list

MOST = 1e300  # of a number: an integer beyond that cannot be reckoned with

Bounds = tuple[float, float]


def within(document: Any, bounds: Bounds) -> float | None:
    """The first number of a document that is between the bounds, itself or (m/s as km/s) a thousandth."""
    low, high = bounds
    for number in numbers(document):
        if low <= number <= high or low <= number / 1000 <= high:
            return number
    return None


def numbers(document: Any) -> Iterator[float]:
    """All of them, in order, at any depth: it is not followed by calls, which have an end."""
    left = [document]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left.extend(reversed(part.values()))
        elif isinstance(part, list):
            left.extend(reversed(part))
        elif isinstance(part, int | float) and not isinstance(part, bool) and abs(part) < MOST:
            yield part
