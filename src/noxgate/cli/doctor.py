"""The command `noxgate doctor`: what this machine has, or what a target needs before its checks can look."""

import argparse

from noxgate.doctor import table
from noxgate.doctor.examination import examine
from noxgate.errors import ProfileError
from noxgate.look.secret import Scrubber
from noxgate.machine import doctor as machine
from noxgate.project.profile import read_target
from noxgate.project.runbook import read_runbook
from noxgate.project.which.rule import choose
from noxgate.trust.signing import SigningError

ALL_WELL, WAITS = 0, 2
ERRORS = (ProfileError, SigningError)


def doctor(given: argparse.Namespace) -> int:
    """With a target, all that it needs; without, the programs of this machine."""
    if given.target is None:
        return machine.main(["report"])
    root = given.root()
    chosen = choose(root, given.target)
    runbook = read_runbook(root / "runbook.toml")
    phases = [phase.name for phase in runbook.phases.values() if phase.folder]
    target = read_target(root, chosen.name, phases)
    print(f"{chosen}; {target.base_url}, serves {', '.join(target.serves)}", flush=True)
    found = examine(root, runbook, target)
    waits = table.waiting(found.seen, found.needs)
    text = [
        *table.settings(found.seen, found.needs, found.seconds),
        "",
        *table.causes(waits),
        *table.verdicts(target, runbook, found.seen, found.needs),
    ]
    print(Scrubber(target.secrets()).scrub("\n".join(text), people=False))
    return WAITS if waits else ALL_WELL
