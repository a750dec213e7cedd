"""Whether a run agrees with itself, before anybody signs it later: its sums, its JUnit file and its results.

A run is sealed in good faith by whoever was not there. What was changed in one place shows in another.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from noxgate.errors import Exit
from noxgate.run.results import Results
from noxgate.run.results_file import NAME
from noxgate.run.verdict import Outcome, verdict_of
from noxgate.trust.seal import digest, entries, results_of
from noxgate.trust.signing import SigningError

SUMS = "SHA256SUMS"
JUNIT = "junit.xml"


def contradictions(folder: Path) -> Iterator[str]:
    """Each place where a run's folder contradicts itself, in one line.

    Raises SigningError for another form.
    """
    yield from _other_bytes(folder)
    results = results_of(folder)
    yield from _other_verdict(results)
    yield from _other_outcomes(results, folder / JUNIT)


def _other_bytes(folder: Path) -> Iterator[str]:
    """Files that are not as SHA256SUMS has them."""
    try:
        rows = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise SigningError(f"{SUMS}: {getattr(error, 'strerror', None) or 'no text'}") from None
    summed = {name: value for value, _, name in (row.partition("  ") for row in rows)}
    there = {path.relative_to(folder).as_posix(): path for path in entries(folder) if path.name != SUMS}
    for name, value in summed.items():
        if name not in there:
            yield f"{name}: was removed after the run"
        elif there[name].is_symlink() or digest(there[name]) != value:
            yield f"{name}: was changed after the run: {SUMS} has another digest"
    yield from (f"{name}: was added after the run: {SUMS} lacks it" for name in there if name not in summed)


def _other_verdict(results: Results) -> Iterator[str]:
    """Lines that their checks do not explain, and a verdict that its lines do not."""
    order = list(Outcome)
    for line in results.lines:
        outcome = line.outcome
        checks = [check.outcome for check in line.checks]
        if outcome is Outcome.WAIVED or line.attestation:
            continue  # a waiver or a person says so, and verify looks at that
        if checks and max(checks, key=order.index) is not outcome:
            worst = max(checks, key=order.index)
            yield f"{NAME}: {line.id} is {outcome} there, and its worst check {worst}"
    expected = verdict_of(line.outcome for line in results.lines)
    if results.verdict != expected and not (expected.exit is Exit.GO and results.doubts):
        yield f"{NAME}: its verdict is {results.verdict}, and {expected} is what its lines come to"


def _other_outcomes(results: Results, junit: Path) -> Iterator[str]:
    """Checks of which the JUnit file says something else."""
    said = {check.node: check.outcome for line in results.lines for check in line.checks}
    ran = {node: outcome for node, outcome in said.items() if outcome != Outcome.NOT_RUN}
    try:
        found = dict(_cases(ET.parse(junit).getroot()))  # noqa: S314 (the run's own file: its sum is right)
    except (OSError, ET.ParseError) as error:
        raise SigningError(f"{JUNIT}: {getattr(error, 'strerror', None) or error}") from None
    for node, outcome in ran.items():
        if node not in found:
            yield f"{node}: is {outcome} in {NAME}, and not in {JUNIT}"
    for node, words in found.items():
        if node not in said:
            yield f"{node}: is {words} in {JUNIT}, and not in {NAME}"
        elif said[node] != words:
            yield f"{node}: is {said[node]} in {NAME}, and {words} in {JUNIT}"


def _cases(suites: ET.Element) -> Iterator[tuple[str, str]]:
    """The node of each case, and its outcome: that of our own property, made worse by what pytest says."""
    for case in suites.iter("testcase"):
        named = {one.get("name"): one.get("value", "") for one in case.iter("property")}
        outcome = named.get("outcome", Outcome.NOT_RUN)
        if outcome == Outcome.PASSED and any(case.find(word) is not None for word in ("failure", "error")):
            outcome = Outcome.FAILED
        yield f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}", outcome
