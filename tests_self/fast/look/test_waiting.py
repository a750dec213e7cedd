"""eventually: looks again until it is true or too late."""

from collections.abc import Callable

import pytest

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually


class Clock:
    """Time that passes when somebody sleeps: a machine that stands still does not count."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("noxgate.look.waiting.time", found)
    return found


def after(number: int) -> Callable[[], int]:
    """An assertion that holds from look `number` on, and returns that number."""
    looks = 0

    def look() -> int:
        nonlocal looks
        looks += 1
        assert looks >= number, f"look {looks}"
        return looks

    return look


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_returns_the_value_once_true(looks: int) -> None:
    """At the first look that holds."""
    assert eventually(after(looks), within=5, every=0.001) == looks


def test_true_at_once_does_not_wait(clock: Clock) -> None:
    """Not even for the interval."""
    started = clock.now

    eventually(after(1), within=60, every=60)

    assert clock.now == started


def test_deadline_keeps_the_last_mismatch_and_counts_looks() -> None:
    """The note says how long it was so."""
    with pytest.raises(AssertionError, match="look") as caught:
        eventually(after(1000), within=0.1, every=0.02)

    (note,) = caught.value.__notes__
    looks = int(str(caught.value).removeprefix("look ").split()[0])
    assert note.startswith(f"still so after {looks} looks in 0.")
    assert note.endswith("(limit 0.1 s)")
    assert looks > 1


@pytest.mark.parametrize("error", [UnreachableError("away"), KeyError("x"), ValueError("x")], ids=repr)
def test_other_errors_end_the_wait_at_once(error: Exception) -> None:
    """Waiting does not mend them."""
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        raise error

    with pytest.raises(type(error)):
        eventually(look, within=60, every=30)

    assert looks == 1


@pytest.mark.parametrize(("within", "every"), [(0.2, 0.05), (0.1, 60), (0, 1), (0.1, 0.03)])
def test_never_longer_than_within(clock: Clock, within: float, every: float) -> None:
    """It does not start to sleep where it would wake up too late."""
    started = clock.now

    with pytest.raises(AssertionError):
        eventually(after(10_000), within=within, every=every)

    assert clock.now - started <= within


def test_looks_once_even_without_time() -> None:
    """A limit of nothing is still one look."""
    assert eventually(after(1), within=0) == 1
