"""What the documentation says is what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests_self import pictures

from nox_rehearsal.sabotages import SABOTAGES
from noxgate.cli.checks import table_of_checks
from noxgate.project.runbook import read_runbook
from noxgate.slo.ramps import read_ramps

ROOT = Path(__file__).parents[3]
PLACES = ("*.md", "docs/*.md", "examples/**/*.md", "reports/README.md", "tests_*/*.md")
PAGES = sorted(page.relative_to(ROOT).as_posix() for place in PLACES for page in ROOT.glob(place))


@pytest.fixture
def root(pytestconfig: pytest.Config) -> Path:
    """The project's folder."""
    return pytestconfig.rootpath


def test_list_of_checks_is_current(root: Path) -> None:
    """If not: noxgate checks --markdown > docs/CHECKS.md."""
    table = table_of_checks(read_runbook(root / "runbook.toml"), root, markdown=True)

    is_current = (root / "docs" / "CHECKS.md").read_text() == table
    assert is_current, "noxgate checks --markdown > docs/CHECKS.md"


def test_readme_counts_the_lines(root: Path) -> None:
    """As many as there are."""
    lines = read_runbook(root / "runbook.toml").lines
    assert f"({len(lines)} entries: " in (root / "README.md").read_text()


def test_ramps_are_as_the_table_says(root: Path) -> None:
    """Users and pauses; requests a second are measured, or the ramp's own rate."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", read(root), re.MULTILINE)
    found = {}
    for name, ramp in read_ramps(root).items():
        low, high = ramp.think
        users = "up to 3,000" if ramp.rate else ", ".join(f"{level.users:,}" for level in ramp.levels)
        found[name] = (users, f"{low:g} to {high:g} s" if high else "none")

    assert {name: (users, pause) for name, users, pause, _ in rows} == found
    assert [rate for name, *_, rate in rows if name == "rate"] == ["1,000"]


def read(root: Path) -> str:
    return (root / "docs" / "LOAD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_pictures_are_of_this_runbook(name: str, root: Path) -> None:
    """If not: make pictures."""
    lines = pictures.lines_of(read_runbook(root / "runbook.toml"))

    assert pictures.mark_of((root / "docs" / f"{name}.png").read_bytes()) == lines


def test_every_document_is_under_these_tests() -> None:
    """Those that people read, and what each folder of checks says of itself."""
    assert {"README.md", "docs/LOAD.md", "docs/WINDOW.md", "reports/README.md"} <= set(PAGES)
    assert {"examples/ci/github/README.md", "tests_staging/README.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str, root: Path) -> None:
    """Every relative link names a file of this project."""
    links = re.findall(r"\]\(([^)#]+)", (root / page).read_text())

    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (root / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_sabotages_named_exist(page: str, root: Path) -> None:
    """Every `phase.line:fault` in the text can be rehearsed."""
    named = set(re.findall(r"\b(?:staging|preflight|live)\.[a-z-]+:[a-z0-9.-]+\b", (root / page).read_text()))

    assert named - {sabotage.id for sabotage in SABOTAGES} == set()


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_exist(page: str, root: Path) -> None:
    """Every `make verb` in the text is in the Makefile."""
    code = re.findall(r"```.*?```|`[^`]+`", (root / page).read_text(), re.DOTALL)
    ours = [piece for piece in code if piece.startswith("```sh") or not piece.startswith("```")]
    verbs = {verb for piece in ours for verb in re.findall(r"\bmake ([a-z-]+)", piece)}
    known = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))

    assert verbs - known == set()


@pytest.mark.parametrize(
    "command", ["", "gate", "rehearse", "checks", "profile", "doctor", "keygen", "attest", "seal", "verify"]
)
def test_help_is_there(command: str) -> None:
    """Every command explains itself."""
    words = [sys.executable, "-m", "noxgate.cli", *([command] if command else []), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("usage: noxgate")
