"""What a person reads while a day is played: a line for each thing that happens, a bar while one waits."""

import sys
import time

WIDTH = 30


class Clock:
    """Says what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._is_bar = False

    def say(self, what: str) -> None:
        self._clear()
        print(f"[{self._now():5.1f} s] {what}", flush=True)

    def wait(self, what: str, done: float | None = None) -> None:
        """Say what is waited for, and how much is done from 0 to 1, where the next line will stand.

        On a terminal alone.
        """
        if not sys.stdout.isatty():
            return
        bar = "" if done is None else f" [{'=' * round(min(max(done, 0), 1) * WIDTH):<{WIDTH}}]"
        print(f"\r[{self._now():5.1f} s] {what}{bar}", end="", flush=True)
        self._is_bar = True

    def _clear(self) -> None:
        if self._is_bar:
            print("\r\x1b[K", end="")
            self._is_bar = False

    def _now(self) -> float:
        return time.monotonic() - self._started
