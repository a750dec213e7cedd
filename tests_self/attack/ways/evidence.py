"""What a run left is otherwise than the run left it, or is not there."""

import hashlib
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

from tests_self.attack.attempt import ENVELOPE, Attempt, Way, resum, rewritten
from tests_self.attack.world import ATTACKED, HUMAN, PERSON, RELEASE, SIGNER


def passed_in_results(run: Path) -> None:
    """As results.json would be if all had passed."""
    path = run / "results.json"
    text = path.read_text().replace('"outcome": "failed"', '"outcome": "passed"')
    text = text.replace('"degraded"', '"healthy"').replace("degraded", "healthy")
    path.write_text(text.replace('"verdict": "NO-GO"', '"verdict": "GO"'))


def passed_in_junit(run: Path) -> None:
    tree = ET.parse(run / "junit.xml")  # noqa: S314 (a file that our own run has written)
    for case in tree.getroot().iter("testcase"):
        for failure in case.findall("failure"):
            case.remove(failure)
        for one in case.iter("property"):
            if one.get("name") == "outcome":
                one.set("value", "passed")
    for suite in tree.getroot().iter("testsuite"):
        suite.set("failures", "0")
    tree.write(run / "junit.xml")


def before_seal(*changes: Callable[[Path], None]) -> Callable[[Attempt], None]:
    """A run without a key is changed, then sealed."""

    def play(at: Attempt) -> None:
        run = at.unsealed()
        for change in changes:
            change(run)
        at.seal(run)

    return play


def doubt_taken_away(at: Attempt) -> None:
    """A run at another host, unsealed; its doubts and its host are then others."""
    at.env["BASE_URL"] = f"https://localhost:{at.world.double.port}"
    run = at.unsealed()
    path = run / "results.json"
    text = re.sub(r'"doubts": \[[^\]]*\]', '"doubts": []', path.read_text())
    text = text.replace('"verdict": "INCONCLUSIVE"', '"verdict": "GO"')
    text = re.sub(r'"overrides": \{[^}]*\}', '"overrides": {}', text)
    path.write_text(text.replace(f":{at.world.double.port}", f":{at.world.service.port}"))
    at.seal(run)


def sealed_again(*changes: Callable[[Path], None]) -> Callable[[Attempt], None]:
    """A NO-GO that was sealed is changed, and sealed once more."""

    def play(at: Attempt) -> None:
        at.gate()
        run = at.runs[-1]
        for change in changes:
            change(run)
        at.seal(run)

    return play


def unsealed(run: Path) -> None:
    (run / ENVELOPE).unlink()


def changed(name: str) -> Callable[[Attempt], None]:
    """A byte of a file of the sealed GO, where the NO-GO is there, too."""

    def play(at: Attempt) -> None:
        path = at.runs[0] / name
        path.write_bytes(path.read_bytes() + b"\n")

    return play


def sealed_results_changed(at: Attempt) -> None:
    at.gate()
    passed_in_results(at.runs[-1])


def envelope_of_the_go(at: Attempt) -> None:
    """The NO-GO has the seal of the GO."""
    good, bad = at.runs
    shutil.copy(good / ENVELOPE, bad / ENVELOPE)


def contents_of_the_go(at: Attempt) -> None:
    """In the folder of the NO-GO lies the GO."""
    good, bad = at.runs
    shutil.rmtree(bad)
    shutil.copytree(good, bad)


def added(name: str, *, to_go: bool = True) -> Callable[[Attempt], None]:
    """A file with a name of its own; a NO-GO stays where it is."""

    def play(at: Attempt) -> None:
        path = at.runs[0 if to_go else -1] / name
        path.write_text('{"outcome": "passed"}')

    return play


def removed(at: Attempt) -> None:
    shutil.rmtree(at.runs[-1])


def hidden(at: Attempt) -> None:
    run = at.runs[-1]
    run.rename(run.with_name(f".running-{run.name}"))


def moved(at: Attempt) -> None:
    """To another release."""
    run = at.runs[-1]
    place = at.root / "reports" / "7.9.9"
    place.mkdir()
    run.rename(place / run.name)


def renamed(at: Attempt) -> None:
    """The GO has the later name."""
    good, bad = at.runs
    good.rename(good.with_name(f"29991231T235959Z{good.name[16:]}"))
    bad.rename(bad.with_name(f"20000101T000000Z{bad.name[16:]}"))


def copied(at: Attempt) -> None:
    """A copy of the GO is there again, later."""
    good, _ = at.runs
    shutil.copytree(good, good.with_name(f"{good.name}~9"))


def without(name: str) -> Callable[[Attempt], None]:
    """A NO-GO that no longer counts as a run."""

    def play(at: Attempt) -> None:
        (at.runs[-1] / name).unlink()

    return play


def emptied(at: Attempt) -> None:
    """Of the NO-GO nothing is left but its folder."""
    run = at.runs[-1]
    shutil.rmtree(run)
    run.mkdir()


def results_changed(old: str, new: str) -> Callable[[Attempt], None]:
    """A NO-GO that says that it is something else."""

    def play(at: Attempt) -> None:
        rewritten(at.runs[-1] / "results.json", old, new)

    return play


def record_removed(at: Attempt) -> None:
    """The NO-GO and its record went away, and the auditor knows the last record."""
    last = max((at.root / "reports" / RELEASE / "records" / "staging").iterdir())
    at.to_verify = ["--head", hashlib.sha256(last.read_bytes()).hexdigest()]
    newest_gone(at)


def newest_gone(at: Attempt) -> None:
    removed(at)
    max((at.root / "reports" / RELEASE / "records" / "staging").iterdir()).unlink()


def records_removed(at: Attempt) -> None:
    """All of them: the chain began anew with a person's word."""
    removed(at)
    shutil.rmtree(at.root / "reports" / RELEASE / "records")
    at.attest()


def other_reports(at: Attempt) -> None:
    """The chain begins anew beside; the auditor, who knows the old one, is given that alone."""
    last = max((at.root / "reports" / RELEASE / "records" / "staging").iterdir())
    at.to_verify = ["--head", hashlib.sha256(last.read_bytes()).hexdigest()]
    at.env["BASE_URL"] = f"https://localhost:{at.world.double.port}"
    at.noxgate("attest", HUMAN, "--by", PERSON, "--saw", "https://chat.nox.io/1", "--reports", "other")
    at.gate(words=("--reports=other",))
    at.evidence = at.root / "other"


def too_old(at: Attempt) -> None:
    """The GO alone, a day later."""
    removed(at)
    at.to_verify = ["--at", f"{datetime.now(UTC) + timedelta(hours=25):%Y-%m-%dT%H:%MZ}"]


def narrowed_after(at: Attempt) -> None:
    """What passes is looked at once more."""
    at.gate("--phase", "staging and version")


def other_key(at: Attempt) -> None:
    """It is sealed with an unknown key, where the GO was to be had."""
    at.env[SIGNER] = str(at.world.folder / "keys" / "mallory.pem")
    at.gate()
    for run in at.runs:
        passed_in_results(run)
        (run / ENVELOPE).unlink(missing_ok=True)
        resum(run)
        at.seal(run)


EVIDENCE = (
    Way("results edited, then sealed", before_seal(passed_in_results)),
    Way("results and sums edited, then sealed", before_seal(passed_in_results, resum)),
    Way("JUnit file and sums edited, then sealed", before_seal(passed_in_junit, resum)),
    Way("override and its doubt taken away", doubt_taken_away),
    Way("sealed NO-GO, results edited", sealed_results_changed),
    Way("sealed twice", sealed_again(passed_in_results)),
    Way("sealed twice, first seal removed", sealed_again(passed_in_results, unsealed)),
    Way(
        "sealed twice, all of it rewritten",
        sealed_again(passed_in_results, passed_in_junit, unsealed, resum),
    ),
    Way("seal of the GO on the NO-GO", envelope_of_the_go, lived=True),
    Way("the GO in the folder of the NO-GO", contents_of_the_go, lived=True),
    Way("a file of the GO changed", changed("report.html"), lived=True),
    Way("a file named like the line", added(ATTACKED), lived=True),
    Way("a file named like a line, in the NO-GO", added(ATTACKED, to_go=False), lived=True),
    Way("a file with a line break in its name", added(f"x\nverified  {ATTACKED}: passed"), lived=True),
    Way("NO-GO removed", removed, lived=True),
    Way("NO-GO hidden", hidden, lived=True),
    Way("NO-GO moved to another release", moved, lived=True),
    Way("NO-GO emptied", emptied, lived=True),
    Way("GO and NO-GO renamed", renamed, lived=True),
    Way("GO copied to the end", copied, lived=True),
    Way("NO-GO without results.json", without("results.json"), lived=True),
    Way("NO-GO without its seal", without(ENVELOPE), lived=True),
    Way("NO-GO said to be older", results_changed('"started": "20', '"started": "19'), lived=True),
    Way("NO-GO said to be narrowed", results_changed('"whole": [', '"whole": [], "w": ['), lived=True),
    Way(
        "NO-GO said to be a rehearsal", results_changed('"rehearsal": false', '"rehearsal": true'), lived=True
    ),
    Way(
        "NO-GO said to be of another target", results_changed('"name": "staging"', '"name": "x"'), lived=True
    ),
    Way("NO-GO and its record removed, --head known", record_removed, lived=True),
    Way("NO-GO and all records removed", records_removed, lived=True),
    Way("another --reports, --head known", other_reports, lived=True),
    Way("the GO, a day later", too_old, lived=True),
    Way("narrowed run since", narrowed_after, lived=True),
    Way("another key", other_key),
)
