"""The night and its 48 hours from the deployed objects: each phase's Job, and the CronJob of the window.

As in test_pods.py: the pods' own specs as processes, with the documented roles alone. `make test` has the
CronJob and one phase; `make test-all` has them all.
"""

import os
from collections.abc import Callable, Sequence

import pytest
from tests_self.deployed import Object, containers
from tests_self.deployed_rehearsal import Cluster
from tests_self.pods import Ended

from nox_rehearsal.cluster.objects import PRODUCTION
from nox_rehearsal.day import moments, watching
from nox_rehearsal.day.phases import leading_up_to
from nox_rehearsal.world.state import World

from .conftest import calm

ALL = os.environ.get("NOXGATE_SABOTAGES") == "all"
PHASES = ("prep", "green", "live", "rollback")
TRIED = PHASES if ALL else ("green",)


@pytest.fixture
def moment(request: pytest.FixtureRequest, world: World) -> str:
    """The world at the moment of a test, before deploy/ is applied to it."""
    asked: str = request.param
    moments.bring(world, asked)
    if asked == moments.LIVE:
        calm(world)
    return asked


def clocked(at: str) -> Callable[[Object], None]:
    """The CronJob of a rehearsal, whose 48 hours are played: watch is told the time."""

    def change(obj: Object) -> None:
        if obj["kind"] == "CronJob":
            *_, container = containers(obj)
            container["command"] += ["--clock", at]

    return change


def assert_rotated(asked: Sequence[tuple[str, str]]) -> None:
    """Who asked with a token of before asked no more once there was another, by dry run or port-forward."""
    for account, method in (("release-gate-dry-run", "PATCH"), ("release-gate", "WEBSOCKET")):
        sent = [who for who, how in asked if how == method]
        assert sent == sorted(sent)
        assert set(sent) <= {account, f"{account}-next"}
        assert f"{account}-next" in sent
    assert not all(who.endswith("-next") for who, _ in asked)


@pytest.mark.parametrize("moment", TRIED, indirect=True)
def test_a_phase_is_go(moment: str, world: World, cluster: Cluster) -> None:
    """Each of its lines passes. What a rollback puts back is saved when the gate has its roles already."""
    target = cluster.profile(world.production_profile)
    cluster.apply("production", TARGET=target)
    if moment == "prep":
        cluster.save_manifests(world)
    for phase in filter(None, (leading_up_to(moment), moment)):
        cluster.apply("production", TARGET=target, PHASE=phase)
        done = cluster.run(rotates=phase == "green")

    assert done.status == 0, done.output
    if moment == "green":
        assert_rotated(cluster.asked())
    assert {line["outcome"] for line in cluster.results()["lines"]} <= {"passed", "not counted"}
    assert f"phase {moment}, target {world.production_profile.stem} (rehearsal)" in done.output


@pytest.mark.parametrize("moment", [moments.WATCH], indirect=True)
def test_the_checkpoints(moment: str, world: World, cluster: Cluster) -> None:
    """The first when it is due, and none at its time once more; without a right the next is undecided."""
    assert moment == moments.WATCH
    began = moments.reached(world)[moments.START]

    def called(name: str, *, may_look: bool = True) -> Ended:
        at = f"{watching.time_of(began, name):%Y-%m-%dT%H:%M:%SZ}"
        cluster.apply("window", TARGET=cluster.profile(world.production_profile), also=clocked(at))
        if not may_look:
            cluster.without_look(PRODUCTION)
        return cluster.run("CronJob", "noxgate-watch")

    first = called("1h")
    assert first.status == 0, first.output
    assert {line["outcome"] for line in cluster.results()["lines"]} <= {"passed", "not counted", "not run"}
    runs = cluster.runs()
    assert called("1h").status == 0
    assert cluster.runs() == runs

    undecided = called("6h", may_look=False)
    assert undecided.status == 2, undecided.output
    assert "bind the role of docs/roles/look.yaml" in undecided.output
    assert len(cluster.runs()) == len(runs) + 1
