"""Sealed evidence: `noxgate verify` refuses what is not as it was signed, or lets no release go."""

# ruff: noqa: F811 (fixtures of another file)

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.building.sealed_runs import IMAGE, WAIVER, Bundle, another, bundle, commit, head, made, make  # noqa: F401 (fixtures)
from tests_self.resealed import resealed

from noxgate.cli.main import main
from noxgate.run import results_file
from noxgate.run.verdict import Outcome
from noxgate.trust import seal, signing
from noxgate.trust.keys import read_trust
from noxgate.trust.recorded import Recorded, recorded

if TYPE_CHECKING:
    from tests_self.conftest import Project

EXPIRED = "expired on 2026-01-01: mend what failed, or have Deniz Aydin decide anew"


def test_a_sealed_run_is_verified(bundle: Bundle) -> None:
    """With all that it may be asked for."""
    everything = ("--target", "staging", "--release", "8.0.0", "--phase", "staging", "--image", IMAGE)

    for folder in (bundle.root, bundle.root / "nox"):
        status, lines = bundle.verify(*everything, "--commit", head(folder))

        assert status == 0, lines
        assert lines[0].startswith("verified  GO  staging on https://localhost:9, signed by ada.pub (")
        assert f"commit {head(bundle.root / 'nox')[:12]}, image abababababab" in lines[0]
        assert lines[-2].startswith("note      one run alone: newer runs and other phases were not looked at")


def test_the_statement_is_in_totos(bundle: Bundle) -> None:
    """Statement v1 with a test-result: subjects are commits, image, runbook.toml and every file."""
    envelope = json.loads((bundle.folder / seal.ENVELOPE).read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))

    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["predicate"]["result"] == "PASSED"
    passed = ["staging.version", "staging.health", "staging.announced"]
    assert statement["predicate"]["passedTests"] == passed
    subjects = {each["name"]: each["digest"] for each in statement["subject"]}
    assert subjects["commit:gate"] == {"gitCommit": head(bundle.root)}
    assert subjects["commit:source"] == {"gitCommit": head(bundle.root / "nox")}
    assert subjects["image:nox-api"] == {"sha256": "ab" * 32}
    files = {name.removeprefix("run/") for name in subjects if name.startswith("run/")}
    there = {str(path.relative_to(bundle.folder)) for path in bundle.folder.rglob("*") if path.is_file()}
    assert files == there - {seal.ENVELOPE}
    assert {"results.json", "report.html", "SHA256SUMS", "records/0001.json"} < files


# ---------------------------------------------------------------- bytes


def test_one_flipped_bit_in_any_file_is_refused(bundle: Bundle) -> None:
    """At the start, in the middle and at the end of each, the envelope and the records among them."""
    files = sorted(path for path in bundle.folder.rglob("*") if path.is_file())
    assert len(files) >= 8

    for path in files:
        name = str(path.relative_to(bundle.folder))
        content = path.read_bytes()
        for at in {0, len(content) // 2, len(content) - 1} if content else ():
            changed = bytearray(content)
            changed[at] ^= 1
            path.chmod(0o644)
            path.write_bytes(changed)
            reasons = bundle.refused()
            assert reasons, f"{name}: byte {at}"
            assert all(reason.startswith(name) for reason in reasons), f"{name}: byte {at}: {reasons}"
        path.write_bytes(content)
    assert bundle.refused() == []


def test_each_file_that_is_removed_is_refused(bundle: Bundle) -> None:
    """By its name."""
    for path in sorted(path for path in bundle.folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(bundle.folder))
        content = path.read_bytes()
        path.unlink()
        (reason,) = bundle.refused()
        assert reason.startswith(f"{name}: "), reason
        path.write_bytes(content)
    assert bundle.refused() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda run: (run / "notes.txt").write_text("x"), "notes.txt: was added", id="added"),
        pytest.param(
            lambda run: (run / "a\x1b[2J\udcff").write_text("x"),
            r"'a\x1b[2J\udcff': was added",
            id="unprintable",
        ),
        pytest.param(lambda run: (run / ".hidden").write_text(""), ".hidden: was added", id="hidden"),
        pytest.param(
            lambda run: (run / "records" / "0003.json").write_text("{}"),
            "records/0003.json: was added",
            id="record-added",
        ),
        pytest.param(
            lambda run: (run / "junit.xml").rename(run / "junit.old"),
            "junit.xml: was renamed to junit.old",
            id="renamed",
        ),
        pytest.param(
            lambda run: (run / "link").symlink_to("/etc/hostname"),
            "link: is not a regular file",
            id="link-added",
        ),
        pytest.param(
            lambda run: (
                (run / "junit.xml").rename(run / ".." / "j"),
                (run / "junit.xml").symlink_to("../j"),
            ),
            "junit.xml: is not a regular file",
            id="replaced-by-a-link",
        ),
    ],
)
def test_files_that_come_and_go(bundle: Bundle, change: Callable[[Path], object], reason: str) -> None:
    """Each is named."""
    change(bundle.folder)

    assert reason in bundle.refused()


def test_results_that_were_changed_and_whose_sums_were_too(bundle: Bundle) -> None:
    """SHA256SUMS alone proves nothing."""
    path = bundle.folder / "results.json"
    old = seal.digest(path)
    path.write_text(path.read_text().replace("staging.health", "staging.wealth"))
    sums = bundle.folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(old, seal.digest(path)))

    assert bundle.refused() == ["SHA256SUMS: was changed", "results.json: was changed"]


# ---------------------------------------------------------------- who, what, when


def test_a_key_that_is_not_believed(bundle: Bundle) -> None:
    """Says whose it is not; a key may be given instead of the profile's."""
    signing.new_key(bundle.root / "bram.pem")

    (reason,) = bundle.refused("--key", "bram.pub")
    assert reason.startswith("evidence.dsse.json: signed with another key: ")
    assert "believed are: bram.pub (" in reason
    assert bundle.refused("--key", "bram.pub", "--key", "keys/ada.pub") == []


def test_evidence_that_somebody_else_signed_anew(bundle: Bundle) -> None:
    """As a forger would who has a key of his own."""
    signing.new_key(bundle.root / "keys" / "eve.pem")
    bundle.key = bundle.root / "keys" / "eve.pem"
    bundle.resign(lambda results: results.update(verdict="GO"))

    (reason,) = bundle.refused()
    assert reason.startswith("evidence.dsse.json: signed with another key")


def test_a_run_that_nobody_sealed(bundle: Bundle) -> None:
    """Is no evidence."""
    (bundle.folder / seal.ENVELOPE).unlink()

    assert bundle.refused() == ["evidence.dsse.json: not there: the run is not sealed"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--commit", "f" * 40), f"is of another commit: expected {'f' * 40}, saw "),
        (("--image", "sha256:" + "0" * 64), f"is of another image: expected sha256:{'0' * 64}, saw abab"),
        (("--release", "8.0.1"), "is of another release: expected 8.0.1, saw 8.0.0"),
        (("--phase", "live"), "phase live is missing: the run is of staging"),
        (("--target", "production"), "is of another target: expected production, saw staging"),
    ],
)
def test_evidence_of_something_else(bundle: Bundle, options: tuple[str, str], reason: str) -> None:
    """Another commit, image, release, phase or target than was asked for."""
    shutil.copy(bundle.root / "targets" / "staging.toml", bundle.root / "targets" / "production.toml")

    status, lines = bundle.verify(*options)

    assert status == 1
    (line,) = (line for line in lines if line.startswith("refused "))
    assert line.startswith(f"refused   {reason}")


def test_a_runbook_that_has_changed_since(bundle: Bundle) -> None:
    """What was passed then is not what is asked now."""
    with (bundle.root / "runbook.toml").open("a") as file:
        file.write("# one more word\n")

    assert bundle.refused() == [
        "was judged by another runbook.toml than the one here: check out the commit of the run"
    ]


def test_a_runbook_with_other_line_ends(bundle: Bundle) -> None:
    """Healthy and odd: the run was made where git gives text files the line ends of the system."""
    path = bundle.root / "runbook.toml"
    text = path.read_bytes()
    path.write_bytes(text.replace(b"\n", b"\r\n"))
    bundle.resign(lambda _: None)
    path.write_bytes(text)

    assert bundle.refused() == []


def test_stale_evidence(bundle: Bundle) -> None:
    """24 hours, unless the profile or the option says otherwise; and nothing from the future."""
    ended = datetime.fromisoformat(bundle.results()["ended"])

    def at(hours: float) -> list[str]:
        return ["--at", (ended + timedelta(hours=hours)).isoformat()]

    assert bundle.refused(*at(24)) == []
    (reason,) = bundle.refused(*at(24.1))
    assert reason.startswith("is stale: it ended 20")
    assert reason.endswith("24.1 h ago; the limit is 24 h (evidence_hours of staging)")
    assert bundle.refused(*at(24.1), "--within", "48") == []
    assert bundle.refused(*at(2), "--within", "1") != []
    assert bundle.refused(*at(-1))[0].startswith("is from the future: it ended 20")
    profile = bundle.root / "targets" / "staging.toml"
    profile.write_text("evidence_hours = 2\n" + profile.read_text())
    assert bundle.refused(*at(3))[0].endswith("the limit is 2 h (evidence_hours of staging)")


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        pytest.param(
            lambda results: results["target"].update(rehearsal=True),
            ["is a rehearsal: it does not count for a release"],
            id="rehearsal",
        ),
        pytest.param(
            lambda results: results["lines"][0].update(outcome="failed", reason="assert\n 1 == 2"),
            ["staging.version: failed: assert 1 == 2"],
            id="failed",
        ),
        pytest.param(
            lambda results: results["lines"][0].update(outcome="not run", reason="was not run"),
            ["staging.version: not run: was not run"],
            id="not-run",
        ),
        pytest.param(
            lambda results: results["lines"].pop(0), ["staging.version: is not in the results"], id="left-out"
        ),
        pytest.param(
            lambda results: results["lines"][0].update(checks=[]),
            ["staging.version: no check says so"],
            id="no-check",
        ),
        pytest.param(
            lambda results: results["lines"][0]["checks"][0].update(outcome="unreachable"),
            ["staging.version: no check says so"],
            id="check-did-not-look",
        ),
        pytest.param(
            lambda results: results["lines"][2].update(attestation=None),
            ["staging.announced: no record of a person says so"],
            id="no-attestation",
        ),
        pytest.param(
            lambda results: results["lines"][2]["attestation"].update(record=7),
            ["staging.announced: no record of a person says so"],
            id="no-such-record",
        ),
        pytest.param(
            lambda results: results["doubts"].append("report.html was not written"),
            ["the run is in doubt: report.html was not written"],
            id="doubt",
        ),
        pytest.param(
            lambda results: results["to_come"].append("staging.later"),
            ["staging.later: no check proves this line yet"],
            id="to-come",
        ),
        pytest.param(
            lambda results: results.update(verdict="INCONCLUSIVE"),
            ["its verdict is INCONCLUSIVE"],
            id="verdict",
        ),
        pytest.param(
            lambda results: results["lines"][0].update(outcome="not counted", reason="none is named"),
            ["staging.version: not counted: none is named"],
            id="not-counted",
        ),
        pytest.param(
            lambda results: results["lines"][0].update(outcome="waived", waiver=WAIVER), [], id="waived"
        ),
        pytest.param(
            lambda results: results["lines"][0].update(
                outcome="waived", waiver=WAIVER | {"expires": "2026-01-01"}
            ),
            [f"staging.version: its waiver does not count: {EXPIRED}"],
            id="waiver-expired",
        ),
        pytest.param(
            lambda results: results["lines"][0].update(outcome="waived", waiver=WAIVER | {"owner": "[name]"}),
            ["staging.version: its waiver does not count: owner: expected a name, in one line, saw '[name]'"],
            id="waiver-of-nobody",
        ),
    ],
)
def test_what_was_signed_and_still_does_not_count(
    bundle: Bundle, change: Callable[[Any], object], reasons: list[str]
) -> None:
    """The very key signed it, and yet it lets no release go."""
    bundle.resign(change)
    if any(line.get("waiver") for line in bundle.results().get("lines", [])):
        bundle.waive()  # a waiver that no commit has is refused for that alone

    assert bundle.refused() == reasons


def test_results_that_cannot_be_sealed(bundle: Bundle) -> None:
    """One line."""
    with pytest.raises(signing.SigningError, match="expected a run's results, saw another form"):
        bundle.resign(lambda results: results.update(lines=7))


FORM = "expected a run's results, saw another form"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": 99}, "expected schema 2, saw 99"),
        ({"doubts": 7}, f"{FORM} (TypeError: expected a list, saw int)"),
        (
            {"doubts": "none"},
            f"{FORM} (TypeError: expected a list, saw str)",
        ),
        ({"doubts": [7]}, f"{FORM} (TypeError: expected text, saw int)"),
        ({"ended": 7}, f"{FORM} (TypeError: fromisoformat: "),
        ({"ended": "soon"}, f"{FORM} (ValueError: Invalid isoformat"),
        ({"target": 7}, f"{FORM} (TypeError: "),
        (
            {"target": {"name": "staging"}},
            f"{FORM} (KeyError: 'rehearsal')",
        ),
        (
            {"target": {"name": "staging", "rehearsal": 0}},
            f"{FORM} (TypeError: expected true or false, saw int)",
        ),
        ({"verdict": 7}, f"{FORM} (ValueError: 7 is not a valid Verdict)"),
        ({"lines": {}}, f"{FORM} (TypeError: expected a list, saw dict)"),
        ({"lines": [{}]}, f"{FORM} (KeyError: 'id')"),
    ],
)
def test_results_of_another_form(bundle: Bundle, change: dict[str, object], reason: str) -> None:
    """One line, no traceback, whoever signed it."""
    resealed(bundle.folder, lambda results: results.update(change), signing.read_signing_key(bundle.key))

    (said,) = bundle.refused()
    assert said.startswith(f"results.json: {reason}")


def test_results_are_read_as_they_were_written(bundle: Bundle) -> None:
    """Nothing is lost on the way, and nothing is added."""
    assert results_file.document(results_file.read(bundle.folder)) == bundle.results()


def test_an_unwaivable_line_that_was_waived(bundle: Bundle) -> None:
    """Whoever signed it."""
    text = (bundle.root / "runbook.toml").read_text()
    (bundle.root / "runbook.toml").write_text(
        text.replace("[staging.version]\n", "[staging.version]\nwaivable = false\n")
    )
    bundle.resign(lambda results: results["lines"][0].update(outcome=Outcome.WAIVED, waiver=WAIVER))
    bundle.waive()

    (reason,) = bundle.refused()
    assert reason.startswith("staging.version: its waiver does not count: this line cannot be waived")


def test_an_optional_line_that_does_not_count(bundle: Bundle) -> None:
    """As the runbook of the checkout has it."""
    text = (bundle.root / "runbook.toml").read_text()
    (bundle.root / "runbook.toml").write_text(
        text.replace("[staging.version]\n", "[staging.version]\noptional = true\n")
    )
    bundle.resign(lambda results: results["lines"][0].update(outcome="not counted", reason="none is named"))

    assert bundle.refused() == []


# ---------------------------------------------------------------- a release


def test_the_runs_of_a_release(bundle: Bundle) -> None:
    """The newest of each phase; a phase that is missing is said."""
    assert bundle.refused("--phase", "staging", what="8.0.0") == []
    assert bundle.refused(what="8.0.0") == [
        f"phase live is missing: no run of the whole of it in {bundle.root}/reports/8.0.0"
    ]
    assert bundle.refused("--phase", "staging", "--target", "rehearsal", what="8.0.0") == [
        f"phase staging is missing: no run of the whole of it in {bundle.root}/reports/8.0.0"
    ]


def test_the_newest_run_decides(bundle: Bundle) -> None:
    """An older GO does not outlive a newer run that is not one; a rehearsal changes nothing."""
    old = bundle.folder
    newer = old.with_name("20990101T000000Z-staging-staging")
    shutil.copytree(old, newer)
    results = json.loads((newer / "results.json").read_text())
    results["started"] = "2099-01-01T00:00:00+00:00"
    (newer / "results.json").write_text(json.dumps(results))

    assert main(["verify", "8.0.0", "--phase", "staging"]) == 1
    results["target"]["rehearsal"] = True
    (newer / "results.json").write_text(json.dumps(results))
    (newer / seal.ENVELOPE).unlink()
    assert main(["verify", "8.0.0", "--phase", "staging"]) == 0


def said(capsys: pytest.CaptureFixture[str], status: int) -> list[str]:
    """What `noxgate verify` says of staging."""
    capsys.readouterr()
    assert main(["verify", "--phase", "staging"]) == status
    return capsys.readouterr().out.splitlines()


def test_a_narrowed_run_hides_no_go_and_no_failure(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """-k after a GO does not count; unless it saw a line fail: then the whole phase is run once more."""
    lines = bundle.results()["lines"]
    name, again = "20990101T000000Z-staging-staging", "run the whole of phase staging once more"
    run = another(bundle, whole=[])

    assert said(capsys, 0)[1:] == [
        f"note      {name}: is narrowed: it does not count for phase staging",
        "VERIFIED  release 8.0.0",
    ]
    shutil.rmtree(run)
    another(bundle, whole=[], lines=[{**lines[0], "outcome": "failed"}, *lines[1:]])
    assert said(capsys, 1)[1:] == [
        f"refused   {name}, a narrowed run since: saw staging.version fail: {again}",
        "REFUSED  release 8.0.0",
    ]


def test_a_narrowed_run_stands_for_no_phase(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither alone nor by name, even where every line of it is passed."""
    bundle.resign(lambda results: results.update(whole=[], selection={"m": "", "k": "a", "arguments": []}))

    assert bundle.refused() == ["phase staging was narrowed (-k 'a'): it does not count"]
    assert said(capsys, 1)[-2:] == [
        f"refused   phase staging is missing: no run of the whole of it in {bundle.root}/reports/8.0.0",
        "REFUSED  release 8.0.0",
    ]


def test_a_whole_run_that_is_no_go_beats_an_older_go(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also one that was broken off, and also one that was not sealed."""
    lines = bundle.results()["lines"]
    another(bundle, verdict="NO-GO", lines=[{**lines[0], "outcome": "failed"}, *lines[1:]])

    assert said(capsys, 1)[0].endswith("evidence.dsse.json: not there: the run is not sealed")


@pytest.mark.parametrize(
    "change",
    [
        {"started": "2000-01-01T00:00:00+00:00"},
        {"whole": []},
        {"phases": ["live"], "whole": ["live"]},
        {"target": {"name": "staging", "rehearsal": True}},
        {"target": {"name": "sandbox", "rehearsal": False}},
    ],
    ids=["older", "narrowed", "of-another-phase", "a-rehearsal", "of-another-target"],
)
def test_a_no_go_that_was_made_to_step_aside(
    bundle: Bundle, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    """Which run counts is read from the runs themselves: each that is sealed must be as it was sealed."""
    go = bundle.folder
    later = datetime.fromisoformat(bundle.results()["ended"]) + timedelta(seconds=1)
    lines = [{**line, "outcome": "failed"} for line in bundle.results()["lines"]]
    run = another(bundle, started=later.isoformat(), verdict="NO-GO", lines=lines)
    key = signing.read_signing_key(bundle.key)
    seal.seal(run, bundle.root, bundle.root / "targets" / "staging.toml", key)
    assert said(capsys, 1)[0].startswith(f"refused   {run.name}: staging.version: failed")
    results = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**results, **change}))

    capsys.readouterr()
    assert main(["verify", "--phase", "staging", "--target", "staging"]) == 1
    words = capsys.readouterr().out.splitlines()
    assert f"refused   {run.name}, which does not count: results.json: was changed" in words
    assert words[0].startswith(f"verified  {go.name}: GO")


def test_a_newer_run_of_a_target_that_nobody_knows(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused, as it is on the page: whoever wrote it cannot have verify ask for another command."""
    later = datetime.fromisoformat(bundle.results()["ended"]) + timedelta(seconds=1)
    run = another(bundle, started=later.isoformat(), target={"name": "nowhere", "rehearsal": False})

    capsys.readouterr()
    assert main(["verify", "--phase", "staging"]) == 1
    reasons = capsys.readouterr().out
    assert f"refused   {run.name}: no signature counts for it: no target 'nowhere'" in reasons


def test_a_fact_of_an_earlier_run_is_taken_from_sealed_bytes_alone(bundle: Bundle) -> None:
    """Whoever can write into the reports folder must not choose the version that a rollback is proven by."""
    trust = read_trust(bundle.root, "staging")

    run = another(bundle, facts={"previous-version": "6.6.6"})
    what = (run.parent, "staging", "staging.version", "previous-version", trust.signers)
    assert recorded(*what) == Recorded("6.6.6", run, "it is not sealed")
    key = signing.read_signing_key(bundle.key)
    seal.seal(run, bundle.root, bundle.root / "targets" / "staging.toml", key)
    assert recorded(*what) == Recorded("6.6.6", run)
    newer = run.with_name("20990102T000000Z-staging-staging")
    shutil.copytree(run, newer)
    (newer / seal.ENVELOPE).unlink()
    assert recorded(*what) == Recorded("6.6.6", run)
    shutil.rmtree(newer)
    results = run / "results.json"
    results.write_text(results.read_text().replace("6.6.6", "9.9.9"))
    assert recorded(*what) == Recorded("9.9.9", run, "results.json: was changed")


@pytest.mark.parametrize("verdict", [float("nan"), "\ud800"])
def test_what_no_statement_can_hold_is_not_sealed(bundle: Bundle, verdict: object) -> None:
    """One line, and no envelope."""
    run = another(bundle, verdict=verdict)
    key = signing.read_signing_key(bundle.key)

    with pytest.raises(signing.SigningError, match="expected a run's results, saw another form"):
        seal.seal(run, bundle.root, bundle.root / "targets" / "staging.toml", key)
    assert not (run / seal.ENVELOPE).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"started": "0001-01-01T00:00:00+14:00"},
        {"whole": [], "lines": [{"id": "staging.\x1b[2J\ud800", "outcome": "failed"}]},
    ],
    ids=["before-all-time", "to-the-terminal"],
)
def test_an_odd_run_is_one_plain_line(
    bundle: Bundle, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    """No traceback, and nothing that a terminal would obey."""
    run = another(bundle, **change)

    words = said(capsys, 1)
    assert sum(run.name in word for word in words) == 1
    assert all(word.isprintable() for word in words)


def test_a_go_on_another_target_hides_no_no_go(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """Which target counts is for a person to say."""
    target = {**bundle.results()["target"], "name": "sandbox"}
    another(bundle, "20000101T000000Z-sandbox-staging", target=target, started="2000-01-01T00:00:00+00:00")

    assert said(capsys, 1)[1:] == [
        "refused   phase staging was run on staging, sandbox: name each target that counts with --target",
        "REFUSED  release 8.0.0",
    ]
    assert main(["verify", "--phase", "staging", "--target", "staging", "--target", "production"]) == 0


def test_a_newer_run_speaks_for_one_phase_of_an_older_one(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """What failed of live was mended and run again: the older run speaks for staging alone."""
    live = {**bundle.results()["lines"][0], "id": "live.sentry", "outcome": "failed"}
    both = ["staging", "live"]
    lines = [*bundle.results()["lines"], live]
    bundle.resign(lambda results: results.update(phases=both, whole=both, verdict="NO-GO", lines=lines))
    assert said(capsys, 1)[0].endswith("live.sentry: failed: ")
    another(bundle, "20990101T000000Z-staging-live", phases=["live"], whole=["live"])

    assert said(capsys, 0)[-1] == "VERIFIED  release 8.0.0"


@pytest.mark.parametrize("name", ["results.json", seal.ENVELOPE])
def test_a_newer_run_that_was_damaged(bundle: Bundle, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """What cannot be read may have been NO-GO: an older GO does not step in for it."""
    run = another(bundle, whole=[])
    (run / seal.ENVELOPE).write_text("{}")
    if name == "results.json":
        (run / name).unlink()

    assert said(capsys, 1)[-2].startswith(f"refused   {run.name}")


def test_records_that_were_taken_away_between_two_runs(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chain alone cannot show that its newest records are gone; an older run that holds them does."""
    live = bundle.folder.with_name("20990101T000000Z-staging-live")
    shutil.copytree(bundle.folder, live)
    (live / "records" / "0001.json").unlink()
    results = json.loads((live / "results.json").read_text())
    ended = datetime.fromisoformat(results["ended"]) + timedelta(seconds=1)
    results |= {"phases": ["live"], "whole": ["live"], "ended": ended.isoformat()}
    (live / "results.json").write_text(json.dumps(results))
    (live / seal.ENVELOPE).unlink()
    profile = bundle.root / "targets" / "staging.toml"
    seal.seal(live, bundle.root, profile, signing.read_signing_key(bundle.key))

    assert main(["verify", "8.0.0"]) == 1
    assert f"refused   records of staging: {live.name} lacks some that 20" in capsys.readouterr().out


def test_runs_of_two_commits_or_images(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """What was staged is what goes live, or the release is refused."""
    (bundle.root / "nox" / "README").write_text("NOX, changed")
    commit(bundle.root / "nox")
    other = "sha256:" + "cd" * 32
    live = bundle.folder.with_name("20990101T000000Z-staging-live")
    shutil.copytree(bundle.folder, live)
    results = json.loads((live / "results.json").read_text())
    results |= {"phases": ["live"], "whole": ["live"], "lines": [], "facts": {"image": other}}
    (live / "results.json").write_text(json.dumps(results))
    environment = json.loads((live / "environment.json").read_text())
    environment["source_commit"] = head(bundle.root / "nox")
    (live / "environment.json").write_text(json.dumps(environment))
    (live / seal.ENVELOPE).unlink()
    profile = bundle.root / "targets" / "staging.toml"
    seal.seal(live, bundle.root, profile, signing.read_signing_key(bundle.key))

    assert main(["verify", "8.0.0"]) == 1
    out = capsys.readouterr().out
    assert "refused   the runs are not of one commit: " in out
    assert "refused   the runs are not of one image: abababababab (20" in out


def test_an_image_that_two_runs_name_differently(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """Nodes name it by its index or by its platform's manifest: a run that knows both knows the other's."""
    live = bundle.folder.with_name("20990101T000000Z-staging-live")
    shutil.copytree(bundle.folder, live)
    results = json.loads((live / "results.json").read_text())
    results |= {
        "phases": ["live"],
        "whole": ["live"],
        "facts": {"image": "sha256:" + "cd" * 32, "image-manifest": IMAGE},
    }
    (live / "results.json").write_text(json.dumps(results))
    (live / seal.ENVELOPE).unlink()
    profile = bundle.root / "targets" / "staging.toml"
    seal.seal(live, bundle.root, profile, signing.read_signing_key(bundle.key))

    assert main(["verify", "8.0.0", "--image", IMAGE]) == 1  # live's own line was not run

    assert [
        line for line in capsys.readouterr().out.splitlines() if "refused" in line and "image" in line
    ] == []


# ---------------------------------------------------------------- noxgate seal, and wrong usage


def test_seal_a_run_that_was_made_without_a_key(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, and only by a key that signs for the target."""
    (bundle.folder / seal.ENVELOPE).unlink()

    assert main(["seal", str(bundle.folder)]) == 0
    assert bundle.refused() == []
    assert main(["seal", str(bundle.folder)]) == 4
    assert "is sealed already" in capsys.readouterr().err


def test_seal_refuses_a_run_that_shows_a_secret(
    bundle: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and not shown."""
    monkeypatch.setenv("TEST_TOKEN", "a-token-of-great-length")
    (bundle.folder / seal.ENVELOPE).unlink()
    (bundle.folder / "notes.txt").write_text("curl -H 'Bearer a-token-of-great-length'")

    assert main(["seal", str(bundle.folder)]) == 4
    assert capsys.readouterr().err.startswith("noxgate: notes.txt shows $TEST_TOKEN: not sealed")
    assert not (bundle.folder / seal.ENVELOPE).exists()


def test_a_run_in_which_a_secret_got_out_is_not_sealed(
    project: "Project", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leak means no evidence, in addition to no GO."""
    make(project, monkeypatch)
    monkeypatch.setenv("TEST_TOKEN", "a-token-of-great-length")
    (project.path / "tests_staging" / "conftest.py").write_text(
        "import pathlib, pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n"
        "    for folder in pathlib.Path('reports').glob('8.0.0/.running*'):\n"
        "        (folder / 'notes.txt').write_text('a-token-of-great-length')\n"
    )

    result = project.gate("-p", "no:cacheprovider")

    run = max(project.path.glob("reports/8.0.0/2*"))
    assert result.ret == 2
    assert "notes.txt would have shown $TEST_TOKEN: the file was removed" in result.outlines
    assert not (run / seal.ENVELOPE).exists()


def test_checks_that_saw_different_images(project: "Project") -> None:
    """It would be unknown which of them is released."""
    for name, digest in (("version", "1"), ("health", "2")):
        project.check(name, f"fact('image', 'sha256:{digest}')", arguments="observe, fact")

    result = project.gate()

    assert result.ret == 2
    assert "checks saw different images: " in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["8.0"], "expected the folder of a run, or a release such as 8.0.0; saw '8.0'"),
        (["8.0.0", "--phase", "stagin"], "--phase: no phase 'stagin'; did you mean 'staging'?"),
        (["8.0.0", "--at", "noon"], "--at: expected a time such as 2026-01-31T14:00Z, saw 'noon'"),
        (["8.0.0", "--at", "2026-01-31T14:00"], "--at: expected a time such as"),
        (["8.0.0", "--key", "nobody.pub"], "nobody.pub: No such file or directory"),
        (["FOLDER", "--target", "nowhere"], "no target 'nowhere'"),
    ],
)
def test_wrong_usage(
    bundle: Bundle, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Exit status 4, one line."""
    words = [str(bundle.folder) if word == "FOLDER" else word for word in arguments]

    assert main(["verify", *words]) == 4
    error = capsys.readouterr().err
    assert error.startswith(f"noxgate: {message}")
    assert error.count("\n") == 1


def test_a_folder_that_is_no_run(bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is refused."""
    assert main(["verify", str(tmp_path)]) == 1
    assert "results.json: No such file or directory" in capsys.readouterr().out
    assert bundle.folder.is_dir()
    assert datetime.fromisoformat(bundle.results()["ended"]) <= datetime.now(UTC)


# ---------------------------------------------------------------- with nothing of ours


def audit(bundle: Bundle, root: Path) -> subprocess.CompletedProcess[str]:
    """Run the code of docs/SIGN-OFF.md, which is all that an auditor needs."""
    (code,) = re.findall(r"```python\n(.*?)```", (root / "docs" / "SIGN-OFF.md").read_text(), re.DOTALL)
    command = [sys.executable, "-I", "-c", code, str(bundle.folder), str(bundle.key.with_suffix(".pub"))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_auditor_needs_nothing_of_ours(bundle: Bundle, pytestconfig: pytest.Config) -> None:
    """The page's own code accepts what was sealed, and nothing else."""
    done = audit(bundle, pytestconfig.rootpath)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["result"] == "PASSED"

    for name in ("junit.xml", "records/0001.json", seal.ENVELOPE):
        path = bundle.folder / name
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content.replace(b"e", b"f", 1))
        done = audit(bundle, pytestconfig.rootpath)
        assert done.returncode != 0, name
        path.write_bytes(content)
    (bundle.folder / "notes.txt").write_text("x")
    done = audit(bundle, pytestconfig.rootpath)
    assert done.returncode == 1
    assert done.stderr.startswith("NOT AS SIGNED: [('notes.txt', ")
