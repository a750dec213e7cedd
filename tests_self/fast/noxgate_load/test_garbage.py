"""The garbage collector is held off, and what it would have found does not grow without end."""

import os
import subprocess
import sys
from textwrap import dedent

from .conftest import ROOT

SCRIPT = """
    import gc, gevent, weakref
    from noxgate_load import garbage

    class Circle:
        def __init__(self):
            self.me = self

    garbage.bound()
    garbage.hold_off()
    assert gc.get_freeze_count() > 1000
    few = [weakref.ref(Circle()) for _ in range(100)]
    gevent.sleep(2 * garbage.EVERY)
    assert all(one() for one in few), "expected no look at a few"
    many = [weakref.ref(Circle()) for _ in range(garbage.MOST)]
    with gevent.Timeout(60 * garbage.EVERY):
        while few[0]() or many[-1]():
            gevent.sleep(0.01)
    assert not any(one() for one in few + many)
    assert gc.get_freeze_count() > 1000
    assert not gc.isenabled()
    print("right")
"""


def test_a_few_are_left_and_many_are_collected() -> None:
    done = subprocess.run(
        [sys.executable, "-c", dedent(SCRIPT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.stdout, done.stderr) == ("right\n", "")
