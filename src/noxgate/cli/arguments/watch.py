"""What `noxgate watch` may be asked. Apart from the command, which takes a second to import."""

from __future__ import annotations

import argparse

from noxgate.cli.arguments.later import later

TYPE_CHECKING = False  # see noxgate.cli.main
if TYPE_CHECKING:
    from typing import Any


def add(commands: Any, root: Any) -> None:
    """Add the command; `root` finds the project's folder when it is called."""
    one = commands.add_parser(
        "watch",
        help="the 48 hours after the traffic switch: open the window, and make each checkpoint",
        description="Without an open window: open it, with the time of the traffic switch, by the Ingress,\n"
        "and the due times of the four checkpoints. With one: make the checkpoint that is due, which runs\n"
        "`pytest -m window --checkpoint NAME` and signs a record of what came of it, and show what is to\n"
        "come. Nothing is due: nothing is done, so it may run every few minutes, from cron or a CronJob\n"
        "(docs/WINDOW.md). A checkpoint is never made early, marked when late, and not made up for once\n"
        "the next one is due.\n\n"
        "exit status: 0 nothing is wrong, 1 NO-GO or a checkpoint was missed, 2 INCONCLUSIVE, 4 usage",
        epilog='example: noxgate watch --by "Ada Lindqvist"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument(
        "--target",
        metavar="NAME",
        help="default: as for gate, if it serves the window; else the one that does",
    )
    one.add_argument("--by", metavar="NAME", help="who watches: opens the window, or one of a later switch")
    one.add_argument(
        "--switched-at", metavar="TIME", help="when traffic was switched, where the Ingress cannot say it"
    )
    one.add_argument("--why", metavar="TEXT", default="", help="why a checkpoint is late")
    one.add_argument("--clock", metavar="TIME", help="a rehearsal's time of day; no real target takes one")
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.set_defaults(command=later("noxgate.cli.watch", "watch"), root=root)
