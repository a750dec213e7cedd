"""What `noxgate load` may be asked. Apart from the command, which takes a second to import."""

from __future__ import annotations

import argparse

from noxgate.cli.arguments.later import later

TYPE_CHECKING = False  # see noxgate.cli.main
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

EXPLAINED = """\
Run a ramp of the load test against a target, judge its SLOs, and keep the result, which
`pytest -m "staging and slo"` judges again. The target's profile must allow it: load = true.

exit status: 0 every SLO is kept, 1 one is not, 2 undecided (too near its limit) or unreachable
(too few samples, stopped, generator too busy), 4 usage"""


def add(commands: Any, root: Callable[[], Path]) -> None:
    """Add the command to the parser."""
    one = commands.add_parser(
        "load",
        help="the load test: a ramp of users, then the SLOs",
        description=EXPLAINED,
        epilog="example: noxgate load --target staging --ramp full",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--target", metavar="NAME", help="profile in targets/ (default: as for noxgate gate)")
    one.add_argument("--ramp", default="quick", metavar="NAME", help="smoke, quick (default), full or rate")
    one.add_argument(
        "--duration",
        metavar="TIME",
        help="of the longest hold, such as 5m (default: $LOAD_TEST_DURATION; full has times of its own)",
    )
    one.add_argument(
        "--users",
        default="ramp",
        metavar="N",
        help="on a ramp of one hold; others than its own are not evidence (default: ramp, its own)",
    )
    one.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="processes of this machine that send (default 1)",
    )
    one.add_argument(
        "--master", metavar="HOST:PORT", help="wait here for --processes workers on other machines"
    )
    one.add_argument("--worker", metavar="HOST:PORT", help="be a worker of the master there")
    one.add_argument("--ui", action="store_true", help="Locust's own web page instead; nothing is kept")
    one.set_defaults(command=later("noxgate.cli.load", "load"), root=root)
