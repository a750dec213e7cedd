"""Where a ramp is, whether the generator kept up with it, and what the journeys take for right."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from load import journeys

from noxgate.slo.ramps import Level, Ramp
from noxgate.slo.result import Held
from noxgate_load import course
from noxgate_load.course import Course
from noxgate_load.health import Health, Second
from noxgate_load.http.exchange import Answer
from noxgate_load.states import States

RAMP = Ramp(
    "test", "", (Level(10, 2, 4), Level(20, 2, 4)), 2, 1, (0.1, 0.3), 0,
    evidence=True, lag_ms=5, cpu_percent=70,
)  # fmt: skip
HELD = Held("1", 10, "all", 4, 100, 104)


class Clock:
    """Both clocks of a course: seconds that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(course, "clock", lambda: self.now)
        monkeypatch.setattr(course, "wall", lambda moment: moment)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_course_of_a_ramp(clock: Clock) -> None:
    """Up, held, up, held, down: a hold begins with the first whole second in which all users are there."""
    going = Course(RAMP, pytest.fail, since=clock.now)
    users = 0
    wanted = []
    while tick := going.tick(users):
        wanted.append(tick)
        users = tick[0]  # at once: as Locust answers, a second later
        clock.now += 1

    assert list(dict.fromkeys(wanted)) == [(10, 5.0), (20, 5.0), (0, 10.0)]
    assert [(held.users, held.end - held.start, held.planned) for held in going.holds] == [
        (10, 4, 4),
        (20, 4, 4),
    ]
    assert going.holds[0].start == 102
    assert going.over


def test_users_that_do_not_come(clock: Clock) -> None:
    """After twice its rise and some patience, a ramp is given up."""
    said: list[str] = []
    going = Course(RAMP, said.append, since=clock.now)
    while going.tick(9) and clock.now < 200:
        clock.now += 1

    assert said == ["only 9 of 10 users after 20 s"]
    assert going.holds == []


def test_hold_that_is_interrupted(clock: Clock) -> None:
    """What was held of it is kept, and is too short."""
    going = Course(RAMP, pytest.fail, since=clock.now)
    for users in (0, 10, 10, 10):
        going.tick(users)
        clock.now += 1
    going.interrupt()

    assert [(held.planned, held.end - held.start) for held in going.holds] == [(4, 2)]


def kept_up(**changes: Any) -> Health:
    """A process that kept up on the hold, but for some changes of each second."""
    one = replace(Second(timers=100, late=0, cpu=20.0, dropped=0), **changes)
    seconds = dict.fromkeys(range(100, 104), one)
    return Health(0.005, workers={"this process": seconds}, users=dict.fromkeys(range(100, 104), 10))


def without(second: int, there: Health) -> Health:
    del there.workers["this process"][second]
    return there


def with_users(users: int, there: Health) -> Health:
    there.users[102] = users
    return there


@pytest.mark.parametrize(
    ("there", "processes", "why"),
    [
        (kept_up(late=2), 1, "2.0 % of this process's timers by over 5 ms"),
        (kept_up(cpu=71.0), 1, "this process used 71 % of a core"),
        (kept_up(dropped=1), 1, "4 arrivals were dropped"),
        (kept_up(held_up=1.1), 1, "a connection waited 1.1 s for this process"),
        (kept_up(), 2, "only 1 of 2 processes of the generator ever reported"),
        (Health(0.005, users=dict.fromkeys(range(100, 104), 10)), 1, "only 0 of 1 processes"),
        (without(100, without(101, without(102, kept_up()))), 1, "reported 1 of 4 s"),
        (with_users(9, kept_up()), 1, "expected 10 users all the time, saw 9"),
        (replace(kept_up(), users={}), 1, "expected 10 users all the time, saw 0"),
    ],
    ids=["late", "busy", "dropped", "held up", "one of two", "none", "silent", "users", "no users"],
)
def test_hold_that_is_spoiled(there: Health, processes: int, why: str) -> None:
    """Each of them alone makes the numbers the generator's own."""
    (reason,) = there.spoiled(RAMP, HELD, processes)

    assert why in reason


def test_hold_that_is_not_spoiled() -> None:
    assert kept_up(late=1, cpu=70.0, held_up=1.0).spoiled(RAMP, HELD, 1) == []


def test_reports_of_workers_add_up() -> None:
    """A second that comes in two reports is one."""
    there = Health(0.005)
    there.take("worker a", [[100, 40, 1, 30.0, 0, 0.2]])
    there.take("worker a", [[100, 60, 2, 0.0, 1, 0.1]])

    assert there.workers == {"worker a": {100: Second(100, 3, 30.0, 1, 0.2)}}


def answer(body: str, status: int = 200) -> Answer:
    return Answer(status, b"", body.encode())


RDX = journeys._computed((8.3, 9.2))  # noqa: SLF001
JOB = journeys._ended((-5.091, -5.050))  # noqa: SLF001
VERSION = journeys._versioned("8.0.0")  # noqa: SLF001
LEADS_AWAY = journeys._leads_away("google", States())  # noqa: SLF001
NAMED = (journeys._healthy, VERSION, LEADS_AWAY)  # noqa: SLF001


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (RDX, answer('{"velocity": 8.79}')),
        (RDX, answer('{"result": [{"D": 8790}]}')),
        (RDX, answer('{"job_id": "7"}', 202)),
        (JOB, answer('{"status": "queued"}')),
        (JOB, answer('{"status": "completed", "result": {"energy": -5.0705}}')),
        (journeys._healthy, answer('{"status": "healthy"}')),  # noqa: SLF001
        (LEADS_AWAY, answer('{"url": "https://accounts.example"}')),
        (journeys._some_json, answer("[]")),  # noqa: SLF001
        (journeys._some_json, answer('{"success": true, "error": null, "data": []}')),  # noqa: SLF001
        (journeys._content, answer('{"errors": [], "data": {"users": 5}}')),  # noqa: SLF001
        (VERSION, answer('{"version": "8.0.0", "commit": "?"}')),
    ],
)
def test_right_answers(check: Callable[[Answer], None], right: Answer) -> None:
    check(right)


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (RDX, answer('{"velocity": 9.3}')),
        (RDX, answer('{"velocity": true}')),
        (RDX, answer("{}")),
        (RDX, answer('{"error": "8.79", "velocity": 8.79}')),
        (RDX, answer('{"job_id": ""}', 202)),
        (JOB, answer('{"status": "failed", "result": {"energy": -5.0705}}')),
        (JOB, answer('{"status": "completed", "result": {"energy": -5.17}}')),
        (journeys._healthy, answer('{"status": "unhealthy"}')),  # noqa: SLF001
        (LEADS_AWAY, answer('{"url": "http://accounts.example"}')),
        (journeys._some_json, answer('"text"')),  # noqa: SLF001
        (journeys._content, answer("{}")),  # noqa: SLF001
        (journeys._content, answer("<html>")),  # noqa: SLF001
        (journeys._content, answer('{"errors": ["store"], "users": 5}')),  # noqa: SLF001
        (journeys._some_json, answer('{"success": false, "data": []}')),  # noqa: SLF001
        (journeys._some_json, answer('{"error": "store", "data": []}')),  # noqa: SLF001
        *(
            (check, answer(body))
            for check in NAMED
            for body in ("{}", "[]", "7", '{"status": [], "url": {}}')
        ),
        (VERSION, answer('{"version": "7.9.3"}')),
        (RDX, answer('{"job_id": "7 8"}', 202)),
        (RDX, answer('["job_id"]', 202)),
        (JOB, answer('{"status": {}}')),
        (JOB, answer("null")),
    ],
)
def test_wrong_answers(check: Callable[[Answer], None], wrong: Answer) -> None:
    """What the engine counts as a wrong answer, and not as a mistake of the script."""
    with pytest.raises((AssertionError, ValueError)):
        check(wrong)
