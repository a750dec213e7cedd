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


def repeatedly(
    look: Callable[[], T], *, during: float, every: float, hopeless: Callable[[T], bool] | None = None
) -> list[T]:
    """Look at the start and then every so many seconds until the time is over; at least twice.

    Once, where the first look is `hopeless`.
    """
    started = time.monotonic()
    found = [look()]
    if hopeless is not None and hopeless(found[0]):
        return found
    while True:
        looked = time.monotonic() - started
        due = len(found) * every
        if due > during and len(found) > 1:
            return found
        time.sleep(max(0.0, due - looked))  # noqa: TID251 (the one place that sleeps)
        found.append(look())


def pause(seconds: float) -> None:
    """Let so much time pass, for what is about a time; returns at once if it is over already."""
    time.sleep(max(0.0, seconds))  # noqa: TID251 (the one place that sleeps)
