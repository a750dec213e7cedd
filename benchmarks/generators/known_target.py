"""A server with known delays that measures itself: what a load test says of it can be held against its clock.

python benchmarks/generators/known_target.py [PORT]        prints its port
/healthy    at once
/delayed    after 20 ms to some 400 ms, lognormal: p95 near 300 ms
/stalling   at once, but for 2 s in every 10 not at all: who comes then is answered after them
/truth      its own percentiles of what it answered since it was last asked, in seconds, and how many
"""

import asyncio
import json
import math
import random
import sys
import time
from typing import Any

import uvloop

SHARES = (0.5, 0.95, 0.99)
MEDIAN, SPREAD = 0.1, 0.667  # p95 = 0.1 s * exp(1.645 * 0.667) = 0.3 s
SHORTEST, LONGEST = 0.02, 1.0
STALL, PERIOD = 2.0, 10.0
HEALTHY = b'{"status":"healthy","version":"8.0.0","database":true,"redis":true}'

clock = time.perf_counter
times: list[float] = []
generator = random.Random(8)  # noqa: S311 (delays, the same in each run)
began = clock()


class Connection(asyncio.Protocol):
    """Requests without a body, one after another."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        now = clock()
        self._data += data
        while b"\r\n\r\n" in self._data:
            head, _, self._data = self._data.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            if path == "/truth":
                self._answer(json.dumps(truth()).encode())
            elif wait := delay(path, now):
                asyncio.get_running_loop().call_later(wait, self._measured, now)
            else:
                self._measured(now)

    def _measured(self, since: float) -> None:
        times.append(clock() - since)
        self._answer(HEALTHY)

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head.encode() + body)


def delay(path: str, now: float) -> float:
    if path == "/delayed":
        return min(LONGEST, max(SHORTEST, generator.lognormvariate(math.log(MEDIAN), SPREAD)))
    if path == "/stalling":
        return max(0.0, STALL - (now - began) % PERIOD)
    return 0.0


def truth() -> dict[str, Any]:
    """By nearest rank, as we have it, and between the two nearest, as k6 has."""
    ranked = sorted(times)
    times.clear()
    last = len(ranked) - 1
    nearest = {str(share): ranked[max(0, math.ceil(share * len(ranked)) - 1)] for share in SHARES if ranked}
    between = {}
    for share in SHARES if ranked else ():
        place, rest = divmod(share * last, 1)
        low, high = ranked[int(place)], ranked[min(last, int(place) + 1)]
        between[str(share)] = low + (high - low) * rest
    return {"times": nearest, "between": between, "requests": len(ranked)}


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
