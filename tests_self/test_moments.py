"""The rehearsed day only moves forward. That its moments are right, the sabotages' tests show."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from noxgate.rehearsal import moments, persons
from noxgate.rehearsal.error import RehearsalError
from noxgate.rehearsal.state import World

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
