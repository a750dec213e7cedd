"""What the window's lines say of the switch: one time, whichever clock the rest is told by."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.project.schedule import Window
from noxgate.window.watching import Watching

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

SWITCHED = datetime(2026, 1, 31, 2, tzinfo=UTC)
OPENED = SWITCHED + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (timedelta(), "switched 2026-01-31 02:00:00 UTC, opened 2026-01-31 02:05 UTC, ann watches"),
        (
            timedelta(hours=49, seconds=7),
            "switched 2026-02-02 03:00:07 UTC; by the clock of the day that is played opened 2026-01-31",
        ),
    ],
)
def test_the_switch_has_one_time(shift: timedelta, said: str, tmp_path: Path) -> None:
    """A rehearsal's sign-off page tells it at its head by the cluster's clock."""
    observed: list[Observation] = []
    window = Window(SWITCHED, OPENED, "ann", {}, {}, {}, shift)

    Watching(window, tmp_path, OPENED, observed.append).opened()

    assert observed[-1].seen.startswith(said)
