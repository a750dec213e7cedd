"""Holds as a recorder would have measured them."""

import random
from array import array
from collections import Counter
from collections.abc import Sequence

from noxgate.slo.holds import Hold, Second
from noxgate.slo.slos import Slo, SloJudgement, SloOutcome, judge

PASSED, UNDECIDED, UNREACHABLE, FAILED = SloOutcome
GOOD = (200, "")
Requests = Sequence[tuple[float, int, str]]  # seconds, status, reason


def seeded(seed: int) -> random.Random:
    """The same chance each time."""
    return random.Random(seed)  # noqa: S311


def second(requests: Requests) -> Second:
    """What a recorder makes of requests."""
    over = {limit: sum(time > limit for time, *_ in requests) for limit in (0.3, 0.5, 2.0)}
    outcomes = Counter((status, reason) for _, status, reason in requests)
    return Second(array("d", [time for time, *_ in requests]), outcomes, over)


def of(slo: Slo, on: Hold, name: str = "data") -> SloJudgement:
    """The judgement about one class, or about all together."""
    return {judgement.name: judgement for judgement in judge(slo, on)}[name if slo.each else slo.only]
