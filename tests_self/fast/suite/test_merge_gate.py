"""What NOX's repository needs to call the gate: the table of secrets and variables, and its own workflow."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests_self import workflow

from noxgate.doctor.needs import Need, needs_of
from noxgate.project.checks import find_checks
from noxgate.project.runbook import read_runbook

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "MERGE-GATE.md"
CALLER = ROOT / "docs" / "merge-gate.yml"
OF_CLUSTER = ("cluster", "kind", "dry runs", "forward", "logs")
# Name in NOX's repository -> what lines need that want it: system, what is asked of it, peer.
WANTED_FOR: dict[str, tuple[Need, ...]] = {
    "DATABASE_URL": (Need("database"),),
    "REDIS_URL": (Need("redis"),),
    "TEST_TOKEN": (Need("token", "test_token"),),
    "ADMIN_TOKEN": (Need("token", "admin_token"),),
    "KUBE_CONFIG": tuple(Need(system) for system in OF_CLUSTER),
    "PRODUCTION_DATABASE_URL": (Need("database", peer="production"),),
    "PRODUCTION_REDIS_URL": (Need("redis", peer="production"),),
    "PRODUCTION_KUBE_CONFIG": tuple(Need(system, peer="production") for system in OF_CLUSTER),
    "GOOGLE_CLIENT_ID": (Need("oauth", "google"),),
    "GH_CLIENT_ID": (Need("oauth", "github"),),
    "MICROSOFT_CLIENT_ID": (Need("oauth", "microsoft"),),
    "PROMETHEUS_TOKEN": (Need("prometheus"),),
    "REGISTRY_PASSWORD": (Need("registry"),),
    "GATE_FILES": (Need("migration"),),
}
# What no line wants: where the job runs, what else it is given, and how it signs.
OF_THE_JOB = {
    *("BASE_URL", "NAMESPACE", "NOXGATE_SIGNING_KEY", "GATE_DEPLOY_KEY", "GATE_RUNNER"),
    *("EVIDENCE_BRANCH", "EVIDENCE_HEAD"),
}


def rows() -> dict[str, tuple[str, set[str]]]:
    """The table: name -> kind, and the lines beside it."""
    table = re.findall(r"^\| (`[A-Z].*?`) \| (\w+) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    return {
        name: (kind, set(re.findall(r"`((?:preflight|staging)\.[\w-]+)`", text)))
        for names, kind, text in table
        for name in re.findall(r"`(\w+)`", names)
    }


@cache
def needs() -> Mapping[str, frozenset[Need]]:
    """What each line needs, of those that the gate decides."""
    phases = workflow.steps()["Gate"]["env"]["GATE_PHASES"].split()
    runbook = read_runbook(ROOT / "runbook.toml")
    found = needs_of(ROOT, find_checks(ROOT, runbook))
    return {line: wanted for line, wanted in found.items() if runbook.lines[line].phase in phases}


def lines_that_want(wanted: tuple[Need, ...]) -> Iterator[str]:
    """The gate's lines that need any of these; one that names a system alone is each line that asks it."""
    for line, needed in needs().items():
        given = {*needed, *(Need(need.system, peer=need.peer) for need in needed)}
        if not given.isdisjoint(wanted):
            yield line


@pytest.mark.parametrize("name", WANTED_FOR)
def test_lines_beside_a_name_are_those_that_want_it(name: str) -> None:
    """As the checks' own code says it, which `noxgate doctor` reads, too."""
    expected = set(lines_that_want(WANTED_FOR[name]))

    assert expected != set()
    assert rows()[name][1] == expected


def test_the_table_names_all_that_the_workflow_takes() -> None:
    """And nothing else; a secret is a secret."""
    text = (workflow.WORKFLOWS / f"{workflow.GATE}.yml").read_text()
    taken = set(re.findall(r"\b(vars|secrets)\.(\w+)", text))

    kinds = {"variable": "vars", "variables": "vars", "secret": "secrets"}
    assert {(kinds[kind], name) for name, (kind, _) in rows().items()} == taken
    assert {name for _, name in taken} == WANTED_FOR.keys() | OF_THE_JOB
    assert [name for name in OF_THE_JOB if rows()[name][1]] == []


def test_the_caller_fits_the_gate() -> None:
    """Every input is given, the commit is the same at both places, and it cannot be skipped."""
    caller: dict[Any, Any] = yaml.safe_load(CALLER.read_text())
    (job,) = caller["jobs"].values()
    called, _, commit = job["uses"].partition("@")

    assert caller[True] == {"pull_request": {"branches": ["release/**"]}, "workflow_dispatch": None}
    assert list(caller["jobs"]) == [workflow.GATE]
    assert job.keys() == {"uses", "with", "secrets"}
    assert called == f"{job['with']['gate']}/.github/workflows/{workflow.GATE}.yml"
    assert commit == job["with"]["commit"]
    assert job["with"].keys() == workflow.read(workflow.GATE)["on"]["workflow_call"]["inputs"].keys()
    assert job["secrets"] == "inherit"
    assert caller["permissions"] == {"contents": "read"}
    assert f"`{workflow.GATE} / {workflow.GATE}`" in PAGE.read_text()
    assert f"`{workflow.GATE} / {workflow.GATE}`" in CALLER.read_text()
