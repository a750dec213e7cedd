"""Whether the generator kept up: how late its own timers ran, its CPU, its users, what it had to drop."""

from dataclasses import dataclass, field
from math import inf

import gevent  # type: ignore[import-untyped]
import psutil

from noxgate.slo.ramps import Ramp
from noxgate.slo.result import Held
from noxgate_load.samples import Totals, clock, wall

EVERY = 0.01  # seconds between two looks at how late a timer is
ON_TIME = 0.99  # of the timers must be less late than the ramp's lag_ms
LONGEST_HELD_UP = 1.0  # seconds that a connection may wait for its process: its user sends nothing meanwhile
EDGE = 1  # second at each end of a hold in which a report of a worker may be missing

APART = 1.0  # seconds that a clock may turn out to be from where it was taken to be


@dataclass
class Second:
    """One process in one second: timers, those that were late, CPU in percent of a core, dropped arrivals.

    `held_up`: the longest that a connection waited for this process, in seconds.
    """

    timers: int = 0
    late: int = 0
    cpu: float = 0.0
    dropped: int = 0
    held_up: float = 0.0


@dataclass
class Health:
    """This process's seconds, and on a master those of its workers."""

    lag: float  # seconds
    seconds: dict[int, Second] = field(default_factory=dict)
    workers: dict[str, dict[int, Second]] = field(default_factory=dict)
    users: dict[int, int] = field(default_factory=dict)

    def watch(self, totals: Totals) -> None:
        """Look at this process until it ends."""
        self._timers()
        gevent.spawn(self._each_second, totals)

    def dropped(self) -> None:
        """Count an arrival for which no user was free."""
        self._now().dropped += 1

    def drain(self) -> list[list[float]]:
        """What was seen since the last time, for a master."""
        seen, self.seconds = self.seconds, {}
        return [
            [second, one.timers, one.late, one.cpu, one.dropped, one.held_up] for second, one in seen.items()
        ]

    def take(self, process: str, drained: list[list[float]], shift: int = 0) -> None:
        """Take what a worker saw, its seconds moved."""
        mine = self.workers.setdefault(process, {})
        for second, timers, late, cpu, dropped, held_up in drained:
            one = mine.setdefault(int(second) + shift, Second())
            one.timers += int(timers)
            one.late += int(late)
            one.cpu = max(one.cpu, cpu)
            one.dropped += int(dropped)
            one.held_up = max(one.held_up, held_up)

    def spoiled(self, ramp: Ramp, held: Held, processes: int) -> list[str]:
        """Why the numbers of a hold are the generator's own; empty if they are the target's."""
        inside = range(held.start, held.end)
        found = []
        if len(self.workers) < processes:
            found.append(f"only {len(self.workers)} of {processes} processes of the generator ever reported")
        for process, seconds in sorted(self.workers.items()):
            there = [seconds[second] for second in inside if second in seconds]
            if len(there) < len(inside) - 2 * EDGE:
                found.append(f"{process} reported {len(there)} of {len(inside)} s")
            timers, late = sum(one.timers for one in there), sum(one.late for one in there)
            if late > timers * (1 - ON_TIME):
                share = 100 * late / timers
                found.append(
                    f"the generator was late: {share:.1f} % of {process}'s timers by over {ramp.lag_ms:g} ms"
                )
            cpu = sum(one.cpu for one in there) / max(1, len(there))
            if cpu > ramp.cpu_percent:
                found.append(f"the generator was busy: {process} used {cpu:.0f} % of a core")
            dropped = sum(one.dropped for one in there)
            if dropped:
                found.append(f"{dropped} arrivals were dropped by {process}: {held.users} under way at once")
            held_up = max((one.held_up for one in there), default=0.0)
            if held_up > LONGEST_HELD_UP:
                found.append(f"the generator was busy: a connection waited {held_up:.1f} s for {process}")
        there_users = [self.users[second] for second in inside if second in self.users]
        if min(there_users, default=0) < held.users:
            found.append(f"expected {held.users} users all the time, saw {min(there_users, default=0)}")
        return found

    def _now(self) -> Second:
        second = int(wall(clock()))
        try:
            return self.seconds[second]
        except KeyError:
            return self.seconds.setdefault(second, Second())

    def _timers(self) -> None:
        """Set one again and again; the loop calls back, as to wake a greenlet costs twice as much."""
        timer = gevent.get_hub().loop.timer(0, EVERY)
        began = clock()

        def go_off() -> None:
            nonlocal began
            late = clock() - began - EVERY
            now = self._now()
            # One that is very late stands for all that it kept from being set.
            missed = max(1, round(late / EVERY))
            now.timers += missed
            if late > self.lag:
                now.late += missed
            began = clock()
            timer.again(go_off)

        timer.again(go_off)

    def _each_second(self, totals: Totals) -> None:
        process = psutil.Process()
        process.cpu_percent()
        while True:
            gevent.sleep(1)
            now = self._now()
            now.cpu = process.cpu_percent()
            now.held_up, totals.held_up = max(now.held_up, totals.held_up), 0.0


# A report says when it was sent. It comes later than that, so the least that it was ever late is the
# difference of the clocks and the shortest way. What a worker recorded is moved by the whole seconds of that,
# from before its first request on; what is less stays.


@dataclass
class Apart:
    """By how much this machine's clock is ahead of a worker's, in seconds."""

    least: float = inf
    taken: int = 0  # what its seconds are moved by


@dataclass
class Clocks:
    """Those of all workers."""

    _workers: dict[str, Apart] = field(default_factory=dict)

    def take(self, worker: str, sent_at: float, now: float, *, has_begun: bool) -> None:
        """Take what a report says; once a worker has sent requests, they stay where they are."""
        known = worker in self._workers
        one = self._workers.setdefault(worker, Apart())
        one.least = min(one.least, now - sent_at)
        if not (known and has_begun):
            one.taken = round(one.least)

    def shift(self, worker: str) -> int:
        """The seconds by which what a worker recorded is to be moved."""
        return self._workers[worker].taken

    def problems(self) -> list[str]:
        """Workers whose requests were counted in seconds that were not theirs."""
        return [
            f"worker {name}: its first reports came {one.taken - one.least:.1f} s later than others, "
            "so its clock is not known: run the test again"
            for name, one in self._workers.items()
            if one.taken - one.least > APART
        ]
