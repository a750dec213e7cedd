"""What persons attest on the day. In a rehearsal nobody looks: it attests as `rehearsal`."""

from datetime import datetime
from pathlib import Path

from noxgate.evidence.attest import attest, human_lines
from noxgate.evidence.trust import read_trust
from noxgate.rehearsal.state import World
from noxgate.runbook import read_runbook

ROOT = Path(__file__).parents[3]


def attest_all(world: World, phase: str, now: datetime | None = None) -> None:
    """Attest each human line of a phase of production; `now` is the clock of the day that is played."""
    runbook = read_runbook(ROOT / "runbook.toml")
    trust = read_trust(ROOT, str(world.production_profile))
    chain = trust.chain(ROOT / "reports", runbook.release.version)
    for line in human_lines(runbook):
        if line.phase == phase:
            saw = f"nobody looked: {line.id} is a person's line, and this is a rehearsal"
            attest(chain, trust.to_sign({}), line, by="rehearsal", saw=saw, now=now)
