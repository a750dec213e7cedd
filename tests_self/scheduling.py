"""Which worker of xdist runs which tests: two have rehearsals, more run beside them what needs no rehearsal.

Tests of a rehearsal wait more than they compute; those of a file that needs none compute. By a scheduler of
our own: with pytest 9.2, xdist 3.8 does not see its own mark for groups.
"""

import os
from contextlib import suppress
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests_self.proof.rehearsal import register
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

LOAD = "slo"  # the topic of what needs a load test
OTHERS = ("test_ci_gate.py::test_go_from_a_clean_clone", "_under_load")
REHEARSAL = "tests_self/proof/rehearsal/"
WORLDS = "tests_self/proof/"
TIMED = "tests_self/fast/noxgate_load/"
WITH_REHEARSALS = 2
WITH_NEXT = 2
LATER = 5  # of nice: a third of the processor's share of what is timed


class Kind(Enum):
    """What tests need of the machine."""

    TIMED = auto()
    LOAD = auto()
    REHEARSAL = auto()
    WORLDS = auto()  # start and end rehearsals: that takes the machine
    FAST = auto()


# All that is timed is one worker's, the first's; the other takes it only where the first is gone.
FIRST = (Kind.TIMED, Kind.LOAD, Kind.REHEARSAL, Kind.WORLDS, Kind.FAST)
SECOND = (Kind.REHEARSAL, Kind.WORLDS, Kind.FAST, Kind.LOAD, Kind.TIMED)
MORE = (Kind.FAST,)


class ByServers(LoadScopeScheduling):  # type: ignore[misc]
    """What has the same scope is done by one worker, in order; a test of a world goes to whoever is free.

    A worker's place says what it may run: its number, or the place of one that has died, which it replaces.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        """As xdist's own."""
        super().__init__(config, log)
        self._places: dict[Any, int] = {}

    def add_node(self, node: Any) -> None:
        """It has started; of those that xdist started first, each has the place of its number."""
        super().add_node(node)
        number, taken = number_of(node.gateway.id), set(self._places.values())
        free = next(place for place in count() if place not in taken)
        self._places[node] = free if number >= self.numnodes else number

    def remove_node(self, node: Any) -> str | None:
        """It has ended, or died in a test, which has failed; what it has left is for others.

        xdist's own would run that test again, and hand out files whose tests were all run: who is given
        such a file waits for ever.
        """
        self._places.pop(node, None)
        left = _unfinished(self.assigned_work.pop(node))
        if not left:
            return None
        tests = next(iter(left.values()))
        died_in = next(test for test, is_done in tests.items() if not is_done)
        tests[died_in] = True
        self.workqueue.update(_unfinished(left))
        for other in self.nodes:
            self._reschedule(other)
        return died_in

    def schedule(self) -> None:
        """Where there is less work than workers xdist ends the last ones: these are not who started last.

        A worker starts a test once it knows the next one: who replaces another needs two.
        """
        for node in sorted(self.nodes, key=lambda node: self._places[node]):
            self.assigned_work[node] = self.assigned_work.pop(node)
        super().schedule()
        for node in self.nodes:
            if self.collection and self._pending_of(self.assigned_work[node]) < WITH_NEXT:
                self._reschedule(node)

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        chosen = choose(self._places[node], list(self.workqueue))
        if chosen is None:
            node.shutdown()
            return
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


def _unfinished(units: dict[str, dict[str, bool]]) -> dict[str, dict[str, bool]]:
    return {scope: tests for scope, tests in units.items() if not all(tests.values())}


def scope(nodeid: str) -> str:
    """The file, or TIMED; for tests of the rehearsal LOAD, or the test itself."""
    if nodeid.startswith(TIMED):
        return TIMED
    if not nodeid.startswith(REHEARSAL):
        return nodeid.partition("::")[0]
    return LOAD if makes_load(nodeid) else nodeid


def makes_load(nodeid: str) -> bool:
    """Whether a test of the rehearsal makes load tests: one is made at a time, and another would wait."""
    line = nodeid.partition("test_sabotage[")[2].partition(":")[0]
    return register.TOPICS.get(line) == LOAD or nodeid.endswith(OTHERS)


def choose(place: int, scopes: list[str]) -> str | None:
    """The next scope for a worker; None if it lacks the rehearsal that all which is left needs."""
    wanted = MORE if place >= WITH_REHEARSALS else SECOND if place else FIRST
    return next((one for kind in wanted for one in scopes if kind_of(one) is kind), None)


def kind_of(scope: str) -> Kind:
    """By the scope's own name."""
    if scope in {TIMED, LOAD}:
        return Kind.TIMED if scope == TIMED else Kind.LOAD
    if scope.startswith(REHEARSAL):
        return Kind.REHEARSAL
    return Kind.WORLDS if scope.startswith(WORLDS) else Kind.FAST


def give_way(worker: str, of: int) -> None:
    """One of so many that starts without a rehearsal comes after what is timed, with its children.

    One with a higher number replaces a worker that has died, and may have to do what is timed.
    """
    if not WITH_REHEARSALS <= number_of(worker) < of:
        return
    os.nice(LATER)
    with suppress(OSError):  # Linux shares the processor among sessions first, where it is asked to
        os.setsid()
        Path("/proc/self/autogroup").write_text(str(LATER), encoding="ascii")


def number_of(worker: str) -> int:
    """Xdist counts them from 0: gw0."""
    return int(worker.removeprefix("gw"))
