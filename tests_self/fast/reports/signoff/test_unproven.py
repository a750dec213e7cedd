"""What is not proven is not green on the sign-off page."""

# ruff: noqa: F811 (fixtures of another file)
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests_self.building.signoffs import BEGAN, PHASES, TINY, Release, of, outcome, release  # noqa: F401 (fixtures)
from tests_self.fast.reports.signoff.told import failed, unsealed
from tests_self.resealed import resealed

from noxgate.errors import Exit
from noxgate.trust.keys import read_trust
from noxgate.trust.persons import attest
from noxgate.trust.persons.people import Person


def no_run(release: Release) -> None:
    release.runs("green")


def skipped(release: Release) -> None:
    release.runs("green")
    release.run("green", change=lambda results: results["lines"].remove(of(results, "green.health")))


def unreachable(release: Release) -> None:
    release.runs("green")
    release.run("green", change=outcome("green.health", "unreachable"))


def undecided(release: Release) -> None:
    release.runs("green")
    release.run("green", change=outcome("green.health", "undecided"))


def tampered(release: Release) -> None:
    release.runs("green")
    path = release.run("green", change=outcome("green.health", "failed")) / "results.json"
    path.write_text(path.read_text().replace("failed", "passed").replace("NO-GO", "GO"))


def unreadable(release: Release) -> None:
    release.runs("green")
    (release.run("green") / "results.json").write_text("[]")


def another_form(release: Release) -> None:
    release.runs("green")
    folder = release.run("green")
    resealed(folder, lambda results: of(results, "green.health").update(checks="all"), release.key)


def stale(release: Release) -> None:
    release.runs("preflight")
    release.run("preflight", began=timedelta(hours=30))


def out_of_order(release: Release) -> None:
    release.runs("green")
    release.run("green", began=timedelta(minutes=3))


def failed_in_part_since(release: Release) -> None:
    release.runs()

    def change(results: dict[str, Any]) -> None:
        outcome("green.health", "failed")(results)
        results["whole"] = []

    release.run("green", change=change, began=timedelta(minutes=2))


def of_two_commits(release: Release) -> None:
    release.runs("green")
    release.run("green", commit="d" * 40)


def rehearsed(release: Release) -> None:
    release.runs("green")
    release.run("green", change=lambda results: results["target"].update(rehearsal=True))


def another_release(release: Release) -> None:
    release.runs("green")
    release.run("green", change=lambda results: results.update(release="8.0.1"))


def said_to_fail_since(release: Release) -> None:
    release.runs()
    trust = read_trust(release.root, "production")
    line = release.runbook.lines["live.sentry-issues"]
    chain = trust.chain(release.root / "reports", "8.0.0")
    attest.attest(
        chain,
        release.key,
        line,
        by=Person("Ada"),
        saw=f"{release.now:%H:%M}Z: NOX-812 is new, https://sentry.nox.io/812",
        outcome=attest.FAILED,
    )


def on_another_target(release: Release) -> None:
    release.runs()
    shutil.copy(release.root / "targets" / "staging.toml", release.root / "targets" / "sandbox.toml")

    def change(results: dict[str, Any]) -> None:
        outcome("staging.health", "failed")(results)
        results["target"]["name"] = "sandbox"

    release.run("staging", change=change, began=timedelta(minutes=51))


def stepped_aside(release: Release) -> None:
    release.runs()
    path = release.run("green", change=outcome("green.health", "failed"), began=timedelta(minutes=25))
    results = json.loads((path / "results.json").read_text())
    results["started"] = "2000-01-01T00:00:00+00:00"
    (path / "results.json").write_text(json.dumps(results))


def from_the_future(release: Release) -> None:
    release.runs()
    release.run("live", change=outcome("live.health", "failed"), began=-timedelta(minutes=30))


def rolled_back_in_part(release: Release) -> None:
    release.runs()

    def change(results: dict[str, Any]) -> None:
        results["whole"] = []

    release.run("rollback", change=change)


def rolled_back_as_far_as_known(release: Release) -> None:
    release.runs()

    def change(results: dict[str, Any]) -> None:
        outcome("rollback.traffic-switch", "unreachable")(results)
        outcome("rollback.version", "unreachable")(results)

    release.run("rollback", change=change)


@pytest.mark.parametrize(
    ("make", "line", "shown", "verdict", "why"),
    [
        (no_run, "green.health", "not-run", "INCONCLUSIVE", "there is no run of this phase"),
        (failed, "green.health", "failed", "NO-GO", "it broke"),
        (skipped, "green.health", "not-run", "INCONCLUSIVE", "is not in the results"),
        (unreachable, "green.health", "unreachable", "INCONCLUSIVE", "it broke"),
        (undecided, "green.health", "undecided", "INCONCLUSIVE", "it broke"),
        (unsealed, "green.health", "unproven", "INCONCLUSIVE", "is unsealed"),
        (tampered, "green.health", "unproven", "INCONCLUSIVE", "results.json: was changed"),
        (unreadable, "green.health", "not-run", "INCONCLUSIVE", "what it saw is unknown"),
        (another_form, "green.health", "not-run", "INCONCLUSIVE", "another form"),
        (stale, "preflight.tools", "unproven", "INCONCLUSIVE", "is stale"),
        (out_of_order, "green.health", "passed", "INCONCLUSIVE", "green was run after phase live"),
        (failed_in_part_since, "green.health", "passed", "INCONCLUSIVE", "saw green.health fail"),
        (of_two_commits, "green.health", "passed", "INCONCLUSIVE", "are not of one commit"),
        (rehearsed, "green.health", "not-run", "INCONCLUSIVE", "there is no run of this phase"),
        (another_release, "green.health", "unproven", "INCONCLUSIVE", "is of another release"),
        (on_another_target, "staging.health", "passed", "INCONCLUSIVE", "was run on staging, sandbox"),
        (
            stepped_aside,
            "green.health",
            "passed",
            "INCONCLUSIVE",
            "does not count: results.json: was changed",
        ),
        (from_the_future, "live.health", "passed", "INCONCLUSIVE", "is from the future"),
        (rolled_back_in_part, "rollback.version", "not-run", "INCONCLUSIVE", "rollback was run after phase"),
        (
            rolled_back_as_far_as_known,
            "rollback.version",
            "unreachable",
            "INCONCLUSIVE",
            "rollback was run after phase",
        ),
        (said_to_fail_since, "live.sentry-issues", "failed", "NO-GO", "NOX-812 is new"),
    ],
)
def test_what_is_not_proven_is_not_green(
    release: Release, make: Callable[[Release], None], line: str, shown: str, verdict: str, why: str
) -> None:
    """And the page, the text and the terminal say why."""
    make(release)

    status, said = release.sign_off()

    assert status == {"NO-GO": 1, "INCONCLUSIVE": 2}[verdict]
    assert said.startswith(f"{verdict}  release 8.0.0: Partial Issues\n")
    assert why in said
    assert why.lower() in release.html.lower()
    assert f": {verdict}" not in release.html.split("<title>")[1].split(":")[0]
    assert f'<div class="word">{verdict}</div>' in release.html
    assert release.status() == "Partial Issues"
    assert release.outcomes()[line] == shown
    assert release.outcomes()["signoff.status"] != "passed"


def of_rehearsal(name: str) -> Callable[[dict[str, Any]], object]:
    """Let a run be of a rehearsal's target."""
    return lambda results: results["target"].update(name=name, rehearsal=True)


def test_a_rehearsal_is_never_taken_for_a_release(release: Release) -> None:
    """It has files of its own, its stamp on top, and the word beside the verdict and in the title."""
    for phase in PHASES:
        name = "rehearsal" if PHASES[phase] == "staging" else "rehearsal-production"
        release.run(phase, change=of_rehearsal(name))

    assert release.sign_off()[0] == Exit.USAGE  # no run of a real target
    status, said = release.sign_off("--target", "rehearsal")

    assert (status, said.split()[:2]) == (2, ["INCONCLUSIVE", "(rehearsal)"])  # its keys went with it
    folder = release.root / "reports" / "8.0.0"
    assert not (folder / "sign-off.html").exists()
    text = (folder / "sign-off-rehearsal.html").read_text()
    assert "<title>INCONCLUSIVE (rehearsal): NOX API" in text
    (folder / "sign-off-rehearsal.html").write_text("made while its keys were there")
    status, said = release.sign_off("--target", "rehearsal")
    assert status != 0
    assert "sign-off-rehearsal.html is kept as it is" in said
    assert (folder / "sign-off-rehearsal.html").read_text() == "made while its keys were there"
    assert "<b>REHEARSAL</b>" in text
    assert "**REHEARSAL.**" in (folder / "SIGN-OFF-REHEARSAL.md").read_text()
