"""How a running load test is shown: a table that stays in place on a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from noxgate.slo.holds import Bad
from noxgate.slo.plan import CLASSES
from noxgate.slo.ramps import Ramp
from noxgate.slo.run import Tell
from noxgate.slo.slos import Slo

EVERY = 5.0  # seconds between two plain lines
P95 = 0.05


@contextmanager
def shown(ramp: Ramp, slos: Sequence[Slo]) -> Iterator[Tell]:
    """What is to be told the progress of a load test."""
    limits = {name: _limit(slos, name) for name in CLASSES}
    if not sys.stdout.isatty():
        yield _plain(ramp)
        return
    with Live(Text("starting"), console=Console(), refresh_per_second=4, transient=True) as live:
        yield lambda line: live.update(_table(ramp, limits, line))


def _plain(ramp: Ramp) -> Tell:
    last = time.monotonic()

    def tell(line: Mapping[str, Any]) -> None:
        nonlocal last
        if time.monotonic() - last < EVERY:
            return
        last = time.monotonic()
        times = [(seconds, name) for name, seconds in line["p95"].items() if seconds is not None]
        slowest, name = max(times, default=(0, "no answer"))
        print(
            f"{_where(ramp, line)}  {line['users']} users  {line['rate']:.0f} requests/s  "
            f"slowest p95 {slowest * 1000:.0f} ms ({name})  {line['failed']:.1%} failed",
            flush=True,
        )

    return tell


def _table(ramp: Ramp, limits: Mapping[str, float], line: Mapping[str, Any]) -> Table:
    failed = Text(f"{line['failed']:.1%}", style="red" if line["failed"] else "green")
    head = f"{_where(ramp, line)}   {line['users']} users   {line['rate']:.0f} requests/s   failed "
    table = Table(title=Text(head).append_text(failed), title_justify="left")
    table.add_column("class")
    table.add_column("p95 now", justify="right")
    table.add_column("limit", justify="right")
    for name, seconds in line["p95"].items():
        limit = limits[name]
        style = "dim" if seconds is None else "green" if seconds < limit else "red"
        now = "-" if seconds is None else f"{seconds * 1000:.0f} ms"
        table.add_row(name, Text(now, style=style), f"{limit * 1000:.0f} ms")
    return table


def _where(ramp: Ramp, line: Mapping[str, Any]) -> str:
    what = "hold" if line["holding"] else "fall" if not line["wanted"] else "rise"
    level = f"level {line['level']} of {len(ramp.levels)}, {what}"
    return f"[{line['elapsed']:4.0f} of about {ramp.seconds:.0f} s] {level}"


def _limit(slos: Sequence[Slo], name: str) -> float:
    return min(slo.seconds for slo in slos if slo.bad is Bad.SLOW and slo.share == P95 and slo.covers(name))
