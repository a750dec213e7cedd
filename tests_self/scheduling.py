"""Which tests xdist leaves with one worker: those of a file, which has its servers, and all that are timed.

By a scheduler of our own: with pytest 9.2, xdist 3.8 does not see its own mark for groups.
"""

from tests_self.proof.rehearsal import register
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

LOAD = "slo"  # the topic of what needs a load test
OTHERS = ("test_ci_gate.py::test_go", "_under_load")
REHEARSAL = "tests_self/proof/rehearsal/"
TIMED = "tests_self/fast/noxgate_load/"


class ByServers(LoadScopeScheduling):  # type: ignore[misc]
    """What has the same scope is done by one worker, in order; a test of a world goes to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


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
