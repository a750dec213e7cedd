"""The release gate's workflow as a machine of GitHub runs it: its own steps, in the shell that it names."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests_self.conftest import VARIABLES

WORKFLOWS = Path(__file__).parents[1] / ".github" / "workflows"
GATE = "release-gate"
COMMIT = "github.event.pull_request.head.sha || github.sha"  # NOX's, as the workflow says it
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True)
class Done:
    """What a step ended with, said, and wrote to the job's summary."""

    status: int
    output: str
    summary: str


def read(name: str) -> Any:
    """A workflow; YAML 1.1 takes its key `on` for true."""
    workflow = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())
    workflow["on"] = workflow.pop(True)
    return workflow


def steps() -> dict[str, Any]:
    """The steps of the gate's job that have names, in their order."""
    return {step["name"]: step for step in read(GATE)["jobs"][GATE]["steps"] if "name" in step}


def run(
    name: str, folder: Path, given: Mapping[str, str], known: Mapping[str, str] | None = None, **more: str
) -> Done:
    """Run a step's script in `folder`: `given` are the values of its expressions, empty where none is given.

    `folder` is the step's own, which for some is `gate` below the workspace. `known` replaces values that the
    workflow names itself; `more` is what the machine has in its environment.
    """
    step, job = steps()[name], read(GATE)["jobs"][GATE]
    summary = folder / "step-summary.md"
    summary.write_text("")
    environment = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    environment |= {
        key: EXPRESSION.sub(lambda match: given.get(match[1], ""), str(value))
        for key, value in (job["env"] | step.get("env", {})).items()
    }
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    machine = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(folder)}
    environment |= machine | dict(known or {}) | more
    assert read(GATE)["defaults"]["run"]["shell"] == "bash"
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    text = summary.read_text()
    summary.unlink()
    return Done(done.returncode, done.stdout, text)
