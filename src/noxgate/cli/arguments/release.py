"""What `noxgate release` may be asked. Apart from the command, which takes a moment to import."""

from __future__ import annotations

import argparse

from noxgate.cli.arguments.later import later

TYPE_CHECKING = False  # see noxgate.cli.main
if TYPE_CHECKING:
    from typing import Any


def add(commands: Any, root: Any) -> None:
    """Add the command; `root` finds the project's folder when it is called."""
    one = commands.add_parser(
        "release",
        help="drafts of what changes for the next release, and what is left to a person",
        description="Write drafts/VERSION: the project's files that name the release, with the next one in\n"
        "them (runbook.toml, the schema, the release record, the profiles). No file that is there is\n"
        "written over. What a person has to decide is said.\n\n"
        "exit status: 0 written, 4 usage",
        epilog="example: noxgate release 8.0.1 --date 2026-01-31",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("version", metavar="VERSION", help="such as 8.0.1")
    one.add_argument("--date", metavar="DAY", help="of the release, such as 2026-01-31 (default: today)")
    one.set_defaults(command=later("noxgate.next_release.command", "release"), root=root)
