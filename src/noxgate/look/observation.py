"""What every client shares: observations, and a limit on the time that looking may cost."""

import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.secret_forms import redacted

T = TypeVar("T")
LONGEST_SECRET = 4_000  # characters


@dataclass(frozen=True)
class Observation:
    """One thing that a client saw, and the command a person would type to see it again.

    `kept` is a folder of files that belong to the evidence, such as a load test's result. `measured` are the
    least and the most of the numbers that were seen: whoever needs a number takes it from here.
    """

    seen: str
    repeat: str
    kept: Path | None = None
    measured: tuple[float, float] | None = None


Observe = Callable[[Observation], None]
Fact = Callable[[str, str], None]  # a name and a value, of the release itself: it is signed with the evidence


def least_and_most(numbers: Sequence[float]) -> tuple[float, float] | None:
    """None if a value is missing or NaN: then the least is unknown."""
    return (min(numbers), max(numbers)) if numbers and all(map(math.isfinite, numbers)) else None


class Patience:
    """Limits the time that one system may cost a run by not answering.

    A single look may take `look` seconds in all, each wait included (a name server, a connection, one byte
    after another). Once looks have run into that limit for `total` seconds, further ones fail at once.
    """

    def __init__(self, address: str, *, look: float = 10, total: float = 20) -> None:
        self.address = address
        self._look = look
        self._left = total
        self._behind: list[threading.Thread] = []

    def run(self, function: Callable[[], T]) -> T:
        """Call `function` in a thread of its own; UnreachableError when it takes too long."""
        if self._left <= 0:
            raise UnreachableError(f"{self.address}: not tried again: it kept earlier looks waiting")
        answers: queue.SimpleQueue[tuple[bool, T | BaseException]] = queue.SimpleQueue()

        def answer() -> None:
            try:
                answers.put((True, function()))
            except BaseException as error:  # noqa: BLE001 (handed to the caller's thread, nothing is swallowed)
                answers.put((False, error))

        started = time.monotonic()
        thread = threading.Thread(target=answer, daemon=True, name=f"look at {self.address}")
        try:
            thread.start()
            done, result = answers.get(timeout=self._look)
        except queue.Empty:
            self._behind.append(thread)
            self.lost(time.monotonic() - started)
            raise UnreachableError(f"{self.address}: no answer in {self._look:g} s") from None
        except BaseException:  # Ctrl-C: what the run closes and writes then is not for this thread
            self._behind.append(thread)
            raise
        if done:
            return result  # type: ignore[return-value]
        raise result  # type: ignore[misc]

    def lost(self, seconds: float) -> None:
        """Count seconds spent on waiting in vain."""
        self._left -= seconds

    def close(self, close: Callable[[], object]) -> None:
        """Call `close`, which ends the connections of these looks, once none that was left still reads one.

        OpenSSL keeps the number of a connection's file. Closed meanwhile, that is another file by then: five
        bytes are taken of it for the head of a record, and an alert is written to it.
        """
        if not (behind := [one for one in self._behind if one.is_alive()]):
            close()
            return

        def at_last() -> None:
            for one in behind:
                one.join()
            close()

        threading.Thread(target=at_last, daemon=True, name=f"close {self.address}").start()


def exported(variable: str) -> str:
    """A variable in a command that people repeat: the shell stops and says so where it is not set.

    Without that, `psql ""` asks a server of its own choice.
    """
    return f"${{{variable}:?}}"


def shortened(text: str, limit: int = 400) -> str:
    """One line of at most `limit` characters, saying how much is left out; control characters spelled out.

    An answer must not be able to move a terminal's cursor, or to write what no file can hold. What is cut is
    redacted before: half a token would not be recognised.
    """
    line = " ".join(text.split())
    line = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
    if len(line) <= limit:
        return line
    return f"{redacted(line[: limit + LONGEST_SECRET])[:limit]}… ({len(line)} characters)"


def cut(text: str, most: int) -> str:
    """One row of at most `most` characters; the last is … if there was more."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def few(names: Sequence[str], most: int, where: str) -> list[str]:
    """The first of many, how many more there are, and `where` a person reads all of them."""
    more = len(names) - most
    return [*names[:most], f"… and {more} more: {where}"] if more > 0 else list(names)


def without_middle(text: str, most: int, where: str) -> str:
    """At most about `most` characters, and `where` all of it is: what to do stands at a text's end."""
    begins, ends = most * 3 // 4, most // 4
    if len(text) <= most:
        return text
    return f"{text[:begins]}… ({len(text) - begins - ends} more characters: {where}) …{text[-ends:]}"
