"""The workflows: valid, never green by being skipped, and stopping a merge on what does not count."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests_self import workflow
from tests_self.building.checkouts import with_engine
from tests_self.building.sealed_runs import Bundle, another, bundle, commit, head, made  # noqa: F401 (fixtures)
from tests_self.workflow import COMMIT

from noxgate.trust import seal, signing

CALLER = workflow.WORKFLOWS.parents[1] / "docs" / "merge-gate.yml"
NOX = "NOX, as the branch that a person would have checked out"
STAGING = {"GATE_PHASES": "staging"}  # the small project has no pre-flight
ACTION = re.compile(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def verify(bundle: Bundle, of: str | None = None) -> workflow.Done:  # noqa: F811
    """The gate step where evidence is made elsewhere: its branch is checked out as the folder `evidence`."""
    evidence = bundle.root / "evidence"
    evidence.unlink(missing_ok=True)
    evidence.symlink_to("reports")
    given = {COMMIT: of or head(bundle.root), "vars.EVIDENCE_BRANCH": "evidence"}
    return workflow.run("Gate", bundle.root, given, STAGING)


def test_workflows_are_valid() -> None:
    """By the schema that comes with check-jsonschema: no network."""
    files = [*sorted(workflow.WORKFLOWS.glob("*.yml")), CALLER]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)

    assert [path.stem for path in files] == ["ci", workflow.GATE, CALLER.stem]
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gate_cannot_be_skipped() -> None:
    """A required job that GitHub skips counts as passed: one job, no condition, one step that decides."""
    gate = workflow.read(workflow.GATE)
    job = gate["jobs"][workflow.GATE]

    assert list(gate["on"]) == ["workflow_call"]
    assert list(gate["jobs"]) == [workflow.GATE]
    assert {"if", "needs", "continue-on-error", "strategy", "name"} & job.keys() == set()
    assert [step for step in job["steps"] if "continue-on-error" in step] == []
    assert "if" not in workflow.steps()["Gate"]
    assert job["concurrency"] == {"group": "staging", "cancel-in-progress": False}
    assert workflow.steps()["Gate"]["env"]["GATE_PHASES"] == "preflight staging"


def test_no_other_job_has_the_name_of_the_required_check() -> None:
    """GitHub knows a required check by its name alone."""
    others = {
        name
        for path in workflow.WORKFLOWS.glob("*.yml")
        if path.stem != workflow.GATE
        for key, job in workflow.read(path.stem)["jobs"].items()
        for name in (key, job.get("name", key))
    }

    assert others == {"check"}


def test_secrets_reach_the_gate_alone() -> None:
    """Not what installs packages, and no token that writes; no answer of anybody becomes part of a script."""
    for path in workflow.WORKFLOWS.glob("*.yml"):
        found = workflow.read(path.stem)
        assert found["permissions"] == {"contents": "read"}
        assert "pull_request_target" not in found["on"]
        steps = [step for job in found["jobs"].values() for step in job["steps"]]
        assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []
        given = [step.get("name") for step in steps if "secrets." in json.dumps(step)]
        assert given in ([], ["The gate", "Gate"])
        checkouts = [step["with"] for step in steps if step.get("uses", "").startswith("actions/checkout")]
        # pre-flight asks NOX's remote, with a token that reads
        kept = [checkout for checkout in checkouts if checkout["persist-credentials"]]
        assert [checkout.get("path") for checkout in kept] in ([], ["nox"])
    keys = re.findall(r"secrets\.(\w+)", json.dumps(workflow.steps()["The gate"]))
    assert keys == ["GATE_DEPLOY_KEY"]


def test_actions_are_named_by_commit() -> None:
    """A tag can be moved; the version stands beside, for people."""
    for path in workflow.WORKFLOWS.glob("*.yml"):
        used = re.findall(r"uses: (.*)", path.read_text())
        assert used != []
        assert [action for action in used if not ACTION.fullmatch(action)] == []


def test_steps_run_where_things_are_checked_out() -> None:
    """The profiles find NOX beside the gate."""
    steps = workflow.steps()

    assert {name: steps[name]["with"]["path"] for name in ("The gate", NOX)} == {
        "The gate": "gate",
        NOX: "nox",
    }
    assert {steps[name]["working-directory"] for name in ("Install", "Gate")} == {"gate"}
    assert steps["The gate"]["with"]["fetch-depth"] == 0  # whether its commit is on main


def test_a_branch_that_moved_on_is_never_green(bundle: Bundle, tmp_path: Path) -> None:  # noqa: F811
    """What is checked out must be what the pull request was when the job began."""
    (tmp_path / "nox").symlink_to(bundle.root)
    name = "The pull request's own commit"

    assert workflow.run(name, tmp_path, {COMMIT: head(bundle.root)}).status == 0
    done = workflow.run(name, tmp_path, {COMMIT: "f" * 40})
    assert done.status == 2
    assert done.summary.startswith(f"INCONCLUSIVE: the branch is at {head(bundle.root)}, no longer at fff")


def test_a_fork_is_never_green(tmp_path: Path) -> None:
    """It gets no secrets, and so nothing was looked at: status 2, and the reason where people look."""
    done = workflow.run("No fork", tmp_path, {})

    assert done.status == 2
    assert done.summary.startswith("INCONCLUSIVE: a fork gets no secrets")
    assert next(iter(workflow.steps())) == "No fork"


# ---------------------------------------------------------------- the gate step, on evidence made elsewhere


def test_evidence_for_that_very_commit(bundle: Bundle) -> None:  # noqa: F811
    """Lets it through, and no other commit."""
    done = verify(bundle)

    assert done.status == 0, done.output
    assert done.summary.startswith("## VERIFIED release 8.0.0\n\n- verified")
    other = verify(bundle, "f" * 40)
    assert other.status == 1
    assert f"is of another commit: expected {'f' * 40}" in other.output


def test_forged_evidence(bundle: Bundle) -> None:  # noqa: F811
    """A NO-GO run made GO: with its bytes changed, and with them signed anew by another key."""
    results = bundle.folder / "results.json"
    results.write_text(results.read_text().replace('"GO"', '"GO" '))

    done = verify(bundle)
    assert done.status == 1
    assert "results.json: was changed" in done.output
    assert done.summary.startswith("## REFUSED release 8.0.0")
    signing.new_key(bundle.root / "eve.pem")
    bundle.key = bundle.root / "eve.pem"
    bundle.resign(lambda results: results.update(verdict="GO"))
    done = verify(bundle)
    assert done.status == 1
    assert "evidence.dsse.json: signed with another key" in done.output


def test_no_evidence_at_all(bundle: Bundle) -> None:  # noqa: F811
    """And evidence that is not signed."""
    (bundle.folder / seal.ENVELOPE).unlink()
    assert verify(bundle).status == 1
    for path in sorted(bundle.folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()

    done = verify(bundle)

    assert done.status == 1
    assert "phase staging is missing" in done.output


# ---------------------------------------------------------------- the gate step, on a target


@pytest.mark.parametrize(
    ("body", "status", "title"),
    [
        ("pass", 0, "## GO"),
        ("assert '<b>x|y</b> ![](https://example.com/x)' == ''", 1, "## NO-GO"),
        ("raise UnreachableError('TEST_TOKEN is not set')", 2, "## INCONCLUSIVE"),
        ("import os; os._exit(0)", 2, "## INCONCLUSIVE"),
    ],
)
def test_the_verdict_is_the_exit_status(bundle: Bundle, body: str, status: int, title: str) -> None:  # noqa: F811
    """Also where pytest dies with status 0; the summary has the table, in which text stays text."""
    check = bundle.root / "tests_staging" / "test_version.py"
    check.write_text(check.read_text() + f"    {body}\n")
    with_engine(bundle.root)
    commit(bundle.root)
    key = {"secrets.NOXGATE_SIGNING_KEY": bundle.key.read_text()}

    done = workflow.run("Gate", bundle.root, key, STAGING | {"PYTHONPATH": str(bundle.root / "src")})

    assert done.status == status, done.output
    # the load test is tried with each ramp, and its failing stops nothing: the gate judges what there is
    assert done.output.count("noxgate: staging.toml does not allow it: expected load = true") == 2
    assert done.summary.startswith(title)
    assert "](" not in done.summary
    assert "<b>" not in done.summary
    if status == 1:
        words = done.output.splitlines()
        assert words[-1].startswith("Next       staging.version: Redeploy 8.0.0, then: pytest -m staging")
        assert [word.split()[0] for word in words[-4:-1]] == ["report", "results", "signature"]


def test_a_target_that_is_not_there(bundle: Bundle) -> None:  # noqa: F811
    """Status 4: nothing was looked at, and it is said."""
    done = workflow.run("Gate", bundle.root, {}, STAGING | {"GATE_TARGET": "stagin"})

    assert done.status == 4
    assert "did you mean &#39;staging&#39;" in done.summary or done.summary.startswith("## wrong usage")
