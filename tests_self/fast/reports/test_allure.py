"""Allure: what the plugin writes for it, and its report, which opens without a network."""

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from noxgate.cli.main import main
from noxgate.reports import allure_report
from noxgate.trust.runs import runs_of

if TYPE_CHECKING:
    from tests_self.conftest import Project

ANALYTICS = """<html><head><title>x</title></head><body>
<script src="data:text/javascript;base64,YQ=="></script>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('js', new Date());
    </script>
<script defer>d("https://staging.example.com")</script>
<a href="https://staging.example.com">staging</a></body></html>"""


def result(folder: Path, name: str) -> Any:
    """What Allure is told of a check."""
    results = [json.loads(path.read_text()) for path in folder.glob("allure-results/*-result.json")]
    (found,) = (each for each in results if each["name"] == f"test_{name}")
    return found


def attached(folder: Path, name: str) -> dict[str, str]:
    """The attachments of a check, by their names."""
    files = {each["name"]: each["source"] for each in result(folder, name)["attachments"]}
    return {name: (folder / "allure-results" / file).read_text() for name, file in files.items()}


@pytest.mark.parametrize("workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="xdist")])
def test_labels_links_and_attachments(project: "Project", workers: tuple[str, ...]) -> None:
    """Section, topic and line; the target and what was asked; what was seen, and a load test's plots."""
    plots = "kept = pathlib.Path('smoke')\nkept.mkdir()\n(kept / 'load.svg').write_text('<svg/>')\n"
    look = "observe(Observation('HTTP 500', 'curl -sS https://localhost:9/health', kept=kept))\n"
    project.check("health", f"{plots}{look}assert 500 == 200", top="import pathlib")
    project.gate(*workers)

    (folder,) = project.folders()
    found = result(folder, "health")
    labels = {label["name"]: label["value"] for label in found["labels"]}
    assert labels["epic"] == "2. Staging > staging.health"
    assert labels["feature"] == "health"
    assert labels["story"] == "RB-2.2 staging.health"
    assert found["status"] == "failed"
    assert found["description"].startswith("Runbook   2. Staging > staging.health\nExpected  /staging.health")
    assert found["links"] == [
        {"type": "link", "url": "https://localhost:9/health", "name": "localhost:9/health"},
        {"type": "link", "url": "https://localhost:9", "name": "staging"},
    ]
    texts = attached(folder, "health")
    assert "Seen      HTTP 500" in texts["what the gate saw"]
    assert "Next      Redeploy 8.0.0" in texts["what the gate saw"]
    assert texts["smoke load.svg"] == "<svg/>"
    assert "Next" not in attached(folder, "version")["what the gate saw"]
    environment = (folder / "allure-results" / "environment.properties").read_text()
    assert "verdict = NO-GO\n" in environment


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_check_whose_worker_died_is_in_both_reports(project: "Project", how: str) -> None:
    """pytest-html and allure-pytest write nothing of it; Allure would be all green."""
    project.check("health", how, top="import os")
    project.gate("-n", "2")

    (folder,) = project.folders()
    results = [json.loads(path.read_text()) for path in folder.glob("allure-results/*-result.json")]
    assert {found["name"]: found["status"] for found in results} == {
        "test_version": "passed",
        "staging.health": "broken",
    }
    (lost,) = (found for found in results if found["name"] == "staging.health")
    assert lost["statusDetails"] == {"message": "not run: the process that ran this check died"}
    page = (folder / "report.html").read_text()
    assert "<td>staging.health</td><td>the process that ran this check died</td>" in page


def test_check_that_was_not_selected_is_in_neither(project: "Project") -> None:
    """Its line is open, as all that a narrowed run leaves out; the verdict says so."""
    project.gate("-k", "version")

    (folder,) = project.folders()
    assert len(list(folder.glob("allure-results/*-result.json"))) == 1


def test_the_page_loads_nothing() -> None:
    """The analytics are taken out, with what feeds them; the browser may ask no other host; links stay."""
    page = allure_report.offline(ANALYTICS)

    assert "googletagmanager" not in page
    assert "gtag" not in page
    assert page.startswith(f"<html><head>{allure_report.POLICY}")
    assert 'd("https://staging.example.com")' in page
    assert '<a href="https://staging.example.com">' in page


@pytest.mark.parametrize(
    "more",
    [
        '<link rel="stylesheet" href="https://fonts.example.com/a.css">',
        "<img src=//example.com/pixel.gif>",
        "<style>body { background: url(https://example.com/a.png) }</style>",
        "<style>@import 'https://example.com/a.css';</style>",
    ],
)
def test_a_page_that_would_load_something_is_not_written(more: str) -> None:
    """A later version of Allure may bring it."""
    with pytest.raises(allure_report.ReportError, match="would load from the network"):
        allure_report.offline(ANALYTICS.replace("<body>", f"<body>{more}"))


def test_without_node(
    project: "Project", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what is missing, and what to look at instead."""
    monkeypatch.chdir(project.path)
    assert main(["report"]) == 4
    assert capsys.readouterr().err == "noxgate: no run in reports/8.0.0: noxgate gate makes one\n"
    project.gate()
    monkeypatch.setenv("PATH", str(project.path))
    capsys.readouterr()

    assert main(["report"]) == 4

    assert capsys.readouterr().err == (
        "noxgate: the Allure report needs Node.js 20 or newer with npm; not there: node, npm; "
        "each run's report.html says the same without\n"
    )


def installed(root: Path) -> allure_report.Allure | None:
    """The package. None if Node.js, or a network to install it from, is missing: said in one line."""
    try:
        return allure_report.install(root, root / ".venv" / "allure")
    except allure_report.ReportError as error:
        said = str(error)
    assert said.endswith(allure_report.INSTEAD)
    assert shutil.which("node") is None or "npm ci" in said or "saw v" in said
    return None


def test_the_report_is_built(project: "Project", pytestconfig: pytest.Config) -> None:
    """Really, where Node and the package are; each run is in its history once."""
    allure = installed(pytestconfig.rootpath)
    if allure is None:
        return
    project.check("health", "assert 500 == 200")
    project.gate()
    project.check("health")
    project.gate()
    release = project.path / "reports" / "8.0.0"

    for _ in range(2):
        page = allure_report.build(allure, release, runs_of(release), "An API").read_text()

    history = (release / "allure" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["name"] for line in history] == [run.folder.name for run in runs_of(release)]
    assert "googletagmanager" not in page
    assert allure_report.POLICY in page
    assert re.findall(r"<(?:script|link|img)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>", page) == []


WORDS = {
    "away": ("raise UnreachableError('no route')", "unreachable", "broken"),
    "crash": ("raise RuntimeError('no such key')", "failed", "failed"),
    "fails": ("assert 1 == 2", "failed", "failed"),
    "near": ("raise UndecidedError('1.1 times')", "undecided", "broken"),
    "slower": ("raise NotCountedError('nothing is named')", "not counted", "skipped"),
    "skips": ("pytest.skip('not today')", "not run", "broken"),
    "blind": ("pass", "not run", "broken"),
    "excused": ("pytest.xfail('known')", "failed", "failed"),
}


def test_no_word_of_ours_is_green_or_left_out(project: "Project") -> None:
    """Allure has its status from pytest, to which a line that is not counted passed."""
    project.line("staging.slower", "optional = true")
    for name, (body, _, _) in WORDS.items():
        project.check(name, body, looks=name != "blind")
    project.gate()

    (folder,) = project.folders()
    assert {name: project.outcomes()[name] for name in WORDS} == {
        name: ours for name, (_, ours, _) in WORDS.items()
    }
    found = {name: result(folder, name) for name in WORDS}
    assert {name: each["status"] for name, each in found.items()} == {
        name: theirs for name, (_, _, theirs) in WORDS.items()
    }
    assert [
        name
        for name, (_, ours, _) in WORDS.items()
        if not found[name]["statusDetails"]["message"].startswith(f"{ours}: ")
    ] == []


def test_a_line_with_one_dead_check_of_two_is_not_green(project: "Project") -> None:
    """The other check passed, and allure-pytest says nothing of the dead one."""
    project.check("health")
    project.file("more").write_text(
        project.file("health")
        .read_text()
        .replace("test_health", "test_more")
        .replace("    observe(", "    import os\n    os._exit(0)\n    observe(")
    )
    project.gate("-n", "2")

    (folder,) = project.folders()
    results = [json.loads(path.read_text()) for path in folder.glob("allure-results/*-result.json")]
    assert {found["name"]: found["status"] for found in results} == {
        "test_version": "passed",
        "test_health": "passed",
        "staging.health": "broken",
    }
