"""With a system down, nothing is known about it: INCONCLUSIVE, one line for each check, no traceback."""

import os
import re
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests_self.loopback import Loopback
from tests_self.proof.rehearsal.stopping import outcomes, stopped

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.parts import prometheus
from nox_rehearsal.sabotages.lines import DATABASE, HTTPS, REDIS
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.state import World
from noxgate.project.checks import find_checks
from noxgate.project.runbook import read_runbook

from .conftest import Gate, Run

EDGE = (*HTTPS, "staging.tls-version", "staging.tls-certificate", "staging.https-redirect")


pytestmark = pytest.mark.usefixtures("load_tested")


def test_ingress_down(world: World, gate: Gate) -> None:
    """No server answers at the target's address."""
    with stopped(world, "ingress"):
        run = gate()

    assert run.status == 2
    assert outcomes(run) == dict.fromkeys(EDGE, "unreachable")
    assert "Traceback" not in run.output
    rows = [row for row in run.output.splitlines() if row.startswith("unreachable ")]
    alike = [re.search(r": (\d+) lines$", row) for row in rows]
    assert all("connection refused" in row for row in rows)
    told = " ".join(run.output.split())
    common = re.findall(r"(\d+) lines have one cause: [^:]*:?[^:]*: connection refused", told)
    assert sum(int(found[1]) if found else 1 for found in alike) + sum(map(int, common)) == len(EDGE)


def cutting(connection: socket.socket) -> None:
    """Reset each connection, as a load balancer does whose servers are away."""
    connection.recv(1000)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def plain(connection: socket.socket) -> None:
    """Speak HTTP where TLS is expected."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("talk", [cutting, plain])
def test_another_in_place_of_the_ingress(
    talk: Callable[[socket.socket], None], world: World, gate: Gate, loopback: Loopback
) -> None:
    """It takes connections and speaks no TLS: nothing is learned, and one cause is said for all of it."""
    with stopped(world, "ingress"):
        loopback.serve(talk, "127.0.0.1", world.port)
        run = gate()
        loopback.close()

    assert run.status == 2, run.output
    assert outcomes(run) == dict.fromkeys(EDGE, "unreachable")
    assert f"{len(EDGE) - 1} lines have one cause: " in run.output  # a redirect is asked of another port
    assert "staging.https-redirect" in run.output


@pytest.mark.parametrize(("part", "own"), [("postgres", DATABASE), ("redis", REDIS)])
def test_data_store_down(part: str, own: tuple[str, ...], world: World, gate: Gate) -> None:
    """Its own lines are unreachable. The API without it is broken, and said to be: NO-GO, not a guess."""
    with stopped(world, part):
        run = gate()

    found = outcomes(run)
    assert {line: found.get(line) for line in own} == dict.fromkeys(own, "unreachable")
    assert found["staging.ready"] == "failed"
    assert run.status == 1


@pytest.mark.parametrize(("part", "own"), [("postgres", DATABASE), ("redis", REDIS)])
def test_data_store_down_alone(part: str, own: tuple[str, ...], world: World, gate: Gate) -> None:
    """Looked at alone: one line for each check, within seconds."""
    topic = "database" if part == "postgres" else "redis"
    with stopped(world, part):
        run = gate(markers=f"staging and {topic}")

    assert run.status == 2
    assert {line: outcomes(run).get(line) for line in own} == dict.fromkeys(own, "unreachable")
    assert "Traceback" not in run.output


# What takes long and asks neither cluster nor registry is left to others.
LEFT_OUT = ("alerts", "migration", "science")
PREFLIGHT = f"preflight and not ({' or '.join(LEFT_OUT)})"
MARKERS = {"preflight": PREFLIGHT, "staging": "staging"}
CLUSTER = {
    "preflight": ("preflight.env-variables", "preflight.staging-secrets", "preflight.switch-dry-run"),
    "staging": (
        "staging.manifests-accepted",
        "staging.rollout",
        "staging.ingress-backends",
        "staging.hpa-minimum",
    ),
}


def looked_at(run: Run) -> dict[str, str]:
    """The same without the lines that PREFLIGHT leaves out: of the others none may be "not run"."""
    left_out = {
        check.line_id
        for check in find_checks(ROOT, read_runbook(ROOT / "runbook.toml"))
        if check.line_id.startswith("preflight.") and check.topic in LEFT_OUT
    }
    found = outcomes(run)
    return {line: found[line] for line in found if line not in left_out or found[line] != "not run"}


def copied(world: World, folder: Path, *changes: tuple[str, str]) -> Path:
    """The rehearsal's profile and its peer's with other words in them."""
    names = ("rehearsal.toml", "rehearsal-production.toml")
    peer = (str(world.folder / names[1]), str(folder / names[1]))
    for name in names:
        text = (world.folder / name).read_text()
        for old, new in (peer, *changes):
            text = text.replace(old, new)
        (folder / name).write_text(text)
    return folder / names[0]


def elsewhere(world: World, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The rehearsal's profile with another kubeconfig."""
    config = yaml.safe_load(world.kubeconfig.read_text())
    change(config)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    return copied(world, folder, (str(world.kubeconfig), str(kubeconfig)))


@pytest.mark.parametrize("phase", CLUSTER)
@pytest.mark.parametrize("how", ["refused", "unknown"])
def test_cluster_that_cannot_be_looked_at(
    how: str, phase: str, world: World, gate: Gate, tmp_path: Path
) -> None:
    """No server listens, or the credential is not known: one line for each check, and INCONCLUSIVE."""
    with reserved(1) as (port,):

        def change(config: dict[str, Any]) -> None:
            if how == "refused":
                config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
            else:
                for user in config["users"]:
                    user["user"]["token"] = f"of-another-cluster-{port}"

        run = gate(markers=MARKERS[phase], profile=elsewhere(world, tmp_path, change))

        assert run.status == 2, run.output
        found = looked_at(run)
        assert [line for line in CLUSTER[phase] if found.get(line) != "unreachable"] == []
        assert set(found.values()) == {"unreachable"}
        assert "Traceback" not in run.output
        assert ("connection refused" if how == "refused" else "401") in run.output


def test_cluster_that_is_slow(world: World, gate: Gate) -> None:
    """A server that accepts and says nothing costs a run seconds, not minutes, and is INCONCLUSIVE."""
    pid = World.load(world.folder).pids["kubernetes"]
    os.kill(pid, signal.SIGSTOP)
    try:
        run = gate(markers="staging and rollout")
    finally:
        os.kill(pid, signal.SIGCONT)

    own = ("staging.rollout", "staging.pod-restarts", "staging.deployment")
    assert run.status == 2
    assert {line: outcomes(run).get(line) for line in own} == dict.fromkeys(own, "unreachable")


def test_dry_runs_without_the_right(world: World, gate: Gate, tmp_path: Path) -> None:
    """With the role that only looks, the dry runs are unreachable, and name the right that is missing."""
    profile = copied(world, tmp_path, ('dry_run_context = "rehearse-change"\n', ""))
    runs = [gate(markers=markers, profile=profile) for markers in MARKERS.values()]

    assert [run.status for run in runs] == [2, 2]
    assert looked_at(runs[0]) | looked_at(runs[1]) == dict.fromkeys(
        (
            "preflight.green-manifests",
            "preflight.switch-dry-run",
            "preflight.rollback-dry-run",
            "staging.manifests-accepted",
            "staging.manifests-no-drift",
        ),
        "unreachable",
    )
    assert "docs/roles/rehearse-change.yaml" in runs[0].output


def test_prometheus_down(world: World, gate: Gate) -> None:
    """Its own two lines, and those of the load test, which are compared with its counters."""
    with stopped(world, "prometheus"):
        run = gate()
    port = int(world.prometheus_url.rpartition(":")[2])
    prometheus.wait_until_scraped(port, world.pods, within=60)

    own = ("staging.prometheus-targets-up", "staging.prometheus-rules-loaded")
    checks = find_checks(ROOT, read_runbook(ROOT / "runbook.toml"))
    loads = [check.line_id for check in checks if check.topic == "slo" and "slower" not in check.node]
    assert run.status == 2
    assert outcomes(run) == dict.fromkeys((*own, *loads), "unreachable")


def test_registry_down(world: World, gate: Gate) -> None:
    """Its own two lines, each in one line; what runs in the pods is not taken for what was built."""
    with stopped(world, "registry"):
        run = gate(markers=PREFLIGHT)

    assert run.status == 2, run.output
    assert looked_at(run) == dict.fromkeys(
        ("preflight.node-parity", "preflight.base-image-parity"), "unreachable"
    )
    assert "Traceback" not in run.output
    assert "connection refused: 2 lines" in run.output


def test_part_of_a_phase_names_what_was_not_run(gate: Gate) -> None:
    """A partial run may look green and is INCONCLUSIVE."""
    run = gate(markers="staging and oauth")

    assert run.status == 2
    assert "INCONCLUSIVE" in run.output
    assert "not run: staging.manifests-accepted, staging.manifests-unique" in run.output


@pytest.mark.parametrize("options", [["-n", "2"], ["--random-order"], ["--random-order", "-n", "2"]])
def test_go_in_any_order_and_number(options: list[str], gate: Gate) -> None:
    """Checks share nothing: two processes or a shuffled order make no difference."""
    run = gate(*options)

    assert run.status == 0, run.output
    assert outcomes(run) == {}
