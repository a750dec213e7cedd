"""report.html in a browser: every row is there, the buttons work, columns sort by what they mean."""

import re
import subprocess
from html import escape
from typing import TYPE_CHECKING

import pytest

from noxgate.machine import doctor
from noxgate.plugin.html import HtmlReport

if TYPE_CHECKING:
    from pathlib import Path

    from tests_self.conftest import Project

PATCHED = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.duration = {durations}[report.nodeid.rpartition("test_")[2]] if call.when == "call" else 0
    return report
"""
DURATIONS = {"version": 9.2, "health": 0.04, "ready": 725.0, "pages": 59.0, "science": 3800.0}
IN_TURN = ["health", "version", "pages", "ready", "science"]  # as texts, 12 min stand before 40 ms


def test_the_column_of_times(project: "Project", tmp_path: "Path") -> None:
    """In every unit that a time may have, from the shortest to the longest and back."""
    for name in DURATIONS:
        project.check(name)
    (project.path / "conftest.py").write_text(PATCHED.format(durations=DURATIONS))
    project.gate()
    (folder,) = project.folders()

    up, down = (
        rows(folder / "report.html", tmp_path, f"?sort=time#{turn}", before)
        for turn, before in (("up", ""), ("down", "sessionStorage.setItem('sortAsc', 'true');"))
    )

    assert [name for name, _ in up] == IN_TURN
    assert [name for name, _ in down] == IN_TURN[::-1]
    assert [time for _, time in up] == ["40 ms", "9.2 s", "59.0 s", "12 min 05 s", "1 h 03 min"]


OUTCOMES = {
    "away": "raise UnreachableError('no route')",
    "fails": "assert False",
    "near": "raise UndecidedError('1.1 times (0.9 to 1.3)')",
    "skips": "pytest.skip('not today')",
    "slower": "raise NotCountedError('nothing is named')",
    "waits": "pass",
}


def test_a_row_for_each_outcome(project: "Project", tmp_path: "Path") -> None:
    """For words of ours that pytest-html does not know, too; and its button unfolds what each check saw."""
    project.line("staging.slower", "optional = true")
    for name, body in OUTCOMES.items():
        project.check(name, body)
    project.gate()
    (folder,) = project.folders()

    shown, said = page(folder / "report.html", tmp_path, after="show_all_details.click()")

    found = re.findall(r'<td class="col-result[^>]*>([^<]*)</td><td class="col-line">staging\.(\w+)<', shown)
    assert {name: outcome for outcome, name in found} == project.outcomes()
    assert len({outcome for outcome, _ in found}) == len(OUTCOMES)
    assert shown.count('<tr class="extras-row">') == 1 + len(found)  # and the form that rows are made of
    assert "Uncaught" not in said


WIDE = "document.title = document.documentElement.scrollWidth <= innerWidth ? 'fits' : 'is too wide'"


def test_long_words_do_not_widen_the_page(project: "Project", tmp_path: "Path") -> None:
    """What is right of the page is on no sheet of paper: a reason, a cause, a doubt, what was seen."""
    long = "https://localhost:9/" + "A" * 2000
    project.check("health", f"assert '{long}' == 'b'")
    project.check("away", f"raise UnreachableError('{long}')")
    project.check("looks", f"observe(Observation('{long}', 'curl {long}'))")
    project.gate()
    (folder,) = project.folders()

    shown, _ = page(folder / "report.html", tmp_path, after=f"show_all_details.click(); {WIDE}")

    assert re.findall("<title[^>]*>([^<]*)", shown)[0] == "fits"


@pytest.mark.parametrize(
    ("variables", "word"), [({}, "GO"), ({"BASE_URL": "https://elsewhere.example"}, "INCONCLUSIVE")]
)
def test_the_page_has_the_verdict_of_the_run(
    project: "Project", monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], word: str
) -> None:
    """Also where every line passed, and the run came into doubt only once pytest had written its reports."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    project.gate()

    text = (project.folders()[0] / "report.html").read_text()
    assert project.results()["verdict"] == word
    assert f"<b>{word}</b>" in text
    assert [doubt for doubt in project.results()["doubts"] if escape(doubt) not in text] == []


def page(
    report: "Path", folder: "Path", query: str = "", before: str = "", after: str = ""
) -> tuple[str, str]:
    """What a browser makes of a report, with scripts before and after its own; and what it complains of."""
    copy = folder / f"{len(query)}.html"
    text = report.read_text().replace("<script>", f"<script>{before}</script><script>", 1)
    copy.write_text(text.replace("</body>", f"<script>{after}</script></body>"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    done = subprocess.run(
        [
            str(doctor.program("chromium")),
            *options,
            f"--user-data-dir={folder / 'browser'}",
            "--dump-dom",
            f"{copy.as_uri()}{query}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return done.stdout, done.stderr


def rows(report: "Path", folder: "Path", query: str, before: str) -> list[tuple[str, str]]:
    """Line and time of each row that a browser shows."""
    shown, _ = page(report, folder, query, before)
    found = re.findall(
        r'class="col-line">staging\.(\w+)<.*?class="col-time"><data[^>]*>([^<]*)<', shown, re.DOTALL
    )
    return list(found)


@pytest.mark.parametrize(
    ("seconds", "cell"),
    [
        (0, '<data value="0000000000">0 ms</data>'),
        (12.3, '<data value="0000012300">12.3 s</data>'),
        (200000, '<data value="0200000000">55 h 33 min</data>'),
    ],
)
def test_a_time_has_its_milliseconds_first(seconds: float, cell: str) -> None:
    """Two days are the longest that a run can take."""
    assert HtmlReport.pytest_html_duration_format(HtmlReport.__new__(HtmlReport), seconds) == cell
