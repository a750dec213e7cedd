"""The load engine beside k6: the same users, the same target, one core for each, in turns in one run.

Figures are ratios, or errors against the target's own clock: those of another machine, or of another moment
of a busy one, are of no use. Takes some twelve minutes, all on loopback.

    python -m benchmarks.load [ROUNDS]
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from benchmarks.generators import beside_wrk, mix, never, recorder, truth
from benchmarks.generators.figures import Row, ratio
from benchmarks.generators.processes import (
    GENERATOR,
    PATIENCE,
    TARGET,
    Fast,
    Used,
    fast_target,
    finished,
    k6,
    known_target,
    ours,
    running,
    watched,
)

from nox_rehearsal.world.ports import free_ports
from noxgate.look.waiting import eventually

USERS = (50, 1500)
WHO = ["ours", "k6", "checking k6"]
WINDOW = 3.0  # seconds in which work is measured
SETTLE = 2.0  # seconds until handshakes are over, also those of k6, which opens all connections at once
MOST = 260.0  # seconds, and no further round of that is begun
WORK = {"http": 4.5, "https": 4.0}  # goals, as are those that follow
WITH_CHECKS, MIX_CPU, MIX_MEMORY = 2.5, 0.45, 0.3
MANY_MEMORY = 0.25


def main(rounds: int) -> int:
    """Print each figure as soon as it is there; 1 where a goal is missed."""
    missed = 0
    print(_others(), flush=True)
    print(Row("figure", "goal", "measured"), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx' worker is another user
        for row in _rows(folder, rounds):
            print(row, flush=True)
            missed += row.met is False
    print(_others(), flush=True)
    return 1 if missed else 0


def _others() -> str:
    busy = psutil.cpu_percent(interval=2, percpu=True)
    mine, its = busy[GENERATOR], busy[TARGET]
    return f"Other work takes {mine:.0f} % of the generator's core and {its:.0f} % of the target's."


def _rows(folder: Path, rounds: int) -> Iterator[Row]:
    yield recorder.cost()
    yield recorder.verdicts()
    with fast_target(folder) as fast:
        yield from _work(fast, folder, rounds)
        yield from beside_wrk.beside(fast, folder)
        yield truth.at_a_high_rate(fast, folder)
        yield _merged(fast, folder)
    with known_target() as url:
        yield from truth.against_its_clock(url, folder)
        yield truth.stalling(url, folder)
    yield from _mixed(folder)


def _work(fast: Fast, folder: Path, rounds: int) -> Iterator[Row]:
    """Requests for each second of CPU, beside k6 with checks of its own and without."""
    used: dict[tuple[str, int, str], list[Used]] = {}
    end = time.monotonic() + MOST
    for number in range(rounds):
        if time.monotonic() > end:
            break
        who = WHO[number % 3 :] + WHO[: number % 3]  # nobody is always the first
        for scheme in WORK:
            for users in USERS:
                for name in who:
                    used.setdefault((scheme, users, name), []).append(_one(fast, scheme, users, folder, name))
    for scheme, goal in WORK.items():
        for users in USERS:
            mine, bare, full = (used[scheme, users, name] for name in WHO)
            plain = [one.each_second / other.each_second for one, other in zip(mine, bare, strict=True)]
            checked = [one.each_second / other.each_second for one, other in zip(mine, full, strict=True)]
            memory = statistics.median(
                one.memory / other.memory for one, other in zip(mine, bare, strict=True)
            )
            work = statistics.median(one.each_second for one in mine)
            more = f" ({work:,.0f}/s; memory {memory:.2f}x)"
            what = f"requests/CPU s, {scheme}, {users} users, k6"
            yield ratio(f"{what} without checks", plain, more, least=goal)
            yield ratio(f"{what} with checks", checked, least=WITH_CHECKS)


def _one(fast: Fast, scheme: str, users: int, folder: Path, who: str) -> Used:
    url, result = f"{fast.plain if scheme == 'http' else fast.tls}/healthy", folder / "work.json"
    if who == "ours":
        command, variables = ours(url, users, 120, result, CA_FILE=fast.ca_file)
    else:
        check = "yes" if who == "checking k6" else "no"
        command, variables = k6(url, users, 120, result, CHECK=check, SSL_CERT_FILE=fast.ca_file)

    def all_there() -> None:
        there = fast.count()[1]
        assert there >= users, f"expected {users} users of {who} on {scheme}, saw {there}"

    with running(GENERATOR, command, variables) as process:
        eventually(all_there, within=PATIENCE, every=0.2)
        threading.Event().wait(SETTLE)
        used = watched(psutil.Process(process.pid), lambda: fast.count()[0], WINDOW)
        process.kill()
    return used


def _mixed(folder: Path) -> Iterator[Row]:
    """1,500 users on a rehearsal: CPU for each request, and memory."""
    with mix.rehearsal() as (here, target, runbook):
        mine, result = mix.ours(target, runbook)
        its = mix.its(target, folder / "mix.json")
        many, of_many = mix.ours(target, runbook, mix.MANY, mix.MANY_RISE, mix.MANY_THINK)
        its_many = mix.its(target, folder / "many.json", mix.MANY, mix.MANY_RISE, mix.MANY_THINK)
        never_passed = list(never.passed(here))
    rates = f" ({mine.requests / mix.SECONDS:,.0f} and {its.requests / mix.SECONDS:,.0f} requests/s)"
    what = f"{mix.USERS} users, https, journeys, k6 with checks"
    yield ratio(f"{what}: CPU", [its.each_second / mine.each_second], rates, most=MIX_CPU)
    yield ratio(f"{what}: memory", [mine.memory / its.memory], most=MIX_MEMORY)
    much = f" ({many.memory / 1e6:,.0f} and {its_many.memory / 1e6:,.0f} MB)"
    what = f"{mix.MANY} users, https, journeys, k6 with checks"
    yield ratio(f"{what}: memory", [many.memory / its_many.memory], much, most=MANY_MEMORY)
    most_users = max(of_many.users.values(), default=0)
    yield Row("  users of ours that were there", str(mix.MANY), str(most_users), most_users == mix.MANY)
    said = [*result.problems, result.stopped, *(reason for held in result.holds for reason in held.spoiled)]
    yield Row("  what that run says against itself", "nothing", "; ".join(filter(None, said)) or "nothing")
    yield from never_passed


def _merged(fast: Fast, folder: Path) -> Row:
    """Two workers: what was sent is what was recorded and merged."""
    result = folder / "merged.json"
    master = str(free_ports(1)[0])
    ports = ["--master-bind-port", master, "--master-port", master, "--processes", "2"]
    before = fast.count()[0]
    command, variables = ours(f"{fast.plain}/healthy", 100, 5, result, *ports, THINK=0.01)
    found = finished(command, variables, result, 5)
    asked = fast.count()[0] - before - 1
    exact = not found["problems"] and found["sent"] == found["requests"] == asked > 0
    measured = f"{found['sent']:,} sent, {found['requests']:,} merged, {asked:,} seen by nginx"
    return Row("sent = recorded = merged, two workers", "exact", measured, exact)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
