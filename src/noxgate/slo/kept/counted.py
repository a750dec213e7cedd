"""What of a load test the application's own counters must have counted."""

from collections.abc import Collection

from noxgate.errors import UnreachableError
from noxgate.slo.plan import CLASSES
from noxgate.slo.result import Result

WEBSOCKET = "websocket"  # messages are not answers
GOOD = range(200, 300)


def from_application(result: Result, uncounted: Collection[str] = ()) -> int:
    """The answers that came from the application for sure: right ones. An ingress has errors of its own."""
    return sum(
        count
        for name, by in result.seconds.items()
        if name != WEBSOCKET and name not in uncounted
        for second in by.values()
        for (status, reason), count in second.outcomes.items()
        if status in GOOD and not reason
    )


def less_counted(
    result: Result,
    uncounted: Collection[str],
    seen: float,
    unseen: float = 0,
    gaps: int = 0,
    first: float = 0,
) -> str:
    """Why the application did not count as many; empty if it did.

    It counted `seen`, and maybe `unseen` between two looks of Prometheus. Raises UnreachableError if that had
    `gaps` in which more may have been lost, or if it depends on the `first` values of counters that may
    be older than the test.
    """
    if unknown := sorted(set(uncounted) - set(CLASSES)):
        raise UnreachableError(
            f"load_counters: uncounted: expected classes ({', '.join(CLASSES)}), saw {unknown[0]!r}"
        )
    answers = from_application(result, uncounted)
    if answers <= seen + unseen:
        return ""
    counted = f"{answers} right answers, and the application's own counters grew by {seen + unseen:.0f}"
    if answers <= seen + unseen + first:
        raise UnreachableError(
            f"{counted}; series began with {first:.0f} more, which may be older than the load test"
        )
    if gaps:
        raise UnreachableError(
            f"{counted}: Prometheus missed {gaps} looks, in which they may have been reset"
        )
    return f"has {counted} from {result.started} to {result.ended}: it did not answer them"
