"""What a good load test measured."""

from array import array
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests_self.simulated import new_jobs

from nox_rehearsal.day import under_load
from noxgate.project.runbook import read_runbook
from noxgate.slo import ramps
from noxgate.slo.holds import Second
from noxgate.slo.plan import CLASSES
from noxgate.slo.result import Held, Result
from noxgate.slo.slos import limits_by_class, read_slos

ROOT = Path(__file__).parents[2]
RUNBOOK = read_runbook(ROOT / "runbook.toml")
SLOS = read_slos(RUNBOOK.lines)
URL = "https://localhost:1"
SECONDS = 20


def good(minutes_ago: float = 1) -> Result:
    """Twenty good seconds of a rehearsal, a while ago."""
    began = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).replace(microsecond=0)
    start = int(began.timestamp())
    limits = limits_by_class(SLOS, CLASSES)
    ramp = ramps.chosen(ROOT, under_load.RAMP)
    held = Held(ramp.levels[0].name(1), 60, "all", SECONDS, start, start + SECONDS)

    def second(name: str) -> Second:
        return Second(array("f", [0.02] * 50), {(200, ""): 50}, dict.fromkeys(limits[name], 0))

    return Result(
        target="rehearsal",
        base_url=URL,
        rehearsal=True,
        release=RUNBOOK.release.version,
        version=RUNBOOK.release.version,
        ramp=ramp,
        started=began.isoformat(),
        ended=(began + timedelta(seconds=SECONDS)).isoformat(),
        processes=1,
        stopped="",
        problems=(),
        holds=(held,),
        classes=CLASSES,
        accepted=7,
        right=7,
        failures=(),
        users=dict.fromkeys(range(start, start + SECONDS), 60),
        seconds={
            name: {moment: second(name) for moment in range(start, start + SECONDS)} for name in CLASSES
        },
        new_jobs=new_jobs(ramp, [held]),
    )
