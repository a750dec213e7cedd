"""Sealed evidence names what decided: `noxgate verify` holds it to the commit, that to its branch."""

# ruff: noqa: F811 (fixtures of another file)

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from tests_self.building.sealed_runs import WAIVER, Bundle, bundle, git, head, made  # noqa: F401 (fixtures)


def recommit(bundle: Bundle, change: Callable[[Any], object]) -> None:
    """Say something else of what decided, and seal it with the very key."""
    path = bundle.folder / "decided.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    bundle.resign(lambda _: None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda said: said["blobs"].update({"runbook.toml": "0" * 40}), "has otherwise: runbook.toml"),
        (lambda said: said["blobs"].pop("targets/staging.toml"), "has otherwise: targets/staging.toml"),
        (lambda said: said["blobs"].update({"conftest.py": "0" * 40}), "has otherwise: conftest.py"),
        (lambda said: said.update(commit="0" * 40), "commit 000000000000 is not here to compare with"),
        (lambda said: said.pop("blobs"), "decided.json: expected a commit and its blobs"),
    ],
    ids=["changed", "left-out", "added", "unknown", "form"],
)
def test_what_decided_is_the_commits(bundle: Bundle, change: Callable[[Any], object], reason: str) -> None:
    """Also if the run says something else of itself."""
    assert bundle.refused() == []

    recommit(bundle, change)

    assert reason in " ".join(bundle.refused())


def test_evidence_of_another_host(bundle: Bundle) -> None:
    """Which the profile of the commit does not name; the profile here does not decide."""
    bundle.resign(lambda results: results["target"].update(base_url="https://elsewhere:9"))

    (reason,) = bundle.refused()
    assert reason.startswith(
        "is of base_url https://elsewhere:9, and targets/staging.toml names https://localhost:9: no evidence"
    )
    bundle.resign(lambda results: results["target"].update(base_url="https://LOCALHOST:9/"))
    assert bundle.refused() == []


def test_evidence_of_no_commit_of_the_release(bundle: Bundle) -> None:
    """The profile names a checkout of it."""
    path = bundle.folder / "environment.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "source_commit": None}))
    bundle.resign(lambda _: None)

    (reason,) = bundle.refused()
    assert reason == "names no commit of the release, of which targets/staging.toml names a checkout: source"


def test_an_override_is_said_first(bundle: Bundle) -> None:
    """Where the commit's profile allows it."""
    profile = bundle.root / "targets" / "staging.toml"
    profile.write_text('overrides = ["BASE_URL"]\n' + profile.read_text())
    bundle.rejudge()
    bundle.resign(
        lambda results: results["target"].update(
            base_url="https://elsewhere:9", overrides={"BASE_URL": "https://elsewhere:9"}
        )
    )

    status, lines = bundle.verify()
    assert status == 0, lines
    assert "on https://elsewhere:9, with BASE_URL=https://elsewhere:9, signed by" in lines[0]


@pytest.mark.parametrize(
    "name", ["conftest.py", "tests_staging/test_version.py", "src/noxgate/x.py", "targets/staging.toml"]
)
def test_a_commit_that_judges_otherwise_than_the_one_here(bundle: Bundle, name: str) -> None:
    """The branch has it still, and what has become of its checks since is not what judged the run."""
    old = head(bundle.root)
    path = bundle.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{path.read_text() if path.exists() else ''}\n# looks closer\n")
    git(bundle.root, "add", ".")
    git(bundle.root, "commit", "-q", "-m", "closer")

    (reason,) = bundle.refused()
    assert reason == (
        f"commit {old[:12]} judges otherwise than the one here ({name}): "
        "run it again; or check out its commit, or name that with --commit"
    )
    assert bundle.refused("--commit", old) == []
    git(bundle.root, "checkout", "-q", old)
    assert bundle.refused() == []


def test_many_files_that_judge_otherwise(bundle: Bundle) -> None:
    """The first are named, and the command that names all."""
    old = head(bundle.root)[:12]
    for number in range(7):
        (bundle.root / "tests_staging" / f"test_{number}.py").write_text("# looks closer\n")
    git(bundle.root, "add", ".")
    git(bundle.root, "commit", "-q", "-m", "closer")

    (reason,) = bundle.refused()
    assert f"test_4.py, … and 2 more: git diff --name-only {old} HEAD names them): run it again" in reason
    words = ["git", "diff", "--name-only", old, "HEAD"]
    there = subprocess.run(words, cwd=bundle.root, check=True, capture_output=True, text=True).stdout
    assert there.split() == [f"tests_staging/test_{number}.py" for number in range(7)]


def test_many_files_that_the_commit_has_otherwise(bundle: Bundle) -> None:
    recommit(bundle, lambda said: said.update(blobs=dict.fromkeys(said["blobs"], "0" * 40)))
    short = head(bundle.root)[:12]

    assert f" more: decided.json and git ls-tree -r {short} have all of them" in " ".join(bundle.refused())


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "tests_production/test_x.py",
        "targets/production.toml",
        "waivers.toml",
        "requirements.lock",
    ],
)
def test_a_commit_that_judges_as_the_one_here(bundle: Bundle, name: str) -> None:
    """Somebody goes on working on the day: what judges another phase or target, or accepts another line."""
    path = bundle.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# new\n")
    git(bundle.root, "add", ".")
    git(bundle.root, "commit", "-q", "-m", "new")

    assert bundle.refused() == []


def test_a_waiver_that_no_commit_has(bundle: Bundle) -> None:
    """Whoever signed that there is one."""
    bundle.resign(lambda results: results["lines"][0].update(outcome="waived", waiver=WAIVER))

    reasons = bundle.refused()
    commit = head(bundle.root)[:12]
    said = "staging.version was waived by Deniz Aydin, and waivers.toml"
    assert reasons == [f"{said} of commit {commit} does not say so", f"{said} here does not say so"]


def test_a_waiver_that_was_taken_back(bundle: Bundle) -> None:
    """The failure is no longer accepted, unless whoever verifies names the commit that does."""
    bundle.resign(lambda results: results["lines"][0].update(outcome="waived", waiver=WAIVER))
    bundle.waive()
    assert bundle.refused() == []
    old = head(bundle.root)
    (bundle.root / "waivers.toml").write_text("")
    git(bundle.root, "commit", "-q", "-a", "-m", "taken back")

    (reason,) = bundle.refused()
    assert reason == "staging.version was waived by Deniz Aydin, and waivers.toml here does not say so"
    assert bundle.refused("--commit", old) == []


def test_a_commit_that_nobody_reviewed(bundle: Bundle) -> None:
    """It is on no branch that the profile names, until it is."""
    branch = head(bundle.root)
    git(bundle.root, "checkout", "-q", "--orphan", "other")
    git(bundle.root, "commit", "-q", "--allow-empty", "-m", "y")
    git(bundle.root, "branch", "-f", "main", "other")

    (reason,) = bundle.refused()
    assert reason == f"commit {branch[:12]} is not on branch main: it was not reviewed there"

    git(bundle.root, "branch", "-D", "main")
    (reason,) = bundle.refused()
    assert reason.startswith("no branch 'main' in ")
    assert bundle.refused("--commit", branch) == []  # that of a pull request, say
    assert len(bundle.refused("--commit", head(bundle.root / "nox"))) == 1  # of NOX, not of the gate


def test_what_the_remote_has_counts(bundle: Bundle) -> None:
    """A local branch of the same name proves nothing."""
    git(bundle.root, "commit", "-q", "--allow-empty", "-m", "local")
    git(bundle.root, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    assert bundle.refused() == []

    git(bundle.root, "checkout", "-q", "--orphan", "theirs")
    git(bundle.root, "commit", "-q", "-m", "theirs")
    git(bundle.root, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert len(bundle.refused()) == 1


def test_without_a_branch_the_commit_is_named(bundle: Bundle) -> None:
    """By whoever verifies."""
    profile = bundle.root / "targets" / "staging.toml"
    profile.write_text(profile.read_text().replace('branch = "main"\n', ""))

    (reason,) = bundle.refused()
    assert reason.startswith(f"nothing says that commit {head(bundle.root)[:12]} was reviewed")
    assert bundle.refused("--commit", head(bundle.root)) == []


def test_a_run_of_schema_1(bundle: Bundle) -> None:
    """It is believed for an old release, and what it does not prove is said."""
    bundle.resign(lambda results: results.update(schema=1))

    status, lines = bundle.verify()
    assert status == 0
    assert (
        "note      is of schema 1: nothing proves that checks and profile were as a commit has them" in lines
    )
    runbook = bundle.root / "runbook.toml"
    runbook.write_text(runbook.read_text().replace("date = 2025-08-15", "date = 2026-12-02"))
    assert "release 8.0.0 needs a run of today's gate" in " ".join(bundle.refused())
