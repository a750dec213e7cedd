"""The two runs without which no way proves anything: one that must be believed, and one that must not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests_self.attack.attempt import Attempt, Seen
from tests_self.attack.world import REFUSED, VERIFIED, World


@dataclass(frozen=True)
class Controls:
    """What they came to; `meanwhile` is what was played while all was well."""

    good: Seen
    ill: Seen
    meanwhile: list[Any]

    def wrong(self) -> str:
        """Which of them is not as it must be; "" where both are."""
        if (self.good.verdict, self.good.verify, self.good.page) != ("GO", VERIFIED, "passed"):
            return f"the untampered run is not GO and VERIFIED: {self.good}"
        if (self.ill.verdict, self.ill.verify, self.ill.page) != ("NO-GO", REFUSED, "failed"):
            return f"the degraded run is not NO-GO and REFUSED: {self.ill}"
        return ""


def controls(world: World, meanwhile: Callable[[], list[Any]] = list) -> Controls:
    """Play both in one project, whose history the ways then begin with; the target is degraded ever after."""
    attempt = Attempt(world, "control", world.made)
    attempt.attest()
    attempt.gate()
    good = attempt.seen()
    found = meanwhile()
    world.service.healthy = False
    attempt.gate()
    world.lived = attempt.root
    return Controls(good, attempt.seen(), found)
