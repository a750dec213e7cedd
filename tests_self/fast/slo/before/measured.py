"""Load tests as they would have been measured."""

import random
from dataclasses import replace
from pathlib import Path

from tests_self.simulated import Answer, simulated

from noxgate.project.runbook import read_runbook
from noxgate.slo import ramps
from noxgate.slo.before.judging import (
    limits_of,
)
from noxgate.slo.kept.results import KeptResult, LoadSettings
from noxgate.slo.result import Generator, Result, folder_name

ROOT = Path(__file__).parents[4]
LINE = read_runbook(ROOT / "runbook.toml").lines["staging.slower-than-before"]
LIMITS = limits_of(LINE)
MACHINE = Generator(2, 2600, "Xeon")


def like(times: float, share: float = 0.0, *, fixed: float = 0.0, floor: float = 0.03) -> Answer:
    """Answers `times` as slow as usual, of which a share fails."""

    def answer(rng: random.Random, name: str, _: float) -> tuple[float, int, str]:
        seconds = times * (floor + rng.lognormvariate(-3.7, 0.3)) + fixed
        if rng.random() < share:
            return seconds, 404, "status"
        return seconds, 101 if name == "websocket" else 200, ""

    return answer


def measured(answer: Answer, seed: int = 1, version: str = "8.0.0", days: float = 0) -> Result:
    ramp = ramps.chosen(ROOT, "smoke")
    found = simulated(ramp, answer=answer, seed=seed, minutes_ago=1 + days * 1440)
    return replace(found, release=version, version=version, rehearsal=True, generators=(MACHINE,))


class LoadTests:
    """The newest load tests, as they lie there."""

    def __init__(self, *results: Result) -> None:
        self.settings = LoadSettings("staging", "staging", "https://localhost:1", rehearsal=False)
        self.kept = [KeptResult(result, Path(folder_name(result))) for result in results]

    def quick(self) -> list[KeptResult]:
        return self.kept
