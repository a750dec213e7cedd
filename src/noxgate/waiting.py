"""Waiting for something to become true: the one place that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(assertion: Callable[[], T], *, within: float, every: float = 1.0) -> T:
    """Call `assertion` until it no longer raises AssertionError, and return its value.

    After `within` seconds the last AssertionError is raised, with the number of looks as a note.
    Any other exception ends the wait at once: a client that cannot look does not get better by waiting.
    """
    started = time.monotonic()
    looks = 0
    while True:
        looks += 1
        try:
            return assertion()
        except AssertionError as mismatch:
            waited = time.monotonic() - started
            if waited + every > within:
                mismatch.add_note(f"still so after {looks} looks in {waited:.1f} s (limit {within:g} s)")
                raise
        time.sleep(every)  # noqa: TID251 (this is the one place)
