"""Whether a sealed run was judged by what its commit has, and whether that commit was reviewed.

The run names the blob of each file that decided; here they are compared with the commit's own, as the
repository has it now. A run of schema 1 does not name them.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from noxgate.errors import ProfileError
from noxgate.look.documents import of_toml
from noxgate.look.observation import few
from noxgate.project.overrides import OVERRIDES
from noxgate.project.runbook import Runbook
from noxgate.project.tables.credentials import points_at
from noxgate.project.waivers import FILE as WAIVERS
from noxgate.run.bundle import DECIDED
from noxgate.run.commit import Commit, CommitError, content, is_part_of, of
from noxgate.run.points_at import elsewhere
from noxgate.run.results import Results, RunTarget
from noxgate.run.verdict import Outcome
from noxgate.trust.seal import read_json
from noxgate.trust.signing import SigningError

SCHEMA_1_UNTIL = date(2026, 12, 1)  # the last date of a release that may be proven by runs of schema 1
SCHEMA_1 = "is of schema 1: nothing proves that checks and profile were as a commit has them"
_GATE, _SOURCE = "commit:gate", "commit:source"
# Of what decides, what judges a run of any phase. Waivers are compared one by one; runbooks elsewhere.
_ALWAYS = ("src", "load", "schema", "conftest.py", "pyproject.toml")
_COMPARED = ("base_url", "namespace")  # which a run says, whether they were overridden or not
_SHOWN = 5


def of_schema_1(runbook: Runbook) -> Iterator[str]:
    """Why a run of schema 1 does not count for a release."""
    if runbook.release.date > SCHEMA_1_UNTIL:
        yield f"{SCHEMA_1}: release {runbook.release.version} needs a run of today's gate"


def against(
    folder: Path,
    subjects: Mapping[str, str],
    results: Results,
    root: Path,
    runbook: Runbook,
    branch: str | None,
    asked: str | None,
) -> Iterator[str]:
    """What speaks against the commit that a run names; `asked` is the commit that --commit names."""
    document = read_json(folder / DECIDED)
    try:
        named = Commit.of_document(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise SigningError(
            f"{DECIDED}: expected a commit and its blobs, saw another form ({error})"
        ) from None
    short = named.id[:12]
    if subjects.get(_GATE) != named.id:
        yield f"{DECIDED}: names commit {short}, and the seal {str(subjects.get(_GATE))[:12]}"
    try:
        there = of(root, named.id)
    except CommitError as error:
        yield f"commit {short} is not here to compare with ({error}): git fetch"
        return
    names = sorted(there.blobs.keys() | named.blobs.keys())
    if other := [name for name in names if there.blobs.get(name) != named.blobs.get(name)]:
        shown = few(other, _SHOWN, f"{DECIDED} and git ls-tree -r {short} have all of them")
        yield f"{DECIDED}: commit {short} has otherwise: {', '.join(shown)}"
    yield from _elsewhere(root, named.id, results.target, subjects)
    unknown = list(_waived(results, root, there, f"{WAIVERS} of commit {short}"))
    yield from unknown
    if asked == named.id:
        return  # whoever verifies says that it is the one
    yield from _by_others(there, results, root, runbook)
    if branch:
        try:
            if not is_part_of(root, named.id, branch):
                yield f"commit {short} is not on branch {branch}: it was not reviewed there"
        except CommitError as error:
            yield str(error)
    elif not asked:
        yield f"nothing says that commit {short} was reviewed: name `branch` in the profile, or give --commit"


def _by_others(there: Commit, results: Results, root: Path, runbook: Runbook) -> Iterator[str]:
    """Whether a run was judged otherwise than it would be here: a branch has all that it ever had."""
    try:
        here = of(root, "HEAD")
    except CommitError as error:
        yield str(error)
        return
    phases = [runbook.phases[name].folder for name in results.phases if name in runbook.phases]
    folders = {*_ALWAYS, *phases, f"targets/{results.target.name}.toml"}

    def judges(name: str) -> bool:
        top, below, _ = name.partition("/")
        return (top if below else name) in folders or name in folders

    names = sorted(name for name in there.blobs.keys() | here.blobs.keys() if judges(name))
    if other := [name for name in names if there.blobs.get(name) != here.blobs.get(name)]:
        shown = few(other, _SHOWN, f"git diff --name-only {there.id[:12]} HEAD names them")
        yield (
            f"commit {there.id[:12]} judges otherwise than the one here ({', '.join(shown)}): "
            "run it again; or check out its commit, or name that with --commit"
        )
    yield from _waived(results, root, here, f"{WAIVERS} here")


def _waived(results: Results, root: Path, commit: Commit, where: str) -> Iterator[str]:
    """The lines that were waived by what a commit does not say."""
    waived = {line.id: line.waiver for line in results.lines if line.outcome is Outcome.WAIVED}
    if not waived:
        return
    try:
        has = WAIVERS in commit.blobs
        said = of_toml(content(root, commit.id, WAIVERS)).get("waiver", []) if has else []
    except (CommitError, ValueError) as error:
        yield f"{where} cannot be read: {error}"
        return
    known = {(one.get("line"), one.get("owner"), str(one.get("expires"))) for one in said}
    for line, waiver in waived.items():
        if waiver is None or (line, waiver.owner, str(waiver.expires)) not in known:
            yield f"{line} was waived by {waiver.owner if waiver else 'nobody'}, and {where} does not say so"


def _elsewhere(root: Path, commit: str, target: RunTarget, subjects: Mapping[str, str]) -> Iterator[str]:
    """Where the run looked at another place than the profile of its commit names, or allows."""
    file = f"targets/{target.name}.toml"
    try:
        profile = of_toml(content(root, commit, file))
    except (CommitError, ValueError) as error:
        yield f"{file} of commit {commit[:12]} cannot be read: {error}"
        return
    if "source" in profile and _SOURCE not in subjects:
        yield f"names no commit of the release, of which {file} names a checkout: source"
    for key in _COMPARED:
        variable = next(name for name, overridden in OVERRIDES.items() if overridden == key)
        named, seen = profile.get(key), getattr(target, key)
        same = seen == named or (key == "base_url" and _address(seen) == _address(named))
        if not same and variable not in profile.get("overrides", []):
            yield f"is of {key} {seen}, and {file} names {named}: no evidence for that"
    for variable in (name for name in target.overrides if OVERRIDES.get(name) not in _COMPARED):
        if variable not in (*profile.get("overrides", []), *("KUBECONFIG",)["kubeconfig" in profile :]):
            yield f"was led by {variable}, and {file} does not allow it: no evidence for that"
    try:
        wanted = points_at(Path(file), profile.get("points_at", {}))
    except ProfileError as error:
        yield f"{error} (commit {commit[:12]})"
        return
    for why in elsewhere(wanted, target.points_at):
        yield f"{file}: {why}: no evidence for that"


def _address(url: object) -> tuple[str, int | None, str]:
    parts = urlsplit(str(url))
    port = parts.port or (443 if parts.scheme.lower() == "https" else None)
    return (parts.hostname or "").lower(), port, parts.path.rstrip("/")
