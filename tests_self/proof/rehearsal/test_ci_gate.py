"""The workflow's own steps, as scripts, against the rehearsal: the three-way exit status is kept."""

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests_self import workflow
from tests_self.workflow import COMMIT

from nox_rehearsal.day import loading
from nox_rehearsal.parts import repository
from nox_rehearsal.sabotages import chosen
from nox_rehearsal.world.state import World
from noxgate.slo.result import Result

ROOT = Path(__file__).parents[3]


def in_time(result: Result) -> Result:
    """A load test on a busy machine may be late, and then it decides nothing; what it measured is kept."""
    return replace(result, problems=(), holds=tuple(replace(held, spoiled=()) for held in result.holds))


def step(world: World, reports: Path, *options: str, gate: Path = ROOT, **more: str) -> workflow.Done:
    """The step with the rehearsal as its target."""
    own = " ".join([f"--reports={reports}", "-q", *options])
    # a rehearsal has one ramp, which the world has had
    known = {"GATE_TARGET": str(world.profile), "LOAD_RAMPS": ""}
    return workflow.run("Gate", gate, {}, known, PYTEST_ADDOPTS=own, **more)


def git(*words: str | Path) -> None:
    subprocess.run(["git", *words], check=True)


@pytest.mark.usefixtures("load_tested")
def test_go_from_a_clean_clone(world: World, tmp_path: Path) -> None:
    """The job's steps on what is committed, both phases whole: GO (rehearsal), which is evidence of nothing.

    `Programs` alone is left out, which installs Debian's packages. Checkouts are clones, as the actions' are.
    """
    gate = tmp_path / "gate"
    git("clone", "--quiet", ROOT, gate)
    git("clone", "--quiet", "--branch=main", world.source.with_name("source.git"), tmp_path / "nox")
    commit = repository.head(tmp_path / "nox")
    assert workflow.run("The pull request's own commit", tmp_path, {COMMIT: commit}).status == 0
    path = tmp_path / "path"
    installed = workflow.run("Install", gate, {}, GITHUB_PATH=str(path))
    assert installed.status == 0, installed.output
    machine = {"PATH": f"{path.read_text().strip()}:{os.environ['PATH']}", "GITHUB_WORKSPACE": str(tmp_path)}

    with loading.edited(world, in_time):
        done = step(world, gate / "reports", gate=gate, **machine)

    assert done.status == 0, done.output
    (run,) = gate.glob("reports/*/*/results.json")
    results = json.loads(run.read_text())
    assert (results["verdict"], results["whole"]) == ("GO", ["preflight", "staging"])
    assert "GO (rehearsal)  preflight+staging" in done.output
    assert done.summary.startswith("## GO &#40;rehearsal&#41;")
    counted = [line for line in results["lines"] if line["outcome"] != "not counted"]
    assert done.summary.count("\n| passed |") == len(counted) > 90
    assert (run.parent / "evidence.dsse.json").is_file()
    with_evidence(gate, tmp_path)
    given = {"vars.EVIDENCE_BRANCH": "evidence", COMMIT: commit}
    refused = workflow.run("Gate", gate, given, None, **machine)
    assert refused.status == 1, refused.output
    assert refused.summary.startswith("## REFUSED release 8.0.0")
    for phase in ("preflight", "staging"):
        assert f"phase {phase} is missing: no run of the whole of it" in refused.output
    assert refused.output.count("(only rehearsals of it)") == 2


def with_evidence(gate: Path, workspace: Path) -> None:
    """Send it as docs/MERGE-GATE.md says, twice, and check it out as the job does."""
    (commands,) = re.findall(
        r"```sh\n(git init .*?)```", (ROOT / "docs" / "MERGE-GATE.md").read_text(), re.DOTALL
    )
    remote = workspace / "nox.git"
    git("init", "--quiet", "--bare", remote)
    names = {
        f"GIT_{role}_{part}": "ada@nox.io" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
    }
    for place in ("first", "second"):
        (gate / "reports" / f"{place}.txt").write_text(place)
        done = subprocess.run(
            ["bash", "-e", "-c", commands.replace("../evidence", f"../{place}")],
            cwd=gate,
            env=os.environ | names | {"NOX": str(remote)},
            check=False,
        )
        assert done.returncode == 0
    git("clone", "--quiet", "--branch=evidence", remote, workspace / "evidence")
    assert {path.name for path in workspace.glob("evidence/*.txt")} == {"first.txt", "second.txt"}


def test_no_go(world: World, tmp_path: Path) -> None:
    """One line is wrong: status 1, and what to do is the last word."""
    (sabotage,) = chosen("staging.version:rc1")
    with sabotage.on(world):
        done = step(world, tmp_path, "-k", "staging.version")

    assert done.status == 1, done.output
    assert "| failed | staging.version |" in done.summary
    assert done.output.splitlines()[-1].startswith("Next       staging.version: ")


def test_inconclusive(world: World, tmp_path: Path) -> None:
    """Something was not looked at: status 2, though nothing failed."""
    done = step(world, tmp_path, "-k", "staging.version")

    assert done.status == 2, done.output
    assert done.summary.startswith("## INCONCLUSIVE &#40;rehearsal&#41;")
    assert "| not run |" in done.summary
