"""Connecting in turns: what is measured is not held up by it, and it goes on where the loop is busy."""

import json
import os
import subprocess
import sys
from itertools import accumulate, pairwise
from textwrap import dedent

from tests_self.authority import Authority
from tests_self.loopback import Loopback

from .conftest import ROOT, Json, Run, ok, patient

STEP = 0.004  # seconds of each step, of which 60 connections take two


def turns(body: str) -> Json:
    """Run a script with gevent, which pytest itself must not import; what it prints is JSON."""
    start = f"""
        import json, time, gevent
        from noxgate_load.http.turns import Turns
        turns, order, seen = Turns(), [], []

        def burn(seconds={STEP}):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                pass

        def connect(number):
            turns.begin()
            order.append(["begin", number])
            burn()
            gevent.sleep(0.0001)
            turns.proceed()
            order.append(["proceed", number])
            burn()

        def probe():
            while True:
                gevent.sleep(0.001)  # less than a step: it is due whenever the loop comes round
                seen.append(len(order))
    """
    command = [sys.executable, "-c", dedent(start) + dedent(body)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    found: Json = json.loads(done.stdout)
    return found


def test_others_wait_for_few_steps_only() -> None:
    found = turns(
        """
        gevent.spawn(probe)
        gevent.sleep(0.01)
        gevent.joinall([gevent.spawn(connect, number) for number in range(60)])
        print(json.dumps({"seen": seen, "steps": len(order)}))
        """
    )
    assert found["steps"] == 120
    between = [after - before for before, after in pairwise([0, *found["seen"], found["steps"]])]
    assert sorted(between)[len(between) // 2] < 6  # the most say nothing: a busy machine may stop the loop


def test_what_has_begun_goes_on_before_more_is_begun() -> None:
    found = turns(
        """
        gevent.joinall([gevent.spawn(connect, number) for number in range(20)])
        print(json.dumps({"order": order}))
        """
    )
    open_at_once = list(accumulate(1 if step == "begin" else -1 for step, _ in found["order"]))
    assert [number for step, number in found["order"] if step == "begin"] == list(range(20))
    assert sorted(open_at_once)[len(open_at_once) // 2] <= 3  # the most say nothing here either


def test_a_busy_loop_leaves_a_share() -> None:
    found = turns(
        """
        rounds = []

        def busy():
            while True:
                rounds.append(1)
                burn(0.08)
                gevent.sleep(0.0001)

        other = gevent.spawn(busy)
        gevent.joinall([gevent.spawn(connect, number) for number in range(30)])
        print(json.dumps({"rounds": len(rounds)}))
        """
    )
    assert found["rounds"] < 60 * 0.7, "one step in each round would take as many rounds as steps"


def test_one_that_is_killed_leaves_the_line() -> None:
    found = turns(
        """
        all = [gevent.spawn(connect, number) for number in range(9)]
        gevent.sleep(0)
        gevent.killall(all[3:6])
        gevent.joinall(all)
        print(json.dumps({"began": [number for step, number in order if step == "begin"]}))
        """
    )
    assert found["began"] == [0, 1, 2, 6, 7, 8]


def test_the_wait_for_ones_turn_is_not_the_targets(loopback: Loopback, run: Run) -> None:
    result = run(f"http://localhost:{loopback.serve(patient(ok()))}", {"late": 0}, users=40)
    assert result["totals"]["held_up"] > 0
    for sample in result["samples"]:
        assert sample["ended"] - sample["began"] - sample["connect"] - sample["seconds"] < 1e-3
    assert max(sample["late"] for sample in result["samples"]) > 0, "an open model counts it"


def test_many_that_connect_at_once(authority: Authority, loopback: Loopback, run: Run) -> None:
    port = loopback.serve_tls(patient(ok()), authority.good)
    trust = {"ca_file": str(authority.file.certificate)}
    result = run(f"https://localhost:{port}", {}, {}, users=60, **trust)
    assert [sample["error"] for sample in result["samples"]] == [""] * 120
    assert result["totals"]["connections"] == 60
