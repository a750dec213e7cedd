"""What persons attest on the day. A rehearsal has no persons: it attests as `rehearsal`."""

from datetime import datetime

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.world.state import World
from noxgate.project.runbook import read_runbook
from noxgate.trust.keys import read_trust
from noxgate.trust.persons.attest import attest, human_lines
from noxgate.trust.persons.people import NOBODY, Person


def attest_all(world: World, phase: str, now: datetime | None = None) -> None:
    """Attest each human line of a phase of production; `now` is the clock of the day that is played."""
    runbook = read_runbook(ROOT / "runbook.toml")
    trust = read_trust(ROOT, str(world.production_profile))
    chain = trust.chain(ROOT / "reports", runbook.release.version)
    for line in human_lines(runbook):
        if line.phase == phase:
            saw = f"{line.id} is played: on a real day a person looks"
            attest(chain, trust.to_sign({}), line, by=Person(NOBODY), saw=saw, now=now)
