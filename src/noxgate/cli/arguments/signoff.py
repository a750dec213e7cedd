"""What `noxgate signoff` may be asked. Apart from the command, which takes a moment to import."""

from __future__ import annotations

import argparse

from noxgate.cli.arguments.later import later

TYPE_CHECKING = False  # see noxgate.cli.main
if TYPE_CHECKING:
    from typing import Any


def add(commands: Any, root: Any) -> None:
    """Add the command; `root` finds the project's folder when it is called."""
    one = commands.add_parser(
        "signoff",
        help="the release's sign-off page, from the newest run of each phase",
        description="Write reports/RELEASE/sign-off.html and SIGN-OFF.md: the runbook filled in from the\n"
        "newest run of each phase, each verified; nothing in it is ticked by hand.\n\n"
        "exit status: 0 GO (WITH WAIVERS), 1 NO-GO or rolled back, 2 INCONCLUSIVE, 4 usage",
        epilog="example: noxgate signoff --release 8.0.0",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--release", metavar="VERSION", help="default: that of runbook.toml")
    one.add_argument(
        "--target",
        metavar="NAME",
        help="this one and its peer; rehearsal for a rehearsal's page (default: every real target)",
    )
    one.add_argument("--at", metavar="TIME", help="judge as if it were this time (default: now)")
    one.add_argument(
        "--head",
        metavar="DIGEST",
        help="the SHA-256 of the last record that is known: the runs must go on from it",
    )
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.set_defaults(command=later("noxgate.cli.signoff", "signoff"), root=root)
