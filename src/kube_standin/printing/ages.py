"""How long ago something was, as the real server shortens it."""

from datetime import UTC, datetime
from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY


def age(moment: Any) -> str:
    """The time since a moment."""
    return short(seconds_since(moment)) if moment else "<unknown>"


def seconds_since(moment: str) -> int:
    return int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())


def short(seconds: int) -> str:
    """A duration in its two largest units, or in one where that is clear enough."""
    minutes, hours, days, years = (seconds // unit for unit in (MINUTE, HOUR, DAY, YEAR))
    steps = (
        (0, "0s"),
        (2 * MINUTE, f"{seconds}s"),
        (10 * MINUTE, _two(minutes, "m", seconds % 60, "s")),
        (3 * HOUR, f"{minutes}m"),
        (8 * HOUR, _two(hours, "h", minutes % 60, "m")),
        (2 * DAY, f"{hours}h"),
        (8 * DAY, _two(days, "d", hours % 24, "h")),
        (2 * YEAR, f"{days}d"),
        (8 * YEAR, _two(years, "y", days % 365, "d")),
    )
    return next((text for limit, text in steps if seconds < limit), f"{years}y")


def _two(large: int, unit: str, small: int, part: str) -> str:
    return f"{large}{unit}{small}{part}" if small else f"{large}{unit}"
