"""Workers of a load test that send nothing: each tells a real master what it would have measured.

The argument is JSON: `port`, `each_second` (requests of each), `limits` and `workers`. A worker may differ:
`ahead` (seconds of its clock), `joins` (seconds after the others), `late` (share of its timers that were),
`lost` and `back` (seconds after its first user), `delay` (seconds that each of its reports takes then).
Prints, when the master has told all of them to quit, how many messages it sent, their bytes, and by how many
seconds at most a report or heartbeat of its own was late: where that is much, it is the workers that ended.
"""

import json
import random
import sys
from typing import Any

import gevent  # type: ignore[import-untyped]
import numpy as np
import zmq.green as zmq
from locust import __version__  # noqa: TID251 (the other end of Locust's own protocol)
from locust.rpc import Message  # noqa: TID251
from locust.stats import StatsEntry  # noqa: TID251

from noxgate_load.machine import this_machine
from noxgate_load.samples import clock, wall

REPORT, HEARTBEAT, TIMERS = 3.0, 1.0, 100
MEDIAN, SPREAD = 0.02, 0.5  # seconds, lognormal
CLASSES = ("health", "auth", "science", "data", "websocket")

MACHINE = list(this_machine())
PREPARED = 16  # seconds of a class, of which all workers take turns: to draw them is not the master's work
MOST_SOCKETS = 20_000

MESSAGE: Any = Message  # untyped, as is what follows
ENTRY: Any = StatsEntry


class Cells:
    """What was measured of a class in a second, as many requests as a worker has."""

    def __init__(self, plan: dict[str, Any]) -> None:
        draw = np.random.default_rng(1)
        size = plan["each_second"] // len(CLASSES)
        self._cells: dict[str, list[list[Any]]] = {}
        for group in CLASSES:
            drawn = [draw.lognormal(np.log(MEDIAN), SPREAD, size).astype(np.float32) for _ in range(PREPARED)]
            self._cells[group] = [
                [size, 0, [int((times > limit).sum()) for limit in plan["limits"][group]],
                 [[200, "", size]], times.tobytes()]
                for times in drawn
            ]  # fmt: skip

    def of(self, group: str, second: int, number: int) -> list[Any]:
        return [group, second, *self._cells[group][(second + number) % PREPARED]]


class Worker:
    """One worker, and what it is like."""

    def __init__(
        self, number: int, plan: dict[str, Any], options: dict[str, float], context: Any, cells: Cells
    ) -> None:
        self._number = number
        self._cells = cells
        self._socket = context.socket(zmq.DEALER)
        self.latest = 0.0
        self._name = f"simulated_{number:08d}"
        self._plan = plan
        self._ahead = options.get("ahead", 0.0)
        self._joins = options.get("joins", 0.0)
        self._late = options.get("late", 0.0)
        self._lost, self._back = options.get("lost", 0.0), options.get("back", 0.0)
        self._delay = options.get("delay", 0.0)
        self._users: dict[str, int] = {}
        self._since = 0.0  # when the first user was there
        self._told = self._now()
        self._sent = 0
        self.messages = self.bytes = 0
        self.over = False

    def run(self) -> None:
        gevent.sleep(self._joins)
        self._told = self._now()
        self._socket.setsockopt(zmq.IDENTITY, self._name.encode())
        self._socket.connect(f"tcp://127.0.0.1:{self._plan['port']}")
        self._send("client_ready", __version__)
        helpers = [gevent.spawn(self._each, HEARTBEAT, self._heartbeat)]
        helpers.append(gevent.spawn(self._each, REPORT, self._report))
        while not self.over:
            self._take(MESSAGE.unserialize(self._socket.recv()))
        gevent.killall(helpers)
        self._report(final=True)
        gevent.sleep(self._delay)
        self._send("quit", None)
        gevent.sleep(1)  # for ZeroMQ to send it
        self._socket.close()

    def _now(self) -> float:
        return wall(clock()) + self._ahead

    def _take(self, message: Any) -> None:
        if message.type == "spawn":
            if not self._since:
                self._report()  # of the time in which it had nobody
                self._since = clock()
            self._users = dict(message.data["user_classes_count"])
            self._send("spawning", None)
            self._send("spawning_complete", self._counted())
        elif message.type in {"quit", "stop"}:
            self.over = True

    def _counted(self) -> dict[str, Any]:
        return {"user_classes_count": self._users, "user_count": sum(self._users.values())}

    def _each(self, seconds: float, work: Any) -> None:
        while True:
            if not self._away():
                work()
            due = clock() + seconds
            gevent.sleep(seconds)
            self.latest = max(self.latest, clock() - due)

    def _away(self) -> bool:
        """Whether the master hears nothing of it now."""
        since = clock() - self._since if self._since else 0.0
        return 0 < self._lost < since and not (0 < self._back < since)

    def _heartbeat(self) -> None:
        state = "running" if sum(self._users.values()) else "ready"
        self._send("heartbeat", {"state": state, "current_cpu_usage": 40, "current_memory_usage": 0})

    def _report(self, *, final: bool = False) -> None:
        now = self._now()
        seconds = range(int(self._told), int(now))
        self._told = float(int(now))
        cells, visits = [], []
        for second in seconds if self._since else ():
            cells += [self._cells.of(group, second, self._number) for group in CLASSES]
            done = self._plan["each_second"] // len(CLASSES) * len(CLASSES)
            visits.append([second, done, done])
            self._sent += done
        health = [[second, TIMERS, int(TIMERS * self._late), 40.0, 0, 0.0] for second in seconds]
        drained = {"limits": self._plan["limits"], "retried": 0, "problems": [], "cells": cells}
        data = {
            "noxgate": [drained, self._sent, self._sent, final, now],
            "noxgate-states": {},
            "noxgate-machine": MACHINE,
            "noxgate-state": [health, visits, 0, 0, {}],
            "stats": [],
            "stats_total": ENTRY(None, "Aggregated", None).get_stripped_report(),
            "errors": {},
            **self._counted(),
        }
        if self._delay and self._since:
            gevent.spawn_later(self._delay, self._send, "stats", data)
        else:
            self._send("stats", data)

    def _send(self, kind: str, data: Any) -> None:
        content = MESSAGE(kind, data, self._name).serialize()
        self.messages += 1
        self.bytes += len(content)
        self._socket.send(content, zmq.NOBLOCK)


def main(plan: dict[str, Any]) -> None:
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, MOST_SOCKETS)
    cells = Cells(plan)
    workers = [
        Worker(number, plan, options, context, cells) for number, options in enumerate(plan["workers"])
    ]
    random.seed(1)
    running = []
    for worker in workers:
        running.append(gevent.spawn(worker.run))
        gevent.sleep(random.uniform(0, REPORT / len(workers)))  # noqa: S311 (else all would report at once)
    gevent.joinall(running)
    said: dict[str, float] = {
        "messages": sum(w.messages for w in workers),
        "bytes": sum(w.bytes for w in workers),
    }
    print(json.dumps(said | {"late": max(worker.latest for worker in workers)}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
