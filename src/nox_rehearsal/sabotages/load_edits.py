"""Results of load tests with something changed: by hand, or by time."""

import random
from array import array
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from noxgate.slo.holds import Second
from noxgate.slo.result import NAME, NewJob, Result, read, write
from noxgate.trust.loads import Making
from noxgate.trust.signing import key_for_once


def a_day_older(result: Result, days: float = 1.001) -> Result:
    """All of it: what was measured at another time than the test was run cannot be."""
    by = round(days * 86400)
    older = timedelta(seconds=by)
    return replace(
        result,
        started=(result.start - older).isoformat(),
        ended=(result.end - older).isoformat(),
        holds=tuple(replace(held, start=held.start - by, end=held.end - by) for held in result.holds),
        users={at - by: users for at, users in result.users.items()},
        visits={at - by: both for at, both in result.visits.items()},
        new_jobs=tuple(replace(job, began=job.began - by, ended=job.ended - by) for job in result.new_jobs),
        seconds={
            name: {at - by: second for at, second in measured.items()}
            for name, measured in result.seconds.items()
        },
    )


def six_seconds_gone(result: Result) -> Result:
    """All users wait for six seconds, and their requests are missing."""
    (held,) = result.holds
    first, last = held.start + 5, held.start + 10
    inside = sum(began - ended for at, (began, ended) in result.visits.items() if at < first)
    waiting = held.users - inside
    began, _ = result.visits[last + 1]
    left = sum(began - ended for at, (began, ended) in result.visits.items() if at <= last + 1)
    visits = {at: both for at, both in result.visits.items() if not first <= at <= last}
    visits |= {first: (waiting, 0), last + 1: (began, held.users + began - left)}
    seconds = {
        name: {at: second for at, second in by.items() if not first <= at <= last}
        for name, by in result.seconds.items()
    }
    return replace(result, seconds=seconds, visits=visits, accepted=1, right=1)


def one_in_twenty_slow(result: Result) -> Result:
    """Of the requests for data each twentieth takes a bit over 300 ms: as many as the SLO's limit."""
    count, slow = 0, {}
    for at, second in sorted(result.seconds["data"].items()):
        times = array("f")
        for _ in second.times:
            count += 1
            times.append(0.31 + count / 1e6 if count % 20 == 0 else 0.02 + count / 1e6)
        over = {limit: sum(time > limit for time in times) for limit in second.over}
        slow[at] = replace(second, times=times, over=over)
    return replace(result, seconds={**result.seconds, "data": slow})


def a_tenth(result: Result) -> Result:
    """A tenth of the visits and of their requests, by as many users."""
    seconds = {
        name: {at: _good(second, _some(second.times, at)) for at, second in by.items()}
        for name, by in result.seconds.items()
    }
    visits = {at: (began // 10, began // 10) for at, (began, _) in result.visits.items()}
    return replace(result, seconds=seconds, visits=visits, failures=(), accepted=1, right=1)


def _some(times: "array[float]", seed: int) -> "array[float]":
    """Each tenth, by chance: as many in each second would be too even."""
    chosen = random.Random(seed)  # noqa: S311 (no secret)
    return array("f", [seconds for seconds in times if chosen.random() < 0.1])  # noqa: PLR2004


def one_second(result: Result) -> Result:
    """As somebody writes it who has measured one second, or none."""
    at = result.holds[0].start + 1
    seconds = {
        name: {moment: _good(by[at], by[at].times) for moment in by} for name, by in result.seconds.items()
    }
    return replace(result, seconds=seconds, failures=(), accepted=1, right=1)


def _good(like: Second, times: Any) -> Second:
    return Second(times, {(200, ""): len(times)}, dict.fromkeys(like.over, 0))


def of_schema_2(result: Result) -> Result:
    """As the gate before this one left it."""
    return replace(result, schema=2, ramp=replace(result.ramp, new_jobs=0), new_jobs=())


def without(result: Result, method: str) -> tuple[NewJob, ...]:
    return tuple(job for job in result.new_jobs if job.method != method)


def as_it_is(result: Result) -> Result:
    return result


def written_again(kept: Path) -> None:
    result = read(kept / NAME)
    write(kept / NAME, replace(result, processes=result.processes + 1))


def signed_again(kept: Path) -> None:
    result = read(kept / NAME)
    Making(result.nonce, key_for_once()).sign(kept, result)
