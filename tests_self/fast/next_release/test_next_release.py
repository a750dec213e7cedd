"""`noxgate release`: drafts of the next release, which load, and beside which nothing is written over."""

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from noxgate.project.profile import read_document, read_target
from noxgate.project.release_facts import read_release_facts
from noxgate.project.runbook import read_runbook
from noxgate.systems.postgres.catalog import read_catalog

pytestmark = pytest.mark.usefixtures("quick_start")
ROOT = Path(__file__).parents[3]
DAY = dt.date(2025, 9, 12)
PROFILES = ("staging", "production")
FIRST_LINE = "# What the 8.0.1 migration must leave behind; compared with pg_catalog."
WAIVER = """
[[waiver]]
line = "staging.header-csp"
owner = "Ada Lindqvist"
reason = "NOX-7"
expires = 2099-01-31
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What a release is named in, with the profile's own migration and queries set."""
    for name in ("runbook.toml", "waivers.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "targets").mkdir()
    shutil.copytree(ROOT / "schema", tmp_path / "schema")
    for name in (*PROFILES, "release"):
        shutil.copy(ROOT / "targets" / f"{name}.toml", tmp_path / "targets" / f"{name}.toml")
    staging = tmp_path / "targets" / "staging.toml"
    text = staging.read_text()
    for key in ("migration =", "old_queries ="):
        text = text.replace(f"# {key}", key)
    staging.write_text(text)
    return tmp_path


def release(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "noxgate.cli", "release", *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def everything(folder: Path) -> dict[str, bytes]:
    """Each file's content; but the drafts."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith("drafts/")}


def test_drafts_load(project: Path) -> None:
    """Taken over as the command says: the runbook, both profiles, the record, the catalog."""
    before = everything(project)
    done = release(project, "8.0.1", f"--date={DAY}")

    assert done.returncode == 0, done.stderr
    assert everything(project) == before
    subprocess.run(["cp", "-R", "drafts/8.0.1/.", "."], cwd=project, check=True)
    runbook = read_runbook(project / "runbook.toml")
    facts = runbook.release
    assert (facts.version, facts.date) == ("8.0.1", DAY)
    assert facts.schema == project / "schema" / "8.0.1.toml"
    catalog = read_catalog(facts.schema)
    assert catalog.schema_version == "8.0.1"
    assert catalog.indexes == read_catalog(project / "schema" / "8.0.0.toml").indexes
    phases = [phase.name for phase in runbook.phases.values() if phase.folder]
    for name in PROFILES:
        assert read_target(project, name, phases, {}).serves != ()
    document = read_document(project, "staging")[1]
    assert document["migration"] == "migrations/v8.0.0_to_v8.0.1.sql"
    assert document["old_queries"] == "db/queries_8.0.0.sql"
    record = read_release_facts(project / "targets" / "release.toml")
    assert (record.version, record.date) == ("8.0.1", DAY)
    assert "8.0.0" not in (project / "runbook.toml").read_text()
    assert read_runbook(ROOT / "runbook.toml").lines.keys() == runbook.lines.keys()


def test_comments_and_all_else_stay(project: Path) -> None:
    """What differs are the lines of the release."""
    release(project, "8.0.1", f"--date={DAY}")

    changed = {}
    for path in (project / "drafts" / "8.0.1").rglob("*.toml"):
        name = path.relative_to(project / "drafts" / "8.0.1").as_posix()
        old = (project / name.replace("8.0.1", "8.0.0")).read_text().splitlines()
        new = path.read_text().splitlines()
        changed[name] = [
            line.partition("=")[0].strip() for line, was in zip(new, old, strict=True) if line != was
        ]
    assert changed == {
        "runbook.toml": ["version", "date", "schema"],
        "schema/8.0.1.toml": [
            "# What the 8.0.1 migration must leave behind; compared with pg_catalog.",
            "schema_version",
        ],
        "targets/staging.toml": ["migration", "old_queries"],
        "targets/release.toml": ["version", "date"],
    }


def test_who_is_on_call_is_asked_anew(project: Path) -> None:
    """Pre-flight finds the blank: last release's engineer is not assumed to be on call."""
    record = project / "targets" / "release.toml"
    record.write_text(record.read_text().replace("[on-call engineer]", "Ada Lindqvist"))
    done = release(project, "8.0.1")

    drafted = read_release_facts(project / "drafts" / "8.0.1" / "targets" / "release.toml")
    assert drafted.gaps() == ["on_call"]
    assert "targets/release.toml: `on_call`: who is on call that night" in done.stdout
    assert f"runbook.toml: `date`: today's, {drafted.date}, for want of --date" in done.stdout


def test_what_is_left_is_said(project: Path) -> None:
    """What no draft can know, and what names the release before still."""
    staging = project / "targets" / "staging.toml"
    staging.write_text(
        staging.read_text()
        .replace("migrations/v8_to_v8.0.0.sql", "migrate.sql")
        .replace('manifests = "k8s/staging"', 'manifests = "k8s/8.0.0"', 1)
    )
    (project / "waivers.toml").write_text(WAIVER)
    said = release(project, "8.0.1", f"--date={DAY}").stdout

    assert "`migration`: migrate.sql names no version: which is that of 8.0.1?" in said
    assert 'names 8.0.0 still: manifests = "k8s/8.0.0"' in said
    assert "waivers.toml: staging.header-csp is waived: does that hold for 8.0.1?" in said
    assert "schema/8.0.1.toml: add what the migration of 8.0.1 adds" in said
    assert "`date`" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["8.0"], "expected a version such as 8.0.1, saw '8.0'"),
        (["8.0.0"], "expected a version after 8.0.0, which runbook.toml names; saw 8.0.0"),
        (["7.10.0"], "expected a version after 8.0.0, which runbook.toml names; saw 7.10.0"),
        (["8.0.1", "--date", "soon"], "--date: expected a day such as 2026-01-31, saw 'soon'"),
    ],
)
def test_wrong_usage(project: Path, words: list[str], said: str) -> None:
    before = everything(project)
    done = release(project, *words)

    assert (done.returncode, done.stderr) == (4, f"noxgate: {said}\n")
    assert everything(project) == before
    assert not (project / "drafts").exists()


@pytest.mark.parametrize("there", ["drafts/8.0.1", "schema/8.0.1.toml"])
def test_nothing_is_written_over(project: Path, there: str) -> None:
    """Neither older drafts, on which somebody may have worked, nor a schema that is there."""
    path = project / there
    path.mkdir(parents=True) if there.startswith("drafts") else path.write_text("mine")
    done = release(project, "8.0.1")

    assert done.returncode == 4
    assert done.stderr == (
        f"noxgate: {there} is there, and nothing is written over: look at it, or move it away\n"
    )
    assert [path for path in project.glob("drafts/**/*") if path.is_file()] == []
