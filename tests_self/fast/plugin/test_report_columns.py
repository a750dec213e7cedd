"""report.html in a browser: its columns sort by what they mean."""

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from noxgate.machine import doctor
from noxgate.plugin.html import Report

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


def rows(page: "Path", folder: "Path", query: str, before: str) -> list[tuple[str, str]]:
    """Line and time of each row that a browser shows."""
    copy = folder / f"{len(query)}.html"
    copy.write_text(page.read_text().replace("<script>", f"<script>{before}</script><script>", 1))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}"]
    shown = subprocess.run(
        [str(doctor.program("chromium")), *options, "--dump-dom", f"{copy.as_uri()}{query}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
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
    assert Report.pytest_html_duration_format(Report.__new__(Report), seconds) == cell
