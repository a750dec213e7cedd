"""The runs of a release: which of them decides, and that none hides another."""

# ruff: noqa: F811 (fixtures of another file)

import json
import shutil
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests_self.building.sealed_runs import IMAGE, Bundle, another, bundle, commit, head, made  # noqa: F401 (fixtures)

from noxgate.cli.main import main
from noxgate.trust import seal, signing
from noxgate.trust.keys import read_trust
from noxgate.trust.recorded import Recorded, recorded


def test_the_runs_of_a_release(bundle: Bundle) -> None:
    """The newest of each phase; a phase that is missing is said."""
    assert bundle.refused("--phase", "staging", what="8.0.0") == []
    assert bundle.refused(what="8.0.0") == [
        f"phase live is missing: no run of the whole of it in {bundle.root}/reports/8.0.0"
    ]
    assert bundle.refused("--phase", "staging", "--target", "rehearsal", what="8.0.0") == [
        f"phase staging is missing: no run of the whole of it in {bundle.root}/reports/8.0.0"
    ]


def test_lines_that_are_refused_for_one_reason_are_one_row(bundle: Bundle) -> None:
    """With all their names; what is about a file, or has its own reason, is not among them."""
    bundle.resign(lambda results: results.update(to_come=["staging.a", "staging.b"], doubts=["it broke off"]))

    assert bundle.refused() == [
        "the run is in doubt: it broke off",
        "no check proves this line yet: 2 lines: staging.a, staging.b",
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
    assert said(capsys, 1)[0].startswith(f"refused   {run.name}: failed: 3 lines: staging.version, ")
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
    assert said(capsys, 1)[0].endswith("live.sentry: failed:")
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
