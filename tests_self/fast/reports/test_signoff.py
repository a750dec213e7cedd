"""The sign-off page: every runbook line is on it, and nothing on it is green that is not proven."""

# ruff: noqa: F811 (fixtures of another file)

import base64
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests_self.building.signoffs import BEGAN, NOW, PHASES, TINY, Release, of, outcome, release  # noqa: F401 (fixtures)
from tests_self.resealed import resealed

from noxgate.errors import Exit
from noxgate.machine import doctor
from noxgate.project.runbook import Runbook
from noxgate.trust.keys import read_trust
from noxgate.trust.persons import attest
from noxgate.trust.persons.people import Person

ROOT = Path(__file__).parents[3]
HOSTILE = (
    "</script><script>document.title='broken'</script><img src=x onerror=alert(1)> "
    "![](http://example.com/x) @team | `\x1b[31m\x00\u202e \ud800 " + "A" * 100_000
)


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
    switched = NOW - BEGAN["live"]
    assert f"{switched + timedelta(hours=48):%Y-%m-%d %H:%M} UTC" in release.html
    assert "when the run began that saw live.traffic-switch pass" in release.html
    assert f"data:image/svg+xml;base64,{base64.b64encode(TINY).decode()}" in release.html


def of_phase(runbook: Runbook, phase: str) -> list[str]:
    """The lines of a phase, those that follow from others, too."""
    return [line.id for line in runbook.lines.values() if line.phase == phase]


def no_run(release: Release) -> None:
    release.runs("green")


def failed(release: Release) -> None:
    release.runs("green")
    release.run("green", change=outcome("green.health", "failed"))


def skipped(release: Release) -> None:
    release.runs("green")
    release.run("green", change=lambda results: results["lines"].remove(of(results, "green.health")))


def unreachable(release: Release) -> None:
    release.runs("green")
    release.run("green", change=outcome("green.health", "unreachable"))


def undecided(release: Release) -> None:
    release.runs("green")
    release.run("green", change=outcome("green.health", "undecided"))


def unsealed(release: Release) -> None:
    release.runs("green")
    release.run("green", sealed=False)


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
        saw=f"{NOW:%H:%M}Z: NOX-812 is new, https://sentry.nox.io/812",
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

    status, _ = release.sign_off("--at", (NOW - timedelta(minutes=8)).isoformat())

    assert (status, release.status()) == (0, "Success")


def of_target(name: str) -> Callable[[dict[str, Any]], object]:
    """Let a run be of a rehearsal."""
    return lambda results: results["target"].update(name=name, rehearsal=True)


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


def hostile(release: Release, words: str) -> None:
    """All fields that can be written into results say this, and so does a load test."""

    def change(results: dict[str, Any]) -> None:
        results["target"]["base_url"] = words.replace("\ud800", "")  # no seal could be written
        for line in results["lines"]:
            line["reason"] = words[:500]
            line["checks"][0].update(node=words[:500], reason=words[:500], seconds=float("inf"))
            line["checks"][0]["observations"] = [{"seen": words[:500], "repeat": words[:500]}] * 40
        first = results["lines"][0]
        first.update(outcome="failed", reason=words)
        first["checks"][0]["observations"] = [{"seen": words, "repeat": words}] * 3

    release.runs("staging")
    folder = release.run("staging", change=change)
    (folder / "load" / "quick" / "table.json").write_text(
        json.dumps([["SLO", words], [7, None, [words]], {}])
    )


def test_hostile_words_are_only_words(release: Release) -> None:
    """No markup, no control character, no endless line gets out of a result into the page."""
    hostile(release, HOSTILE)

    status, _ = release.sign_off()

    assert status == 1
    assert len(release.html) < 6_000_000
    for text in (release.html, release.markdown):
        assert re.search(r"<script|<img src=x|[\x00-\x08\x0b-\x1f\x7f\u202e]", text) is None
        assert "AAAAA…" in text or "characters)" in text
    assert "](http" not in release.markdown
    assert "@team" not in release.markdown


def test_the_page_refers_to_nothing_outside(release: Release) -> None:
    """Each address in it is its own, data or a report beside it; its policy lets a browser load nothing."""
    release.runs()
    release.sign_off()

    found = re.findall(r"""(?:src|href|action|poster|data|srcset)\s*=\s*["']?([^"'\s>]+)""", release.html)
    beside = [one for one in found if not one.startswith(("#", "data:"))]
    assert beside != []
    assert [one for one in beside if not re.fullmatch(r"\./[\w.-]+/report\.html", one)] == []
    assert re.findall(r"@import|url\(|<script|<iframe|<object", release.html) == []
    assert "default-src 'none'" in release.html
    anchors = {one[1:] for one in found if one.startswith("#")}
    assert anchors - set(re.findall(r'id="([^"]+)"', release.html)) == set()


def test_a_browser_opens_it_in_peace(release: Release, tmp_path: Path) -> None:
    """With hostile words in it: no error in the console, no request; and such would have been seen."""
    browser = str(doctor.program("chromium"))
    with listener() as (address, asked):
        words = (
            f"<img src={address}/img><script src={address}/js></script><style>@import '{address}/css'</style>"
        )
        hostile(release, words)
        release.sign_off()
        page = release.root / "reports" / "8.0.0" / "sign-off.html"
        naive = tmp_path / "naive.html"
        naive.write_text(f"<!doctype html>{words}<script>console.error('CONTROL')</script>")

        errors = [line for line in opened(browser, page, tmp_path) if "CONSOLE" in line]
        quiet = list(asked)
        control = opened(browser, naive, tmp_path)

    assert (errors, quiet) == ([], [])
    assert sorted(asked) == ["/css", "/img", "/js"]
    assert any("CONTROL" in line for line in control)


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and the paths that were asked for there."""
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def opened(browser: str, page: Path, folder: Path) -> Sequence[str]:
    """Open a page in a browser without a window; what the browser logs."""
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    )
    own = (f"--user-data-dir={folder / page.stem}", "--enable-logging=stderr", "--virtual-time-budget=2000")
    done = subprocess.run(
        [browser, *options, *own, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "</html>" in done.stdout
    return done.stderr.splitlines()


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
