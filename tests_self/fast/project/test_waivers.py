"""Waivers: a failed line that somebody answers for, until a day."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.project.runbook import read_runbook
from noxgate.project.waivers import FILE, WaiverError, read_waivers
from noxgate.trust.agreement import contradictions

if TYPE_CHECKING:
    from tests_self.conftest import Project

ROOT = Path(__file__).parents[3]
SENTENCE = "VALIDATION PASSED - Ready for production deployment!"
TODAY = datetime.now(UTC).date()
GOOD = {
    "line": '"staging.health"',
    "owner": '"Deniz Aydin"',
    "reason": '"NOX-77: the header comes next week"',
    "expires": f"{TODAY + timedelta(days=7)}",
}


def write(project: "Project", *changes: dict[str, str | None]) -> None:
    """A waivers.toml of good waivers, each with its changes; None leaves a key out."""
    tables = [
        "[[waiver]]\n" + "".join(f"{key} = {value}\n" for key, value in (GOOD | change).items() if value)
        for change in changes
    ]
    (project.path / FILE).write_text("\n".join(tables))


@pytest.mark.parametrize("workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="xdist")])
def test_a_waived_failure_is_go_with_waivers(project: "Project", workers: tuple[str, ...]) -> None:
    """With the owner's name, and what was accepted; exit 0, and never the runbook's sentence."""
    project.check("health", "assert 'degraded' == 'healthy'")
    write(project, {})

    result = project.gate(*workers)

    assert result.ret == 0
    assert "GO WITH WAIVERS  staging, release 8.0.0 on staging: 1 waived, 1 passed" in result.outlines
    result.stdout.fnmatch_lines(
        [
            "waived      staging.health * expected 'healthy', saw 'degraded'",
            f"*waived by Deniz Aydin until {GOOD['expires']}: NOX-77: the header comes next week",
        ]
    )
    assert SENTENCE not in result.stdout.str()
    results = project.results()
    (health,) = (line for line in results["lines"] if line["id"] == "staging.health")
    assert (results["verdict"], results["doubts"]) == ("GO WITH WAIVERS", [])
    assert (health["outcome"], health["checks"][0]["outcome"]) == ("waived", "failed")
    assert health["waiver"] == {
        "owner": "Deniz Aydin",
        "reason": "NOX-77: the header comes next week",
        "expires": GOOD["expires"],
    }
    page = (project.folders()[0] / "report.html").read_text()
    assert "<div class='verdict go-with-waivers'><b>GO WITH WAIVERS</b>" in page
    assert "waived by Deniz Aydin" in page


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        pytest.param("pass", 0, "passed", id="passes"),
        pytest.param("raise UnreachableError('away')", 2, "unreachable", id="away"),
        pytest.param("pytest.skip('later')", 2, "not run", id="skips"),
    ],
)
def test_what_no_waiver_changes(project: "Project", body: str, status: int, outcome: str) -> None:
    """What passed needs no waiver; what was not looked at cannot be accepted."""
    project.check("health", body)
    write(project, {})

    result = project.gate()

    assert result.ret == status
    assert project.outcomes()["health"] == outcome
    assert (f"{FILE}: staging.health passed: its waiver can go" in result.outlines) == (outcome == "passed")


@pytest.mark.parametrize("workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="xdist")])
def test_an_undecided_comparison_may_be_waived(project: "Project", workers: tuple[str, ...]) -> None:
    """It was looked at, and somebody answers for it; without them it is INCONCLUSIVE, and says what to do."""
    project.check("health", "raise UndecidedError('not decided: hold 2 times as long')")

    result = project.gate(*workers)
    assert result.ret == 2
    assert project.outcomes()["health"] == "undecided"
    result.stdout.fnmatch_lines(["undecided   staging.health * not decided: hold 2 times as long"])

    shutil.rmtree(project.folders()[0])
    write(project, {})
    result = project.gate(*workers)
    assert result.ret == 0
    assert project.outcomes()["health"] == "waived"
    assert "GO WITH WAIVERS  staging, release 8.0.0 on staging: 1 waived, 1 passed" in result.outlines
    assert list(contradictions(project.folders()[0])) == []


def test_nothing_without_an_interval_is_undecided() -> None:
    """Else a line that could not be looked at might be waived."""
    rooms = ("src/noxgate", "src/nox_service", "tests_preflight", "tests_staging", "tests_production")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    raising = {path for path in files if "raise UndecidedError" in path.read_text(encoding="utf-8")}

    assert {path.relative_to(ROOT).as_posix() for path in raising} == {
        "src/noxgate/blue_green/slower/check.py",
        "src/noxgate/slo/before/checked.py",
        "src/noxgate/slo/load_results.py",
    }


def test_another_failure_beside_a_waived_one(project: "Project") -> None:
    """NO-GO: worst wins."""
    project.check("health", "assert False")
    project.check("version", "assert False")
    write(project, {})

    assert project.gate().ret == 1


def test_a_failure_besides_the_checks_is_not_waived(project: "Project") -> None:
    """Pytest found more than the waived check: the run is in doubt."""
    project.check("health", "assert False")
    (project.path / "tests_staging" / "conftest.py").write_text(
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n"
        "    session.testsfailed += 1\n"
        "    return (yield)\n"
    )
    write(project, {})

    result = project.gate()

    assert result.ret == 2
    assert "pytest ended with 'tests failed', 2 failed, which no check explains" in result.outlines


def test_the_last_day_counts(project: "Project") -> None:
    """To its end, in UTC."""
    project.check("health", "assert False")
    write(project, {"expires": f"{datetime.now(UTC).date()}"})  # these tests may have begun the day before

    assert project.gate().ret == 0


def test_a_rehearsal_accepts_nothing(project: "Project") -> None:
    """Its sabotages are to be seen."""
    project.check("health", "assert False")
    write(project, {})

    assert project.run("-m", "staging", "--target", "rehearsal").ret == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"line": '"staging.helth"'}, "no such runbook line; did you mean 'staging.health'?"),
        ({"line": '"staging.strict"'}, "this line cannot be waived (waivable = false in runbook.toml)"),
        ({"line": '"staging.sum"'}, "this line follows from others: waive one of those (staging.health)"),
        ({"expires": f"{TODAY - timedelta(days=1)}"}, f"expired on {TODAY - timedelta(days=1)}"),
        ({"owner": '""'}, "owner: expected a name, in one line, saw ''"),
        ({"owner": '"[name]"'}, "owner: expected a name, in one line, saw '[name]'"),
        ({"owner": '"TBD"'}, "owner: expected a name, in one line, saw 'TBD'"),
        ({"reason": '"…"'}, "reason: expected why it is accepted"),
        ({"reason": '"a\\nb"'}, "reason: expected why it is accepted"),
        ({"owner": None}, "missing owner"),
        ({"reason": None}, "missing reason"),
        ({"expires": None}, "missing expires"),
        ({"line": None}, "missing line"),
        ({"expires": '"2099-01-01"'}, "expires: expected a date such as 2026-01-31, saw '2099-01-01'"),
        ({"expires": "2099-01-01T00:00:00"}, "expires: expected a date"),
        ({"line": "7"}, "line: expected text, saw 7"),
        ({"expiry": "2099-01-01"}, "unknown key 'expiry' (keys: line, owner, reason, expires)"),
    ],
)
def test_a_waiver_that_does_not_count_stops_every_run(
    project: "Project", change: dict[str, str | None], message: str
) -> None:
    """One line that names it, exit status 4, no folder: of a rehearsal, too."""
    project.line("staging.strict", "waivable = false\n")
    with (project.path / "runbook.toml").open("a") as file:
        file.write(
            '[staging.sum]\nref = "RB"\nkind = "derived"\nsection = "2"\nseed = [1]\nexpected = "all"\n'
            'derived_from = ["staging.health"]\n'
        )
    write(project, change)

    for target in ("staging", "rehearsal"):
        result = project.run("-m", "staging", "--target", target)
        assert result.ret == 4
        (line,) = (line for line in result.errlines if line.startswith("ERROR: "))
        assert line.startswith(f"ERROR: {FILE}: waiver 1")
        assert message in line
    assert project.folders() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[waiver]", "waivers.toml: "),
        ("waiver = 1", "waivers.toml: expected nothing but [[waiver]] tables"),
        ("[[waivers]]\nline = 'x'", "waivers.toml: expected nothing but [[waiver]] tables, saw waivers"),
        ("\udcff", "waivers.toml: "),
    ],
)
def test_what_is_no_file_of_waivers(project: "Project", text: str, message: str) -> None:
    """One line."""
    (project.path / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(WaiverError) as caught:
        read_waivers(project.path / FILE, read_runbook(project.path / "runbook.toml"), TODAY)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_two_waivers_of_a_line(project: "Project") -> None:
    """It is undefined which of them counts."""
    write(project, {}, {"owner": '"Bram"'})

    with pytest.raises(WaiverError, match=r"waiver 2 \(staging\.health\): a second waiver of this line"):
        read_waivers(project.path / FILE, read_runbook(project.path / "runbook.toml"), TODAY)


def test_waivers_of_the_repository(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """The file has no waiver, and its example is one once it is filled in."""
    root = pytestconfig.rootpath
    runbook = read_runbook(root / "runbook.toml")
    assert read_waivers(root / FILE, runbook, TODAY) == {}
    assert read_waivers(root / "no.toml", runbook, TODAY) == {}

    example = (
        "[[waiver]]\n" + (root / FILE).read_text().partition("# [[waiver]]\n")[2].replace("\n#", "\n")[1:]
    )
    (tmp_path / FILE).write_text(example.replace('"…"', '"Ada Lindqvist"'))
    (waiver,) = read_waivers(tmp_path / FILE, runbook, date(2026, 1, 31)).values()
    assert str(waiver) == "waived by Ada Lindqvist until 2026-01-31: Ada Lindqvist"
