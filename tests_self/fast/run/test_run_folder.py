"""The folder that a run leaves: whole, sealed, the same under xdist."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from noxgate.run import bundle, results_file

if TYPE_CHECKING:
    from tests_self.conftest import Project

REPORTS = ["SHA256SUMS", "allure-results", "environment.json", "junit.xml", "report.html", "results.json"]

alone_and_xdist = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="xdist")]
)


@alone_and_xdist
def test_folder_is_whole_and_its_sums_verify(project: "Project", workers: tuple[str, ...]) -> None:
    """With `sha256sum --check`, as a person would."""
    project.check("health", "assert False")

    project.gate(*workers)

    (folder,) = project.folders()
    assert sorted(path.name for path in folder.iterdir()) == REPORTS
    answer = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert answer.stdout.count(": OK\n") == len(files) - 1  # all but SHA256SUMS
    assert len(list(folder.glob("allure-results/*-result.json"))) == 2


def test_sums_notice_a_change(project: "Project") -> None:
    """One byte is enough."""
    project.gate()
    (folder,) = project.folders()

    with (folder / "results.json").open("a") as file:
        file.write(" ")

    answer = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert answer.returncode == 1


def test_results_say_what_was_asked_and_seen(project: "Project") -> None:
    """Every key of the schema."""
    project.check("health", "observe(Observation('second', 'curl 2'))\nassert 1 == 2")
    project.line("staging.forgotten")

    project.gate("-k", "version or health or zzz")

    results = project.results()
    assert {key: results[key] for key in ("schema", "verdict", "doubts", "release", "phases", "to_come")} == {
        "schema": results_file.SCHEMA,
        "verdict": "NO-GO",
        "doubts": [],
        "release": "8.0.0",
        "phases": ["staging"],
        "to_come": [],
    }
    assert results["target"] == {
        "name": "staging",
        "rehearsal": False,
        "base_url": "https://localhost:9",
        "namespace": "nox-staging-green",
        "overrides": {},
        "points_at": {},
        "names": {
            "target": "staging",
            **dict.fromkeys(
                ("namespace", "green_namespace", "production_namespace", "production_green_namespace"),
                "nox-staging-green",
            ),
        },
    }
    assert results["selection"] == {
        "m": "staging",
        "k": "version or health or zzz",
        "arguments": ["tests_staging", "tests_production"],
    }
    assert results["started"] <= results["ended"]
    version, health, forgotten = results["lines"]
    assert (version["id"], version["outcome"], version["reason"]) == ("staging.version", "passed", "")
    assert (forgotten["outcome"], forgotten["checks"]) == ("not run", [])
    assert {key: health[key] for key in ("id", "ref", "section", "expected", "outcome")} == {
        "id": "staging.health",
        "ref": "RB-2.2",
        "section": "2. Staging > staging.health",
        "expected": "/staging.health is 8.0.0",
        "outcome": "failed",
    }
    (check,) = health["checks"]
    assert check.pop("seconds") >= 0
    assert check == {
        "node": "tests_staging/test_health.py::test_health",
        "outcome": "failed",
        "reason": "expected 2, saw 1",
        "observations": [
            {"seen": "saw staging.health", "repeat": "curl staging.health"},
            {"seen": "second", "repeat": "curl 2"},
        ],
    }


def test_xdist_changes_no_result(project: "Project") -> None:
    """But for times."""
    project.check("health", "assert False")
    project.check("away", "raise UnreachableError('away')")

    project.gate()
    project.gate("-n", "2")

    alone, distributed = (without_times(folder / "results.json") for folder in project.folders())
    assert alone == distributed


def without_times(path: Path) -> Any:
    """A results.json without what differs from run to run."""
    results = json.loads(path.read_text())
    for key in ("run", "started", "ended", "seconds"):
        del results[key]
    for line in results["lines"]:
        for check in line["checks"]:
            del check["seconds"]
    return results


def test_environment_says_who_and_where_from(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions, and the origin of each setting."""
    monkeypatch.setenv("BASE_URL", "https://127.0.0.1:9")

    project.gate()

    environment = json.loads((project.folders()[0] / "environment.json").read_text())
    assert environment["settings"]["base_url"] == "BASE_URL"
    assert environment["settings"]["namespace"] == "staging.toml"
    assert environment["commit"] is None  # the small project is not a git checkout
    assert set(environment["tools"]) == set(bundle.TOOLS)


@alone_and_xdist
def test_junit_has_each_check_once(project: "Project", workers: tuple[str, ...]) -> None:
    """Failed as failure, unreachable too, with the runbook's line as property."""
    project.check("health", "assert False")
    project.check("away", "raise UnreachableError('no route')")

    project.gate(*workers)

    suite = ET.parse(project.folders()[0] / "junit.xml").getroot()[0]  # noqa: S314 (our own file)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "2", "0")
    found = {case.get("name"): properties(case) for case in suite.iter("testcase")}
    assert {name: (of["runbook"], of["outcome"]) for name, of in found.items()} == {
        "test_version": ("staging.version", "passed"),
        "test_health": ("staging.health", "failed"),
        "test_away": ("staging.away", "unreachable"),
    }


def properties(case: ET.Element) -> dict[str, str]:
    """The properties of one testcase."""
    return {str(item.get("name")): str(item.get("value")) for item in case.iter("property")}


def test_report_opens_with_the_verdict(project: "Project") -> None:
    """And needs nothing from a network."""
    project.check("health", "assert 'degraded' == 'healthy'")

    project.gate()

    page = (project.folders()[0] / "report.html").read_text()
    assert "<div class='verdict no-go'><b>NO-GO</b>" in page
    assert "staging.health" in page
    assert 'src="http' not in page
    assert 'href="http' not in page.replace('href="https://pypi.python.org/pypi/pytest-html"', "")


@pytest.mark.parametrize("outcome", ["unreachable", "undecided"])
def test_report_shows_the_rows_of_our_own_outcomes(project: "Project", outcome: str) -> None:
    """The page's script shows the outcomes that it lists, and ends at all others; the cell says which."""
    project.check("health", f"raise {outcome.capitalize()}Error('no answer')")

    project.gate()

    page = (project.folders()[0] / "report.html").read_text()
    known = re.findall(r"\w+", page.partition("const possibleFilters = [")[2].partition("]")[0])
    data = json.loads(unescape(page.partition('data-jsonblob="')[2].partition('"')[0]))
    rows = [row for tests in data["tests"].values() for row in tests]
    assert {row["result"].lower() for row in rows} <= set(known)
    assert outcome in "".join(cell.lower() for row in rows for cell in row["resultsTableRow"])


def open_lines(page: str) -> list[str]:
    """The rows of what is not passed."""
    table = page.partition("<table class='open-lines'>")[2].partition("</table>")[0]
    return re.findall(r"<tr>.*?</tr>", table)


def test_report_reads_as_people_do(project: "Project") -> None:
    """For a failed line what was expected, seen and what is next; lines left out are one row."""
    for topic in ("health", "version"):
        project.check(topic, "assert ['HTTP 503', 'HTTP 503'] == []")

    project.gate("-k", "health")

    page = (project.folders()[0] / "report.html").read_text()
    rows = open_lines(page)
    assert len(rows) == 2
    assert "Seen: HTTP 503 (2 times)<span class='next'>Next: Redeploy" in rows[0]
    assert "<td>1 line</td><td>staging.version<" in rows[1]
    data = json.loads(unescape(page.partition('data-jsonblob="')[2].partition('"')[0]))
    assert data["initialSort"] == "original"


def test_report_says_one_reason_once(project: "Project") -> None:
    """With the names of all lines that have it; one with a reason of its own is a row of its own."""
    for topic in ("health", "version"):
        project.check(topic, f"raise UnreachableError('https://own.example/{topic}: no route')")
    project.check("users", "raise UnreachableError('https://other.example/: no route')")

    project.gate()

    rows = open_lines((project.folders()[0] / "report.html").read_text())
    assert len(rows) == 2
    assert "<td>2 lines</td><td>https://own.example: no route<" in rows[0]
    assert "<span class='next'>staging.version, staging.health</span>" in rows[0]
    assert "<td>staging.users</td><td>https://other.example/: no route<" in rows[1]


def test_a_report_names_what_a_rehearsal_broke(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a real target nothing is broken on purpose."""
    monkeypatch.setenv("NOXGATE_SABOTAGE", "staging.version:rc1: a release candidate")

    project.gate()

    assert "Broken on purpose" not in (project.folders()[0] / "report.html").read_text()


def test_two_runs_of_one_second_get_two_folders(project: "Project") -> None:
    """The second is named ~2."""
    for _ in range(3):
        project.gate()

    assert len(project.folders()) == 3


def test_publish_never_writes_over_a_folder(tmp_path: Path) -> None:
    """A name that is taken stays as it is."""
    for number in range(3):
        folder = tmp_path / f".running-{number}"
        folder.mkdir()
        (folder / "results.json").write_text(str(number))
        bundle.publish(folder, "run")

    assert {path.name: (path / "results.json").read_text() for path in tmp_path.iterdir()} == {
        "run": "0",
        "run~2": "1",
        "run~3": "2",
    }


def test_runs_at_once_do_not_disturb_each_other(project: "Project") -> None:
    """Each leaves its own whole folder."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "staging",
        "--target",
        "staging",
        "-p",
        "no:cacheprovider",
    ]
    runs = [subprocess.Popen(command, cwd=project.path, stdout=subprocess.DEVNULL) for _ in range(3)]

    assert [run.wait(timeout=300) for run in runs] == [0, 0, 0]
    assert len(project.folders()) == 3
    for folder in project.folders():
        assert sorted(path.name for path in folder.iterdir()) == REPORTS


def test_reports_may_go_elsewhere(project: "Project", tmp_path: Path) -> None:
    """--reports takes an absolute folder too."""
    result = project.gate("--reports", str(tmp_path / "evidence"))

    assert result.ret == 0
    assert [path.name for path in (tmp_path / "evidence" / "8.0.0").iterdir()] != []


def test_folder_of_a_run_is_private(project: "Project") -> None:
    """Observations are for the people of the release, not for every user of the machine."""
    project.gate()

    assert project.folders()[0].stat().st_mode & 0o077 == 0


def test_missing_report_is_noticed(tmp_path: Path) -> None:
    """An empty folder of allure-results counts as missing."""
    (tmp_path / "allure-results").mkdir()
    (tmp_path / "junit.xml").write_text("<testsuites/>")

    assert bundle.missing(tmp_path) == ["report.html", "allure-results"]


def test_report_that_is_gone_makes_go_inconclusive(project: "Project") -> None:
    """Evidence is whole, or the run is not GO."""
    (project.path / "tests_staging" / "conftest.py").write_text(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_sessionfinish():\n"
        "    import shutil, pathlib\n"
        "    for folder in pathlib.Path('reports').rglob('allure-results'):\n"
        "        shutil.rmtree(folder)\n"
        "        folder.mkdir()\n"
    )

    result = project.gate()

    assert result.ret == 2
    assert "allure-results was not written" in result.outlines
