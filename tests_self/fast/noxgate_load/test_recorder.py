"""The recorder: buckets that are narrow enough, counts that are exact, merging that loses nothing."""

import math
import random
import time
from typing import Any

import pytest

from noxgate_load.recorder import Recorder, percentile, reasons
from noxgate_load.samples import Reason, Sample

LIMITS = {"auth": [0.3, 0.5], "science": [2.0]}


def sample(seconds: float = 0.1, **fields: Any) -> Sample:
    plain = {
        "name": "/",
        "group": "auth",
        "method": "GET",
        "status": 200,
        "error": Reason.NONE,
        "began": 100.0,
    }
    rest = {"ended": 100.1, "connect": 0.0, "late": 0.0, "size": 9, "retried": False}
    return Sample(seconds=seconds, **{**plain, **rest, **fields})


def whole(recorder: Recorder) -> Any:
    """All that is in a recorder, times in no order."""
    return {
        key: (cell.requests, cell.failures, cell.over, cell.outcomes, sorted(cell.times))
        for key, cell in recorder.cells.items()
    }, recorder.problems


def test_response_times_are_kept_to_a_millionth() -> None:
    recorder = Recorder({})
    seconds = [10 ** (power / 97) for power in range(-6 * 97, 3 * 97)]
    for each in seconds:
        recorder.record(sample(each))
    recorder.settle()
    (cell,) = recorder.cells.values()
    assert list(cell.times) == pytest.approx(seconds, rel=1e-6)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99, 1.0, 0.0])
def test_percentiles_are_those_of_the_sorted_times(share: float) -> None:
    generator = random.Random(7)  # noqa: S311 (test data)
    for size in (1, 2, 19, 20, 21, 100, 1000):
        times = [generator.lognormvariate(-3, 1) for _ in range(size)]
        truth = sorted(times)[max(0, math.ceil(round(share * size, 6)) - 1)]
        assert percentile(times, share) == truth


def test_a_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no request"):
        percentile([], 0.95)


def test_limits_are_counted_exactly() -> None:
    recorder = Recorder(LIMITS)
    for seconds in (0.3, math.nextafter(0.3, 1), 0.5, 0.501):
        recorder.record(sample(seconds))
    recorder.record(sample(2.5, group="science"))
    recorder.record(sample(9, group="other"))
    recorder.settle()
    over = {group: cell.over for (group, _), cell in recorder.cells.items()}
    assert over == {"auth": [3, 1], "science": [1], "other": []}


def test_an_open_model_measures_from_the_intended_start() -> None:
    recorder = Recorder(LIMITS, open_model=True)
    recorder.record(sample(0.2, began=99.8, ended=100.0, late=0.15))
    recorder.settle()
    (cell,) = recorder.cells.values()
    assert cell.over == [1, 0]
    assert percentile(cell.times, 1) == pytest.approx(0.35, rel=1e-6)


def test_a_request_that_hangs_belongs_to_the_second_in_which_it_was_to_be_sent() -> None:
    """Else none that hangs for longer than the rest of the hold would ever be judged."""
    closed, opened = Recorder(LIMITS), Recorder(LIMITS, open_model=True)
    for recorder in (closed, opened):
        recorder.record(sample(30, began=101.2, ended=131.2, late=0.5))
        recorder.settle()

    assert list(closed.cells) == [("auth", 101)]
    assert list(opened.cells) == [("auth", 100)]


def test_failures_are_counted_by_status_and_reason() -> None:
    recorder = Recorder(LIMITS)
    several: list[dict[str, Any]] = [
        {},
        {"status": 503, "error": Reason.STATUS},
        {"status": 503, "error": Reason.STATUS, "name": "/other"},
        {"status": 0, "error": Reason.TIMEOUT, "retried": True},
        {"status": 200, "error": Reason.CHECK, "began": 101.2},
    ]
    for fields in several:
        recorder.record(sample(**fields))
    recorder.settle()
    first, second = recorder.cells["auth", 100], recorder.cells["auth", 101]
    assert first.outcomes == {(200, ""): 1, (503, "status"): 2, (0, "timeout"): 1}
    assert (first.requests, first.failures, second.failures) == (4, 3, 1)
    assert recorder.retried == 1
    assert reasons([first, second]) == {Reason.STATUS: 2, Reason.TIMEOUT: 1, Reason.CHECK: 1}
    assert recorder.problems["auth", "/other", 503, "status"] == 1


def test_empty_seconds_are_part_of_a_window() -> None:
    recorder = Recorder(LIMITS)
    recorder.record(sample(began=100.2))
    recorder.record(sample(began=102.9))
    recorder.record(sample(began=103))
    recorder.settle()
    cells = list(recorder.window(["auth"], 100, 103))
    assert [cell.requests for cell in cells] == [1, 0, 1]
    assert [cell.over for cell in cells] == [[0, 0]] * 3


def test_merging_workers_is_as_if_there_had_been_one() -> None:
    generator = random.Random(11)  # noqa: S311 (test data)
    one, master, workers = Recorder(LIMITS), Recorder(LIMITS), [Recorder(LIMITS) for _ in range(3)]
    for number in range(3000):
        error = generator.choice([Reason.NONE] * 9 + [Reason.RESET])
        each = sample(
            generator.expovariate(5), error=error, group=generator.choice(["auth", "science"]),
            began=100 + number / 400, retried=number % 100 == 0,
        )  # fmt: skip
        one.record(each)
        worker = generator.choice(workers)
        worker.record(each)
        if number % 250 == 0:
            master.merge(worker.drain())
    for worker in workers:
        master.merge(worker.drain())
        assert worker.drain()["cells"] == []
    one.settle()
    assert whole(master) == whole(one)
    assert master.requests == 3000
    assert master.retried == 30


def test_what_is_sent_to_a_master_is_plain() -> None:
    recorder = Recorder(LIMITS)
    recorder.record(sample(error=Reason.RESET))

    def plain(value: object) -> None:
        assert type(value) in {str, int, float, bytes, list, dict}
        for part in value if isinstance(value, list) else value.values() if isinstance(value, dict) else []:
            plain(part)

    plain(recorder.drain())


def test_a_worker_with_other_limits_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a worker with the limits"):
        Recorder(LIMITS).merge(Recorder({"auth": [0.2, 0.5]}).drain())


def test_a_report_that_lost_something_is_refused() -> None:
    worker = Recorder(LIMITS)
    worker.record(sample())
    drained = worker.drain()
    drained["cells"][0][6] += bytes(4)
    with pytest.raises(ValueError, match="expected 1 requests of auth, saw 2 times"):
        Recorder(LIMITS).merge(drained)


def test_recording_costs_little() -> None:
    """Far from the goal of half a microsecond: this only finds a mistake of an order."""
    recorder = Recorder(LIMITS)
    samples = [sample(0.001 * number, began=100 + number / 1000) for number in range(1, 10_000)]
    started = time.process_time()  # what others do meanwhile does not count
    for each in samples:
        recorder.record(each)
    assert (time.process_time() - started) / len(samples) < 20e-6


def test_seconds_are_what_slos_are_judged_on() -> None:
    recorder = Recorder(LIMITS)
    recorder.record(sample(0.4))
    recorder.record(sample(0.1, status=503, error=Reason.STATUS))
    recorder.settle()
    times, outcomes, over = recorder.seconds()["auth"][100]
    assert list(times) == pytest.approx([0.4, 0.1], rel=1e-6)
    assert outcomes == {(200, ""): 1, (503, "status"): 1}
    assert over == {0.3: 1, 0.5: 0}
