"""The commands `noxgate keygen` and `noxgate attest`."""

import argparse
import os
from pathlib import Path
from typing import Any

from noxgate.evidence import attest, signing, trust, verify_command
from noxgate.evidence.project import Project
from noxgate.evidence.records import Record, RecordError
from noxgate.runbook import Line
from noxgate.target import ProfileError

DONE = 0
ERRORS = (
    ProfileError,
    RecordError,
    attest.AttestationError,
    signing.SigningError,
    verify_command.VerifyError,
)
RAW = argparse.RawDescriptionHelpFormatter


def keygen(given: argparse.Namespace) -> int:
    """Make a key pair and say what to do with it."""
    path = Path(given.file)
    public = signing.new_key(path)
    print(f"private key   {path}   keep it out of the repository: export {signing.VARIABLE}={path.resolve()}")
    print(
        f"public key    {path.with_name(public.name)}   commit it, and name it in the profile of each target"
    )
    print(f'              that it signs for: signers = ["…/{public.name}"]')
    return DONE


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
    chain = where.chain(project.reports, project.runbook.release.version)
    record = attest.attest(
        chain,
        where.to_sign(os.environ),
        line,
        by=given.by,
        saw=given.saw,
        outcome=attest.FAILED if given.failed else attest.PASSED,
    )
    print(f"{line.id}  {_state(record)}")
    print(f"record {record.number}: {os.path.relpath(chain.folder)}")
    return DONE


def _trust(project: Project, given: argparse.Namespace, line: Line) -> trust.Trust:
    """The target that was named, or else the one real target that serves the line's phase."""
    name = given.target or os.environ.get("NOXGATE_TARGET")
    if not name:
        names = trust.serving(project.root, line.phase)
        if len(names) != 1:
            raise ProfileError(
                f"expected --target: phase {line.phase!r} is served by {', '.join(names) or 'no target'}"
            )
        (name,) = names
    found = trust.read_trust(project.root, name)
    trust.refuse_other_phase(found, line.phase)
    return found


def _list(project: Project, given: argparse.Namespace) -> int:
    """Every human line: attested or owed."""
    release = project.runbook.release.version
    asked = (
        [attest.human_line(project.runbook, given.line)]
        if given.line
        else attest.human_lines(project.runbook)
    )
    named = given.target or os.environ.get("NOXGATE_TARGET")
    if named:
        serves = trust.read_trust(project.root, named).serves
        asked = [line for line in asked if line.phase in serves]
    count = 0
    for line in asked:
        where = _trust(project, given, line)
        found = attest.attestations(where.chain(project.reports, release), where.hours)
        count += line.id not in found
        state = _state(found[line.id]) if line.id in found else f"owed: {' '.join(line.expected.split())}"
        print(f"{line.id:<28}{where.target:<14}{state}")
    print(f"release {release}: {count} of {len(asked)} still owed")
    return DONE


def _state(record: Record) -> str:
    return f"{record.data.get('outcome')}, {attest.said_by(record)}"


def add(commands: Any, root: Any) -> None:
    """Add the commands of this module; `root` finds the project's folder when one is called."""
    one = commands.add_parser(
        "keygen",
        help="make a key pair to sign evidence with",
        description="Make an Ed25519 key pair: FILE, the private key, for your eyes alone, and FILE's .pub\n"
        "beside it. Nothing is ever overwritten.",
        epilog="example: noxgate keygen ~/.noxgate/ada.pem",
        formatter_class=RAW,
    )
    one.add_argument("file", nargs="?", default="noxgate.pem", metavar="FILE", help="default: noxgate.pem")
    one.set_defaults(command=keygen)

    one = commands.add_parser(
        "attest",
        help="record what a person saw of a line that no machine can check",
        description="Sign a record that a person saw a runbook line hold. Records are chained: none can be\n"
        "changed, taken out, or put in later. The key to sign with is NOXGATE_SIGNING_KEY: a file, or\n"
        "the key itself.",
        epilog='example: noxgate attest live.sentry-issues --by "Ada Lindqvist" --saw "no new issue, 14:05"',
        formatter_class=RAW,
    )
    one.add_argument("line", nargs="?", metavar="LINE", help="a human line, such as live.sentry-issues")
    one.add_argument("--by", metavar="NAME", help="who saw it")
    one.add_argument("--saw", metavar="TEXT", help="what was seen, with a link or a number")
    one.add_argument("--failed", action="store_true", help="what was seen is not what the runbook expects")
    one.add_argument("--list", action="store_true", help="what is attested and what is still owed")
    one.add_argument("--target", metavar="NAME", help="default: the one target that serves the line's phase")
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.set_defaults(command=attest_line, root=root)
    verify_command.add(commands, root)
