"""The commands `noxgate doctor` and `noxgate profile`: what a target needs, and what its profile may say."""

import argparse

from noxgate.doctor import table
from noxgate.doctor.examination import examine
from noxgate.doctor.key_page import page, told
from noxgate.doctor.keys import lines_of_keys
from noxgate.doctor.reading import NOBODY, read_in_spite
from noxgate.errors import CommandError, Exit, ProfileError
from noxgate.look.written.harmless import ReportScrubber
from noxgate.machine import doctor as machine
from noxgate.project.checks import CheckError, public_text
from noxgate.project.keys.json_schema import of_profile
from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.project.which.rule import choose
from noxgate.trust.signing import SigningError

ERRORS = (ProfileError, SigningError, RunbookError, CheckError, CommandError)


def doctor(given: argparse.Namespace) -> int:
    """With a target, all that it needs; without, the programs of this machine."""
    if given.target is None:
        return machine.main(["report"])
    root = given.root()
    chosen = choose(root, given.target)
    runbook = read_runbook(root / "runbook.toml")
    phases = [phase.name for phase in runbook.phases.values() if phase.folder]
    target, faults = read_in_spite(root, chosen.name, phases)
    address = "no base_url" if target.base_url == NOBODY else target.base_url
    print(f"{chosen}; {address}, serves {', '.join(target.serves) or 'no phase that is known'}", flush=True)
    found = examine(root, runbook, target, faults)
    waits = table.waiting(found.seen, found.needs)
    text = [
        *table.first(waits),
        *table.settings(found.seen, found.needs, found.seconds),
        "",
        *table.causes(waits, whole=given.all),
        *table.verdicts(target, runbook, found.seen, found.needs, whole=given.all),
    ]
    scrubber = ReportScrubber(target.secrets(), public_text(root, runbook, target.path))
    print(scrubber.scrub("\n".join(text), people=False))
    return Exit.INCONCLUSIVE if waits else Exit.GO


def profile(given: argparse.Namespace) -> int:
    """Print the keys of a profile, with what each is for and who needs it."""
    root = given.root()
    runbook = read_runbook(root / "runbook.toml")
    if given.schema:
        print(of_profile(runbook.phases), end="")
        return Exit.DONE
    lines = lines_of_keys(root, runbook)
    if given.markdown:
        print(page(lines), end="")
    else:
        print("\n".join(told(lines, given.key)))
    return Exit.DONE
