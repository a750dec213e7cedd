"""`make attack`: its controls, some of its ways, and what it makes of them. The rest takes minutes."""

from pathlib import Path

import pytest
from tests_self.attack.__main__ import WAYS, judge, main
from tests_self.attack.attempt import Seen, Way, played
from tests_self.attack.controls import Controls, controls
from tests_self.attack.ways.persons import PERSONS
from tests_self.attack.ways.places import PLACES
from tests_self.attack.ways.unseen import OPEN
from tests_self.attack.world import World

GOOD = Seen("GO", "VERIFIED", "passed", "")
ILL = Seen("NO-GO", "REFUSED", "failed", "refused")
QUICK = ("edited check, assume-unchanged", "NO-GO removed")


def test_controls_and_some_ways(tmp_path: Path) -> None:
    """The untampered run is believed, the degraded one is not, and neither is a way."""
    world = World(tmp_path / "world")
    try:
        found = controls(world)
        assert found.wrong() == ""
        for way in (way for way in WAYS if way.name in QUICK):
            seen = played(world, way)
            assert not seen.believed, (way.name, seen)
            assert seen.verify == "REFUSED", (way.name, seen)
    finally:
        world.close()


def test_each_way_has_a_name_of_its_own() -> None:
    names = [way.name for way in (*WAYS, *PERSONS, *PLACES, *OPEN)]

    assert len(set(names)) == len(names)
    assert set(QUICK) < set(names)


@pytest.mark.parametrize(
    ("seen", "believed"),
    [
        (GOOD, True),
        (ILL, False),
        (Seen("GO", "REFUSED", "unproven", ""), False),
        (Seen("NO-GO", "VERIFIED", "failed", ""), True),
        (Seen("GO", "REFUSED", "passed", ""), True),
        (Seen("INCONCLUSIVE", "REFUSED", "waived", ""), True),
        (Seen("none", "exit 4", "no page", ""), False),
    ],
)
def test_what_is_believed(seen: Seen, *, believed: bool) -> None:
    """By whoever reads the gate and verify, or verify alone, or the page."""
    assert seen.believed is believed


@pytest.mark.parametrize(
    ("good", "ill", "believed", "status", "said"),
    [
        (GOOD, ILL, 0, 0, "PASSED    3 ways, and none was believed"),
        (GOOD, ILL, 1, 1, "FAILED    a way: believed"),
        (ILL, ILL, 0, 1, "FAILED    the untampered run is not GO and VERIFIED"),
        (GOOD, GOOD, 0, 1, "FAILED    the degraded run is not NO-GO and REFUSED"),
    ],
)
def test_exit_status(
    capsys: pytest.CaptureFixture[str], good: Seen, ill: Seen, believed: int, status: int, said: str
) -> None:
    ways = [Way("a way", lambda _: None)] * believed

    assert judge(Controls(good, ill, []), ways, 3) == status
    assert said in capsys.readouterr().out


def test_no_way_of_such_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that played nothing is a failure."""
    with pytest.raises(SystemExit) as end:
        main(["--only", "no such way"])

    assert end.value.code == 2
    assert "--only: no way is called like 'no such way'" in capsys.readouterr().err
