"""Ramps: how many users a load test has when, and how it is judged. Read from `load/ramps.toml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from noxgate.errors import NoxgateError
from noxgate.look.documents import of_toml
from noxgate.look.observation import cut
from noxgate.project.keys import ramps as keys
from noxgate.project.keys.reading import guess, refuse_others

FILE = Path("load") / "ramps.toml"
JUDGED = ("all", "5xx")
# What is said of a real target needs a generator that keeps up, and users who do not sleep.
MOST_LAG_MS, MOST_CPU_PERCENT, MOST_THINK = 5, 70, 4
MOST = 1_000_000  # seconds, requests a second, …


class RampError(NoxgateError):
    """A ramp cannot be used: one line saying what was expected and what was seen."""


@dataclass(frozen=True)
class Level:
    """`rise` seconds to reach `users`, then `hold` seconds with all of them."""

    users: int
    rise: float
    hold: int
    judged: str = "all"

    def name(self, number: int) -> str:
        """What its hold is called; `number` counts from 1."""
        return f"{number}: {self.users} users for {self.hold} s"


@dataclass(frozen=True)
class Ramp:
    """Levels in turn, then `fall` seconds to 0 users. With a `rate` requests arrive by themselves."""

    name: str
    what: str
    levels: tuple[Level, ...]
    fall: float
    window: int
    think: tuple[float, float]
    rate: float
    evidence: bool
    lag_ms: float
    cpu_percent: float
    new_jobs: int = 0  # none: a ramp of a result from before there were any
    methods: tuple[str, ...] = ()  # by which they are asked for

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return sum(level.rise + level.hold for level in self.levels) + self.fall

    def of_users(self, users: int) -> "Ramp":
        """The same with other users, which is not evidence. Raises RampError if it has several levels."""
        if len(self.levels) != 1 or users < 1:
            raise RampError(f"expected 1 user or more, on a ramp of one hold, saw {users} on {self.name}")
        (level,) = self.levels
        if level.users == users:
            return self
        return replace(self, levels=(replace(level, users=users),), evidence=False)

    def lasting(self, seconds: int) -> "Ramp":
        """The same with its longest hold made `seconds` long. Raises RampError if that is too short."""
        if seconds < 2 * self.window:
            raise RampError(
                f"expected a duration of at least {2 * self.window} s (two windows of {self.window} s), "
                f"saw {seconds} s"
            )
        longest = max(self.levels, key=lambda level: level.hold)
        levels = (
            replace(level, hold=seconds) if level is longest and level.judged == "all" else level
            for level in self.levels
        )
        return replace(self, levels=tuple(levels))


def is_as(ramp: Ramp, known: Ramp) -> bool:
    """Whether it is the known ramp, but for the time of its hold where there is one alone."""
    if len(ramp.levels) != 1 or len(known.levels) != 1:
        return ramp == known
    (level,) = known.levels
    return ramp == replace(known, levels=(replace(level, hold=ramp.levels[0].hold),))


def read_ramps(root: Path) -> Mapping[str, Ramp]:
    """Every ramp by name; RampError naming the first thing wrong."""
    path = root / FILE
    try:
        document = of_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RampError(f"{FILE}: {error}") from None
    return {name: _ramp(name, table) for name, table in document.items()}


def chosen(root: Path, name: str) -> Ramp:
    """The ramp of this name; RampError naming those that there are."""
    ramps = read_ramps(root)
    if name not in ramps:
        raise RampError(f"no ramp {name!r} (ramps: {', '.join(ramps)}){guess(name, ramps)}")
    return ramps[name]


def duration(text: str) -> int:
    """Seconds of `5m`, `90s`, `1h30m` or `300`. Raises RampError for anything else."""
    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip())
    if not match or not any(match.groups()):
        raise RampError(f"expected a duration such as 5m or 300s, saw {text!r}")
    hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def ramp_of(document: Mapping[str, Any]) -> Ramp:
    """A ramp from what dataclasses.asdict made of one."""
    levels = tuple(Level(**level) for level in document["levels"])
    low, high = document["think"]
    methods = tuple(document.get("methods", ()))
    return Ramp(**{**document, "levels": levels, "think": (low, high), "methods": methods})


def _level(where: str, table: Any) -> Level:
    if not isinstance(table, dict):
        raise RampError(f"{where}: expected a table, saw {type(table).__name__}")
    refuse_others(where, table, keys.LEVEL, RampError)
    return Level(**table)


def _ramp(name: str, table: Any) -> Ramp:
    where = f"{FILE}: [{name}]"
    if not isinstance(table, dict):
        raise RampError(f"{FILE}: {name}: expected a table, saw {type(table).__name__}")
    refuse_others(where, table, keys.RAMP, RampError)
    levels = tuple(_level(f"{where}: level {number}", one) for number, one in enumerate(table["levels"], 1))
    said = {key.name: table.get(key.name, key.default) for key in keys.RAMP}
    try:
        low, high = map(float, said["think"])
    except (TypeError, ValueError, OverflowError):
        raise RampError(f"{where}: think: expected two numbers, saw {said['think']!r}") from None
    for key in ("fall", "rate", "lag_ms", "cpu_percent"):
        if not 0 <= said[key] <= MOST:
            raise RampError(f"{where}: {key}: expected 0 to {MOST}, saw {cut(str(said[key]), 20)}")
    numbers = {key: float(said[key]) for key in ("rate", "lag_ms", "cpu_percent")}
    methods = tuple(map(str, said["methods"]))
    ramp = Ramp(
        **{**said, **numbers, "name": name, "levels": levels, "think": (low, high), "methods": methods}
    )
    good = (
        levels
        and all(level.users > 0 and 1 <= level.rise <= MOST and level.judged in JUDGED for level in levels)
        and all(level.hold >= 2 * ramp.window for level in levels)
        and any(level.judged == "all" for level in levels)
        and ramp.window >= 1
        and 0 <= low <= high <= MOST
        and ramp.new_jobs >= 1
    )
    if not good:
        raise RampError(
            f"{where}: expected levels with users, a rise of 1 s or more and a hold of two windows "
            f"or more, one judged for all, think times in order, and new_jobs of 1 or more, saw {table}"
        )
    proves = ramp.lag_ms <= MOST_LAG_MS and ramp.cpu_percent <= MOST_CPU_PERCENT and high <= MOST_THINK
    if ramp.evidence and not proves:
        raise RampError(
            f"{where}: expected at most {MOST_LAG_MS} ms of lag, {MOST_CPU_PERCENT} % of a core and "
            f"{MOST_THINK} s of thought, or evidence = false, saw {table}"
        )
    return ramp
