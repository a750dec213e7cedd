"""What lies on this machine, or is said by the profile alone: files, folders, programs, commands."""

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from noxgate.doctor.seen import Cause, Place, Seen, unnamed_source
from noxgate.errors import UnreachableError
from noxgate.project.release_facts import FactsError, read_release_facts
from noxgate.systems.kubernetes.log_lines import allow_list
from noxgate.trust.signing import VARIABLE as KEY

BACKUPS = "docs/BACKUP.md"


def record(at: Place) -> Iterator[Seen]:
    """The release record, and whether it names a version before that was measured."""
    path, needs = at.target.record, [at.need("record"), at.need("before")]
    assert path is not None
    try:
        facts = read_release_facts(path)
    except UnreachableError as error:
        cause = Cause(str(error), (f"${{EDITOR:-vi}} {shlex.quote(os.path.relpath(path))}",))
        yield at.seen("record", str(error), *needs, cause=cause)
        return
    except FactsError as error:  # which is for its lines to say
        yield at.seen("record", str(error), *needs)
        return
    yield at.seen("record", f"of version {facts.version}", *needs)
    if facts.before is not None and not any(facts.before.load_results.glob(f"*Z-{at.target.name}-*")):
        said = f"no load test of {facts.before.version} lies in {facts.before.load_results}"
        edit = f"${{EDITOR:-vi}} {shlex.quote(os.path.relpath(path))}"
        cause = Cause(f"{path.name}, [measured_before]: {said}", (f"{edit}     # or put its result there",))
        yield at.seen("measured_before", said, needs[1], cause=cause, origin=path.name)


def compares(at: Place) -> bool:
    """Whether load tests are compared with those of a version before, which the record names."""
    path = at.target.record
    try:
        return path is not None and read_release_facts(path).before is not None
    except (UnreachableError, FactsError):
        return False


def migration(at: Place) -> Iterator[Seen]:
    """What the rehearsal of the migration is made of."""
    target, need = at.target, at.need("migration")
    for key in ("migration", "schema", "old_queries", "migration_role", "application_role"):
        value = getattr(target, key)
        if value is None:
            yield at.unnamed(key, "for the rehearsal of the migration", need)
        elif isinstance(value, Path) and not value.is_file():
            yield at.seen(key, f"no such file: {value}", need, cause=_no_file(at, key, value))
        else:
            yield at.seen(key, str(value) if isinstance(value, str) else "a file", need)


def _no_file(at: Place, key: str, file: Path) -> Cause:
    """Where the profile names no checkout, that is why its files are not found."""
    if at.target.source is None and (cause := unnamed_source(at).cause) is not None:
        return cause
    return Cause(f"{key}: no such file: {file}", (at.edit(key),))


def alert_tests(at: Place) -> Iterator[Seen]:
    """Promtool's tests of the shipped rules, and promtool."""
    need = at.need("alert_tests")
    file = at.target.alert_tests
    if file is None:
        yield at.unnamed("alert_tests", "promtool's tests of the shipped rules", need)
    elif not file.is_file():
        cause = _no_file(at, "alert_tests", file)
        yield at.seen("alert_tests", f"no such file: {file}", need, cause=cause)
    elif shutil.which("promtool") is None:
        cause = Cause("promtool is not on this machine", ("apt-get install prometheus",))
        yield at.seen("alert_tests", "no promtool on this machine", need, cause=cause)
    else:
        yield at.seen("alert_tests", "a file, and promtool is here", need)


def known_lines(at: Place) -> Iterator[Seen]:
    """The list of log lines that are not faults, read as its checks read it."""
    file, need = at.target.log_allow_list, at.need("logs")
    if file is None:
        return  # without one no line is excused
    try:
        entries = allow_list(file)
    except AssertionError as error:
        cause = Cause(f"log_allow_list: {error}", (at.edit("log_allow_list"),))
        yield at.seen("log_allow_list", str(error), need, cause=cause)
    else:
        many = f"{len(entries)} entr{'y' if len(entries) == 1 else 'ies'} of its own"
        yield at.seen("log_allow_list", many, need)


def science(at: Place) -> Iterator[Seen]:
    """The command that runs the API's own Python."""
    need, words = at.need("science"), at.target.science
    if not words:
        said = "science is not named: the command that runs the API's own Python"
        yield at.seen("science", "not named", need, cause=Cause(said, (at.edit("science"),)), is_set=False)
    elif shutil.which(words[0]) is None:
        cause = Cause(f"science needs {words[0]}, which is not on this machine", (at.edit("science"),))
        yield at.seen("science", f"no program {words[0]}", need, cause=cause)
    else:
        yield at.seen("science", f"runs {words[0]}, which is here", need)


def said_alone(at: Place) -> Iterator[Seen]:
    """What the profile has to say and no system is asked about: the runtime, Grafana, Sentry, a scan."""
    target = at.target
    for key, role, value in (
        ("runtime", None, target.runtime),
        ("grafana", "grafana_token", target.grafana),
        ("sentry", "sentry_token", target.sentry),
    ):
        need = at.need(key)
        if value is None:
            what = "a person may attest it instead" if role else "what the images must declare"
            cause = Cause(f"{target.path.name} names no {key}: {what}", (at.edit(key),))
            yield at.seen(key, "not named", need, cause=cause, is_set=False)
        elif (
            role is not None
            and role in target.credentials
            and (name := target.credentials[role]) not in target.variables
        ):
            yield at.seen(key, f"${name} is not set", need, cause=at.unset(name), is_set=False)
        else:
            yield at.seen(key, "set", need)
    scan, need = target.vulnerabilities, at.need("vulnerabilities")
    if scan is None or not scan.exists():
        said = "not named" if scan is None else f"no such file: {scan}"
        cause = Cause(f"vulnerabilities, a scanner's report: {said}", (at.edit("vulnerabilities"),))
        yield at.seen("vulnerabilities", said, need, cause=cause, is_set=scan is not None)
    else:
        yield at.seen("vulnerabilities", "a report", need)


def backups(at: Place) -> Iterator[Seen]:
    """The folder of tonight's files."""
    folder, need = at.target.backups, at.need("backups")
    if folder is None:
        yield at.unnamed("backups", f"the folder of tonight's files ({BACKUPS})", need)
    elif not folder.is_dir():
        said = f"backups: {folder} is not a folder: {BACKUPS} says what fills it"
        cause = Cause(said, (f"mkdir -p {shlex.quote(str(folder))}",))
        yield at.seen("backups", "no such folder", need, cause=cause)
    else:
        yield at.seen("backups", f"{len(list(folder.iterdir()))} files", need)


def signing(at: Place) -> Iterator[Seen]:
    """Whether what comes of a run can be sealed; no line waits for it, `noxgate verify` does."""
    if at.target.rehearsal:
        return
    named = "signers" in at.lines
    is_set = bool(os.environ.get(KEY))
    said = ("" if named else "no signers: ") + ("a key is set" if is_set else "no key: runs are not signed")
    yield Seen("signers", f"${KEY}", said, is_set=named and is_set)
