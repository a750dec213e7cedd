"""Python's garbage collector, held off while users are there: nothing else runs while it looks.

Users and all that was imported stay: to look through 1,500 of them takes 50 ms. What came since then is
little, for a request leaves nothing behind; it is counted each second, and looked through where it is much.
"""

import gc
from typing import Any

import gevent  # type: ignore[import-untyped]

MOST = 50_000  # objects that may have come: some 10 MB, and 5 ms to look through them
EVERY = 1.0  # seconds


def hold_off(**_: Any) -> None:
    """Never look again at what there is now, and by itself at nothing."""
    gc.collect()
    gc.freeze()
    gc.disable()


def bound(**_: Any) -> None:
    """Keep what is garbage bounded, for as long as this process runs."""
    gevent.spawn(_look_each_second)


def _look_each_second() -> None:
    while True:
        gevent.sleep(EVERY)
        if not gc.isenabled() and gc.get_count()[0] > MOST:
            gc.collect()
