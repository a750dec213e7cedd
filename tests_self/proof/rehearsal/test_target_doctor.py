"""`noxgate doctor --target`, held to a run of the gate: what waits is what the run could not look at."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.sabotages.in_cluster import edited
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.doctor import table
from noxgate.doctor.examination import SECONDS, examine
from noxgate.project.profile import read_target
from noxgate.project.runbook import read_runbook

from .conftest import Gate

pytestmark = pytest.mark.usefixtures("load_tested")

PHASES = ("preflight", "staging")
NOT_LOOKED_AT = {"unreachable", "not run"}
RUNBOOK = read_runbook(ROOT / "runbook.toml")
ROLE = yaml.safe_load((ROOT / "docs" / "roles" / "look.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Profile:
    """A rehearsal's profile with something changed, and the file of its credentials."""

    path: Path
    env_file: Path

    def change(self, pattern: str, by: str) -> None:
        _change(self.path, pattern, by)

    def export(self, pattern: str, by: str) -> None:
        _change(self.env_file, pattern, by)

    def waits(self) -> list[table.Waits]:
        names = [phase.name for phase in RUNBOOK.phases.values() if phase.folder]
        found = examine(ROOT, RUNBOOK, read_target(ROOT, str(self.path), names))
        assert found.seconds < SECONDS * 2  # a busy machine may add to it; who is waited for is not
        return table.waiting(found.seen, found.needs)


@pytest.fixture
def profile(world: World, tmp_path: Path) -> Profile:
    """A copy of staging's, so that others still find the world's own."""
    found = Profile(tmp_path / "rehearsal.toml", tmp_path / "credentials.env")
    found.env_file.write_bytes(world.env_file.read_bytes())
    found.path.write_bytes(world.profile.read_bytes())
    found.change(r"^env_file = .*$", f'env_file = "{found.env_file}"')
    return found


def _change(path: Path, pattern: str, by: str) -> None:
    text, count = re.subn(pattern, by, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 1, pattern
    path.write_text(text, encoding="utf-8")


def lines_of(waits: list[table.Waits]) -> set[str]:
    return {line for each in waits for line in each.lines}


def of_staging(lines: Iterable[str]) -> set[str]:
    return {line for line in lines if line.startswith("staging.")}


def not_looked_at(gate: Gate, profile: Profile, *phases: str) -> set[str]:
    """The lines that a run of the gate could not look at."""
    run = gate(markers=" or ".join(phases), profile=profile.path)
    assert run.folder is not None, run.output
    results = json.loads((run.folder / "results.json").read_text())
    return {line["id"] for line in results["lines"] if line["outcome"] in NOT_LOOKED_AT}


@contextmanager
def stopped(world: World, part: str) -> Iterator[None]:
    worlds.stop(world, part)
    try:
        yield
    finally:
        worlds.start(world, part)


def doctor(profile: Path, interpreter: str) -> subprocess.CompletedProcess[str]:
    command = [interpreter, "-m", "noxgate.cli", "doctor", "--target", str(profile)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_all_well(world: World, interpreter: str) -> None:
    """Nothing waits, each phase can be GO; no secret is shown, and no row is wider than a terminal."""
    done = doctor(world.profile, interpreter)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "wait for" not in done.stdout
    assert re.findall(r"^(\w+) +\d+ +0   GO \(rehearsal\)$", done.stdout, re.MULTILINE) == list(PHASES)
    values = [line.partition("=")[2] for line in world.env_file.read_text().splitlines()]
    passwords = [part for value in values for part in re.split(r"[:/@?]+", value) if len(part) >= 12]
    assert len(passwords) > 6
    assert [part for part in passwords if part in done.stdout and part not in world.base_url] == []
    assert all(len(line) <= table.WIDTH for line in done.stdout.splitlines()[1:])


def variable(name: str) -> Callable[[Profile], None]:
    return lambda profile: profile.export(rf"^{name}=.*\n", "")


def password(name: str) -> Callable[[Profile], None]:
    return lambda profile: profile.export(rf"^({name}=\w+://[^:]*:)[^@]*@", r"\1not-the-password@")


def key(name: str, value: str = "") -> Callable[[Profile], None]:
    return lambda profile: profile.change(rf"^{name} = .*\n", f'{name} = "{value}"\n' if value else "")


def nowhere(profile: Profile) -> None:
    key("base_url", "https://localhost:9")(profile)
    key("plain_url", "http://localhost:9")(profile)


@pytest.mark.parametrize(
    ("broken", "because", "remedy"),
    [
        pytest.param(variable("TEST_TOKEN"), "TEST_TOKEN is not set", "for n in TEST_TOKEN; do", id="unset"),
        pytest.param(variable("ADMIN_TOKEN"), "ADMIN_TOKEN is not set", "ADMIN_TOKEN", id="unset-admin"),
        pytest.param(
            password("DATABASE_URL"), "password authentication failed", "DATABASE_URL", id="password"
        ),
        pytest.param(password("REDIS_URL"), "invalid username-password", "REDIS_URL", id="redis-password"),
        pytest.param(key("prometheus_url"), "Prometheus' address", "prometheus_url", id="no-prometheus"),
        pytest.param(key("registry", "localhost:9"), "connection refused", "curl -sS", id="registry"),
        pytest.param(nowhere, "connection refused", "base_url", id="address"),
        pytest.param(key("load_results", "/nonexistent"), "none lies there", "make load-test", id="no-load"),
    ],
)
def test_what_waits_is_what_a_run_cannot_look_at(
    broken: Callable[[Profile], None], because: str, remedy: str, profile: Profile, gate: Gate
) -> None:
    """One cause, one remedy, and exactly the lines of the real run."""
    broken(profile)

    waits = profile.waits()

    one, *more = waits
    assert because in one.cause.what
    # a load test of another address does not count; the one without TLS is an address of its own
    others = {each.cause.what.partition(": ")[0] for each in more}
    assert others <= {"no load test of rehearsal counts", "plain_url"}
    assert ("plain_url" in others) is (broken is nowhere)
    said = "\n".join(table.causes(waits))
    assert remedy in said
    assert of_staging(lines_of(waits)) == not_looked_at(gate, profile, "staging")


def test_preflight_waits_for_the_checkout(profile: Profile, gate: Gate) -> None:
    """And for all files that are seen from it."""
    profile.change(r"^source = .*\n", "")

    assert lines_of(profile.waits()) == not_looked_at(gate, profile, *PHASES)


def test_a_private_authority_is_one_cause(profile: Profile, gate: Gate, interpreter: str) -> None:
    """Whose certificates are unknown here: one remedy for the address, the registry, and all their lines."""
    profile.change(r"^ca_file = .*\n", "")

    waits = profile.waits()

    (one,) = waits
    assert "authority" in one.cause.what
    assert len([command for command in one.cause.remedy if "ca_file" in command]) == 1
    assert len(one.lines) > 25
    assert of_staging(one.lines) == not_looked_at(gate, profile, "staging")
    done = doctor(profile.path, interpreter)
    assert done.returncode == 2
    assert "NO-GO (rehearsal): staging.tls-certificate will fail" in done.stdout


def test_a_role_without_a_right(world: World, profile: Profile, gate: Gate) -> None:
    """The right is named, with the command that grants it."""
    rules = [rule for rule in ROLE["rules"] if "horizontalpodautoscalers" not in rule["resources"]]
    with edited("Role", "noxgate-look", {"rules": rules})(world):
        waits = profile.waits()
        missed = not_looked_at(gate, profile, "staging")

    (one,) = waits
    assert "lacks rights in nox-staging-green: get horizontalpodautoscalers" in one.cause.what
    assert one.cause.remedy[0] == "kubectl apply -n nox-staging-green -f docs/roles/look.yaml"
    assert set(one.lines) == missed


@pytest.mark.parametrize("part", ["registry", "redis"])
def test_a_system_that_is_away(part: str, world: World, profile: Profile) -> None:
    """It is looked at once, not again for each line."""
    with stopped(world, part):
        waits = profile.waits()

    assert {each.cause.what for each in waits if "refused" not in each.cause.what} == set()
    assert len(waits) in {1, 2}  # the peer's, too


def test_nothing_is_written(world: World, profile: Profile) -> None:
    """Of all but reads the cluster saw reviews alone, and no credential was sent that could be kept."""
    log = world.folder / "kubernetes" / "audit.log"
    before = len(log.read_text().splitlines()) if log.is_file() else 0
    profile.waits()

    asked = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    ours = [line for line in asked if line["user"].startswith("release-gate")]
    assert ours != []
    assert {(line["method"], line["uri"], line["code"]) for line in ours} == {
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 201)
    }
