"""The differential oracle: the engine, k6, and a server that measures itself agree on the same delays."""

import json
import os
import subprocess
import sys

import pytest

from .conftest import ROOT, Json

USERS = 25
SECONDS = 4
ERROR, SHARE = 1.0, 0.005  # ms, or a part of the percentile: what is allowed on a machine at rest
# Times: by how much more a machine with other work may add than its timers are late. Few requests are in
# the last hundredth, and far apart.
LATE = {"0.5": 2, "0.95": 2, "0.99": 5}

COMPARE = f"""
import dataclasses, json, sys
from pathlib import Path
from benchmarks.generators.processes import known_target
from benchmarks.generators.truth import compared
with known_target() as url:
    found = compared(url, Path(sys.argv[1]), users={USERS}, seconds={SECONDS})
print(json.dumps(dataclasses.asdict(found)))
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What benchmarks/generators/truth.py has of it, in a process of its own."""
    folder = tmp_path_factory.mktemp("oracle")
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, str(folder)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: Json = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("share", LATE)
def test_percentiles_are_the_servers_and_k6s(compared: Json, share: str) -> None:
    ours, its = compared["ours"][share], compared["k6"][share]
    allowed = max(ERROR, SHARE * compared["truth"][share]) + LATE[share] * compared["lag"]
    assert -0.1 <= ours <= allowed, "nothing is faster than the server itself"
    assert abs(ours - its) <= allowed


def test_delays_are_those_that_were_meant(compared: Json) -> None:
    """Else the rest would prove nothing. The server's own timers are late, too, on a busy machine."""
    assert compared["truth"]["0.5"] == pytest.approx(100, abs=15 + LATE["0.5"] * compared["lag"])
    assert compared["truth"]["0.95"] == pytest.approx(300, abs=60 + LATE["0.95"] * compared["lag"])
