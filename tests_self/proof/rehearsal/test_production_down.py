"""Production's prep with a system down: what cannot be looked at is unreachable, and nothing is guessed."""

import shutil
from pathlib import Path

import pytest
from tests_self.proof.rehearsal.stopping import outcomes, stopped

from nox_rehearsal.day import moments
from nox_rehearsal.parts import prometheus
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.profile import BACKUPS
from nox_rehearsal.world.state import World

from .conftest import Gate

MOMENT = pytest.mark.parametrize("moment", ["prep"])  # conftest brings them in the order of the day
CLUSTER = (
    "prep.monitoring-active",
    "prep.rollback-manifests-complete",
    "prep.rollback-manifests-replay",
    "prep.rollback-dry-run",
    "prep.blue-ready",
    "prep.blue-version",
    "prep.blue-health",
    "prep.blue-user-pages",
    "prep.blue-science",
    "prep.blue-websocket",
)
DATABASE = (
    "prep.backup-age",
    "prep.backup-restores",
    "prep.backup-rows",
    "prep.migration-log",
    "prep.migration-catalog",
    "prep.schema-version",
)
FILES = (
    "prep.backup-complete",
    "prep.backup-age",
    "prep.backup-checksum",
    "prep.backup-restores",
    "prep.backup-rows",
    "prep.migration-log",
    "prep.rollback-manifests-complete",
    "prep.rollback-manifests-replay",
)


def changed(world: World, folder: Path, old: str, new: str) -> Path:
    """Production's profile, and its peer's, with other words in them, and what was attested there."""
    for profile in (world.profile, world.production_profile):
        text = profile.read_text()
        (folder / profile.name).write_text(text.replace(old, new).replace(str(world.profile), profile.name))
    shutil.copytree(world.folder / "records", folder / "records")
    return folder / world.production_profile.name


@MOMENT
def test_cluster_down(moment: str, world: World, gate: Gate, tmp_path: Path) -> None:
    """No server listens where the kubeconfig leads."""
    moments.bring(world, moment)
    with reserved(1) as (port,):
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(
            world.kubeconfig.read_text().replace(world.kubernetes_url, f"https://127.0.0.1:{port}")
        )
        run = gate(markers=moment, profile=changed(world, tmp_path, str(world.kubeconfig), str(kubeconfig)))

        assert run.status == 2, run.output
        assert outcomes(run) == dict.fromkeys(CLUSTER, "unreachable")
        assert "Traceback" not in run.output


@MOMENT
def test_database_down(moment: str, world: World, gate: Gate) -> None:
    """Its own lines are unreachable. Blue without it is broken, and said to be: NO-GO, not a guess."""
    moments.bring(world, moment)
    with stopped(world, "postgres"):
        run = gate(markers=moment, profile=world.production_profile)

    assert run.status == 1, run.output
    found = outcomes(run)
    found.pop("prep.monitoring-active", None)  # a scrape asks the database, too, and may wait too long for it
    broken = dict.fromkeys(("prep.blue-ready", "prep.blue-user-pages"), "failed")
    assert found == dict.fromkeys(DATABASE, "unreachable") | broken


@MOMENT
def test_prometheus_down(moment: str, world: World, gate: Gate) -> None:
    moments.bring(world, moment)
    with stopped(world, "prometheus"):
        run = gate(markers=moment, profile=world.production_profile)
    port = int(world.prometheus_url.rpartition(":")[2])
    prometheus.wait_until_scraped(port, [*world.pods, *world.blue_pods], within=60)

    assert run.status == 2, run.output
    assert outcomes(run) == {"prep.monitoring-active": "unreachable"}


@MOMENT
def test_no_folder_is_named(moment: str, world: World, gate: Gate, tmp_path: Path) -> None:
    """Where the files would be is not known: that they are not there would be a guess."""
    moments.bring(world, moment)
    named = f'backups = "{world.folder / BACKUPS}"\n'
    run = gate(markers=moment, profile=changed(world, tmp_path, named, ""))

    assert run.status == 2, run.output
    assert outcomes(run) == dict.fromkeys(FILES, "unreachable")
    assert "names no backups" in run.output


WATCHED = (
    "window.checkpoint-1h-metrics",
    "window.checkpoint-6h-traffic",
    "window.checkpoint-24h-stability",
    "window.critical-alerts",
    "window.prometheus-coverage",
    "window.p95",
    "window.errors",
)


@pytest.mark.parametrize("moment", ["window"])
def test_prometheus_down_after_48_hours(moment: str, world: World, gate: Gate) -> None:
    """What it measured is unknown; the rest of the window is judged."""
    moments.bring(world, moment)
    with stopped(world, "prometheus"):
        run = gate("--checkpoint=48h", markers=moment, profile=world.production_profile)

    assert run.status == 2, run.output
    assert outcomes(run) == dict.fromkeys(WATCHED, "unreachable")
    assert "Traceback" not in run.output
