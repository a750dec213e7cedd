"""Visits are counted where they begin and where they end, in any way, over several processes."""

from contextlib import suppress

from noxgate_load.visits import Visits


def test_a_visit_that_fails_has_ended() -> None:
    visits = Visits()
    with visits:
        pass
    with suppress(RuntimeError), visits:
        raise RuntimeError

    assert [sum(both) for both in zip(*visits.seconds.values(), strict=True)] == [2, 2]


def test_those_of_workers_are_added() -> None:
    """A report has what came since the last one."""
    worker, master = Visits({7: [3, 1]}), Visits()
    master.take(worker.drain())
    worker.seconds[7] = [0, 2]
    master.take(worker.drain())
    master.take([[7, 1, 0], [8, 0, 1]])

    assert worker.drain() == []
    assert master.seconds == {7: [4, 3], 8: [0, 1]}
