"""The commands `noxgate keygen` and `noxgate attest`."""

import argparse
import os
from pathlib import Path

from noxgate.errors import Exit, ProfileError
from noxgate.look.secret import Scrubber
from noxgate.project.checks import public_text
from noxgate.project.here import Project
from noxgate.project.profile import read_target
from noxgate.project.release_facts import FactsError
from noxgate.project.runbook import Line
from noxgate.project.which.rule import VARIABLE, choose
from noxgate.run.record import Record
from noxgate.trust import keys, signing
from noxgate.trust.persons import attest
from noxgate.trust.persons.people import PersonError, person
from noxgate.trust.records import RecordError

ERRORS = (ProfileError, FactsError, RecordError, attest.AttestationError, PersonError, signing.SigningError)


def keygen(given: argparse.Namespace) -> int:
    """Make a key pair and say what to do with it."""
    path = Path(given.file)
    public = signing.new_key(path)
    print(f"private key   {path}   keep it out of the repository: export {signing.VARIABLE}={path.resolve()}")
    print(
        f"public key    {path.with_name(public.name)}   commit it, and name it in the profile of each target"
    )
    print(f'              that it signs for: signers = ["…/{public.name}"]')
    return Exit.DONE


def attest_line(given: argparse.Namespace) -> int:
    """Add one attestation, or list what is owed."""
    project = Project.of(given)
    if given.list:
        return _list(project, given)
    missing = [name for name in ("line", "by", "saw") if getattr(given, name) is None]
    if missing:
        raise attest.AttestationError(
            f"expected LINE --by NAME --saw TEXT, or --list; missing: {', '.join(missing)}"
        )
    line = attest.human_line(project.runbook, given.line)
    where = _trust(project, given, line)
    _refuse_secrets(project, where, f"{given.by}\n{given.saw}")
    chain = where.chain(project.reports, project.runbook.release.version)
    record = attest.attest(
        chain,
        where.to_sign(os.environ),
        line,
        by=person(where, given.by),
        saw=given.saw,
        outcome=attest.FAILED if given.failed else attest.PASSED,
    )
    print(f"{line.id}  {_state(record)}")
    print(f"record {record.number}: {os.path.relpath(chain.folder)}")
    return Exit.DONE


def _refuse_secrets(project: Project, where: keys.Trust, text: str) -> None:
    """A record cannot be changed, and it is copied into every bundle: no secret gets into it."""
    names = [phase.name for phase in project.runbook.phases.values() if phase.folder]
    secrets = read_target(project.root, str(where.path), names).secrets()
    name = Scrubber(secrets, public_text(project.root, project.runbook, where.path)).gives_away(text)
    if name:
        raise attest.AttestationError(f"--by, --saw: would show {name} in every bundle: say it without")


def _trust(project: Project, given: argparse.Namespace, line: Line) -> keys.Trust:
    """The target that is meant, which must serve the line's phase."""
    chosen = choose(project.root, given.target, phase=line.phase)
    if not given.list:
        print(chosen)
    found = keys.read_trust(project.root, chosen.name)
    keys.refuse_other_phase(found, line.phase)
    return found


def _list(project: Project, given: argparse.Namespace) -> int:
    """Every human line: attested or owed."""
    release = project.runbook.release.version
    asked = (
        [attest.human_line(project.runbook, given.line)]
        if given.line
        else attest.human_lines(project.runbook)
    )
    named = given.target or os.environ.get(VARIABLE)
    if named:
        serves = keys.read_trust(project.root, named).serves
        asked = [line for line in asked if line.phase in serves]
    count = 0
    for line in asked:
        where = _trust(project, given, line)
        found = attest.attestations(where.chain(project.reports, release), where.hours)
        count += line.id not in found
        holds = f" (--saw holds: {', '.join(line.proof)})" if line.proof else ""
        owed = f"owed: {' '.join(line.expected.split())}{holds}"
        state = _state(found[line.id]) if line.id in found else owed
        print(f"{line.id:<28}{where.target:<14}{state}")
    print(f"release {release}: {count} of {len(asked)} still owed")
    return Exit.DONE


def _state(record: Record) -> str:
    return f"{record.data.get('outcome')}, {attest.said_by(record)}"
