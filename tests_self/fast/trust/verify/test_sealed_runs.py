"""A sealed run is verified, and refused for any byte, key, commit, day or form that is another."""

# ruff: noqa: F811 (fixtures of another file)

import base64
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests_self.building.sealed_runs import IMAGE, WAIVER, Bundle, bundle, head, made  # noqa: F401 (fixtures)
from tests_self.resealed import resealed

from noxgate.run import results_file
from noxgate.run.verdict import Outcome
from noxgate.trust import seal, signing

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
