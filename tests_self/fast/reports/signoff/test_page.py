"""The sign-off page of a release that went well, in part, or back; and what it shows of hostile words."""

# ruff: noqa: F811 (fixtures of another file)
import re
from datetime import timedelta
from typing import Any

import pytest
from tests_self.building.signoffs import BEGAN, PHASES, TINY, Release, of, outcome, release  # noqa: F401 (fixtures)
from tests_self.fast.reports.signoff.told import unsealed

from noxgate.project.runbook import Runbook
from noxgate.reports.pictures import address
from noxgate.trust.keys import read_trust
from noxgate.trust.persons import attest
from noxgate.trust.persons.people import Person


def test_a_release_that_went_well(release: Release) -> None:
    """Every line of the runbook is there, in its order; what follows from others is derived."""
    release.runs()

    status, said = release.sign_off()

    assert (status, said.splitlines()[0]) == (0, "GO  release 8.0.0: Success"), said
    assert release.status() == "Success"
    assert "REHEARSAL" not in release.html
    order = [line for phase in release.runbook.phases for line in of_phase(release.runbook, phase)]
    assert list(release.outcomes()) == order == list(release.runbook.lines)
    not_green = {line for line, shown in release.outcomes().items() if shown != "passed"}
    later = {line for line in order if line.startswith(("window.", "rollback."))}
    assert not_green == later | {"signoff.overview-post-deployment", "signoff.window-started"}
    assert all(f"`{line}`" in release.markdown for line in order)
    assert "ada (ada@desk)" in release.html
    switched = release.now - BEGAN["live"]
    assert f"{switched + timedelta(hours=48):%Y-%m-%d %H:%M} UTC" in release.html
    assert "when the run began that saw live.traffic-switch pass" in release.html
    assert address(TINY) in release.html


def of_phase(runbook: Runbook, phase: str) -> list[str]:
    """The lines of a phase, those that follow from others, too."""
    return [line.id for line in runbook.lines.values() if line.phase == phase]


def test_the_first_sentence_says_why_a_run_does_not_count(release: Release) -> None:
    unsealed(release)

    release.sign_off()

    said = (
        r"\d+ of the \d+ lines .* passed.*\. \d+ more are of a run that is not believed: \S+green is unsealed"
    )
    assert re.search(said, release.html)


def test_a_line_that_does_not_count_is_counted_apart(release: Release) -> None:
    """Else a GO says "185 of the 186 lines passed", and whoever signs looks for the one."""

    def uncounted(results: dict[str, Any]) -> None:
        of(results, "staging.slower-than-before").update(
            outcome="not counted", reason="the record names none"
        )

    release.runs("staging")
    release.run("staging", change=uncounted)

    status, said = release.sign_off()

    assert (status, said.splitlines()[0]) == (0, "GO  release 8.0.0: Success")
    page = release.html
    assert re.search(
        r"All \d+ lines up to the traffic switch and its first half hour passed, 1 is not counted", page
    )
    assert ", 1 not counted" in page


def test_an_accepted_failure(release: Release) -> None:
    """It goes, says who answers for it, and is not green."""

    def waived(results: dict[str, Any]) -> None:
        waiver = {"owner": "Deniz Aydin", "reason": "NOX-7", "expires": "2099-01-01"}
        of(results, "green.pod-restarts").update(outcome="waived", reason="1 restart", waiver=waiver)
        results["verdict"] = "GO WITH WAIVERS"

    release.runs("green")
    release.run("green", change=waived)

    status, said = release.sign_off()

    assert (status, said.splitlines()[0]) == (0, "GO WITH WAIVERS  release 8.0.0: Success")
    assert release.outcomes()["green.pod-restarts"] == "waived"
    assert release.outcomes()["signoff.blue-green-completed"] == "waived"
    assert "Deniz Aydin" in release.html
    assert "Deniz Aydin" in release.markdown


@pytest.mark.parametrize("line", ["staging.load-full", "staging.slo-no-5xx", "staging.slo-p99"])
def test_performance_is_met_by_a_whole_load_test_alone(line: str, release: Release) -> None:
    """Its box waits for the full ramp, and for each of its limits."""
    release.runs("staging")
    release.run("staging", change=outcome(line, "not run"))

    release.sign_off()

    assert release.outcomes()["signoff.performance-met"] != "passed"


def test_a_window_that_is_not_over(release: Release) -> None:
    """At its first checkpoint most lines are not due; what was due and was left out is not forgotten."""

    def first_hour(results: dict[str, Any]) -> None:
        due = ("window.opened", "window.checkpoint-1h-metrics")
        results["checkpoint"] = "1h"
        results["lines"] = [line for line in results["lines"] if line["id"] in due]

    release.runs()
    release.run("window", change=first_hour)

    assert release.sign_off()[0] == 0
    assert release.outcomes()["signoff.window-started"] == "passed"
    assert release.outcomes()["signoff.overview-post-deployment"] == "not-run"
    assert "2 of 17, 15 not due yet" in " ".join(release.html.split())


@pytest.mark.parametrize("look", ["0h", "48h without its record"])
def test_a_smaller_look_hides_no_later_checkpoint(release: Release, look: str) -> None:
    """What the window's end saw fail is not forgotten as somebody looks whether it is open."""
    record = "window.checkpoint-48h-record"

    def end(results: dict[str, Any]) -> None:
        outcome(record, "failed")(results)
        results["checkpoint"] = "48h"

    def smaller(results: dict[str, Any]) -> None:
        results["checkpoint"] = look.partition(" ")[0]
        results["lines"] = [
            line
            for line in results["lines"]
            if line["id"] == "window.opened" or (look != "0h" and line["id"] != record)
        ]

    release.runs()
    release.run("window", change=end)
    release.run("window", change=smaller, began=timedelta(minutes=3))

    assert release.sign_off()[0] == 1
    assert release.outcomes()[record] == "failed"


def test_rolled_back(release: Release) -> None:
    """Traffic leads to blue again: this does not count as a success, although others passed before."""
    release.runs()
    release.run("rollback")

    status, said = release.sign_off()

    assert (status, said.splitlines()[0]) == (1, "ROLLED BACK  release 8.0.0: Rolled Back")
    assert release.outcomes()["signoff.status"] == "failed"


def test_users_get_the_version_before(release: Release) -> None:
    """The Ingress could not be looked at, but every answer is blue's."""
    release.runs()
    release.run("rollback", change=outcome("rollback.traffic-switch", "unreachable"))

    assert release.sign_off()[0] != 0
    assert release.status() == "Rolled Back"


def test_a_person_says_that_it_was_rolled_back(release: Release) -> None:
    """The checks of a rollback were not run, but somebody posted that there is one."""
    release.runs()
    line = release.runbook.lines["rollback.alert-posted"]
    chain = read_trust(release.root, "production").chain(release.root / "reports", "8.0.0")
    attest.attest(chain, release.key, line, by=Person("Ada"), saw="posted: https://chat.nox.io/p14")

    assert release.sign_off()[0] == 1
    assert release.status() == "Rolled Back"


def test_as_of_then(release: Release) -> None:
    """What came later is not on the page."""
    release.runs()
    release.run("rollback")

    status, _ = release.sign_off("--at", (release.now - timedelta(minutes=8)).isoformat())

    assert (status, release.status()) == (0, "Success")


def test_a_key_metric_is_the_number_that_its_check_saw(release: Release) -> None:
    """The most of the last look, of pods the least; what was printed beside it is for people."""
    seen = {"live.p95-within-target": [201, 212], "live.pods-within-target": [3, 4]}

    def measured(results: dict[str, Any]) -> None:
        for line, numbers in seen.items():
            looks = of(results, line)["checks"][0]["observations"]
            looks.insert(0, {"seen": "1", "repeat": "look", "measured": [1, 1]})
            looks[-1] |= {"seen": "77", "measured": numbers}
        of(results, "live.cpu-within-target")["checks"][0]["observations"][-1]["seen"] = "41.2"

    release.runs("live")
    release.run("live", change=measured)
    release.sign_off()

    assert "| Response time, p95 | 212 ms |" in release.markdown
    assert "| Pods ready | 3  |" in release.markdown
    assert "| CPU, of its limit | no number |" in release.markdown
