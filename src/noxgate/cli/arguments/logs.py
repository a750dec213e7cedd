"""What `noxgate logs` may be asked. Apart from the command, which takes a moment to import."""

from __future__ import annotations

import argparse

from noxgate.cli.arguments.later import later

TYPE_CHECKING = False  # see noxgate.cli.main
if TYPE_CHECKING:
    from typing import Any


def add(commands: Any, root: Any) -> None:
    """Add the command; `root` finds the project's folder when it is called."""
    one = commands.add_parser(
        "logs",
        help="try the rules of logs: which events of a log are read as errors",
        description="Read a pod's log, from files or standard input, and say how the check reads it:\n"
        "the level of each event, how many there are, and what the check would say. What kubectl's\n"
        "--prefix and --timestamps write before a line is not read. Secrets and people are left out.\n"
        "The rules stand in docs/LOGS.md.\n\n"
        "exit status: 0 no error, 1 an error that is not allowed, 2 no line at all, 4 usage",
        epilog="example: kubectl logs POD -n NAMESPACE | noxgate logs --target production",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("files", nargs="*", metavar="FILE", help="logs (default, and -: standard input)")
    one.add_argument("--target", metavar="NAME", help="whose log_allow_list counts")
    one.add_argument("--known", metavar="FILE", help="an allow list, in place of the target's")
    one.add_argument("--all", action="store_true", help="show every event, not the errors alone")
    one.set_defaults(command=later("noxgate.systems.kubernetes.logs.trying", "logs"), root=root)
