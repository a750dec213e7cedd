"""The rehearsed day only moves forward. That its moments are right, the sabotages' tests show."""

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from nox_rehearsal.day import moments
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.people import persons
from nox_rehearsal.world.state import World

FILLING: dict[Any, Any] = {str: "day", int: 1, Path: Path(), tuple: ()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """No more than its folder."""
    (tmp_path / "release.toml").touch()
    filling = {each.name: FILLING.get(each.type, {}) for each in fields(World)}
    return World(**filling | {"folder": tmp_path})


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The moments that were acted; nothing else happens."""
    acted: list[str] = []
    monkeypatch.setattr(persons, "attest_all", lambda *_: None)
    for moment in moments.ORDER[1:]:
        monkeypatch.setitem(moments.MOMENTS, moment, lambda *_, moment=moment: acted.append(moment))
    return acted


def test_through_every_moment_between(world: World, done: list[str]) -> None:
    assert moments.at(world) == "start"
    moments.bring(world, "green")
    assert (moments.at(world), done) == ("green", ["prep", "green"])
    moments.bring(world, "green")
    moments.bring(world, "rollback")

    assert done == ["prep", "green", "live", "watch", "window", "rollback"]
    times = moments.reached(world)
    assert list(times) == list(moments.ORDER)
    assert sorted(times.values()) == list(times.values())


def test_never_back(world: World, done: list[str]) -> None:
    moments.bring(world, "live")
    with pytest.raises(RehearsalError, match=r"^the rehearsal 'day' is at live and only moves forward: "):
        moments.bring(world, "prep")

    assert done == ["prep", "green", "live"]


def test_a_moment_that_fails_is_not_reached(
    world: World, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RehearsalError("no")

    monkeypatch.setitem(moments.MOMENTS, "green", fails)
    with pytest.raises(RehearsalError, match=r"^no$"):
        moments.bring(world, "live")

    assert (moments.at(world), done) == ("prep", ["prep"])


def test_no_such_moment(world: World) -> None:
    known = "start, prep, green, live, watch, window, rollback"
    with pytest.raises(RehearsalError, match=rf"^no moment 'night' \(moments: {known}\)$"):
        moments.bring(world, "night")


class Slow:
    """A public host that has the other version after so many seconds; a second passes with each question."""

    def __init__(self, after: float) -> None:
        self.now, self._after = 0.0, after

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, _: str) -> Any:
        self.now += 1
        version = "8.0.0" if self.now > self._after else "7.9.3"
        return SimpleNamespace(status_code=200, text=version, json=lambda: {"version": version})

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("after", [1, 30, 1000])
def test_a_switch_is_waited_for(after: float, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve seconds were seen on a busy machine; one that never comes is one line."""
    slow = Slow(after)
    monkeypatch.setattr(moments, "trusting", lambda _: None)
    monkeypatch.setattr("httpx.Client", lambda **_: slow)
    monkeypatch.setattr("noxgate.look.waiting.time", slow)

    if after < moments.SWITCHING:
        moments.wait_for(world, "8.0.0")
        return
    with pytest.raises(RehearsalError, match=r"^users do not get 8\.0\.0 after 60 s: 7\.9\.3"):
        moments.wait_for(world, "8.0.0")
