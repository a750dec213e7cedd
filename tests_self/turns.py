"""Tests run beside each other; a load test that was late beside them is made again with none beside it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent  # folders are what is locked: nothing is left behind
RUNNING, DOOR = HERE, HERE / "proof"
_test: int | None = None  # the lock of the test that this process runs


@contextmanager
def beside_others() -> Iterator[None]:
    """A test runs; it starts once no other is alone or waits for it."""
    global _test  # noqa: PLW0603 (the test itself may ask to be alone)
    door = _opened(DOOR, fcntl.LOCK_EX)
    _test = _opened(RUNNING, fcntl.LOCK_SH)
    os.close(door)
    try:
        yield
    finally:
        os.close(_test)
        _test = None


@contextmanager
def alone() -> Iterator[None]:
    """Every other test has ended, and none starts."""
    assert _test is not None, "a test asks for this, nothing else does"
    fcntl.flock(_test, fcntl.LOCK_UN)  # another who waits at the door would wait for this one, too
    door = _opened(DOOR, fcntl.LOCK_EX)
    try:
        fcntl.flock(_test, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(_test, fcntl.LOCK_SH)
        os.close(door)


def _opened(folder: Path, how: int) -> int:
    opened = os.open(folder, os.O_RDONLY)
    fcntl.flock(opened, how)
    return opened
