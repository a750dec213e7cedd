"""What `noxgate rehearse` may be asked: an entry point of the group noxgate.commands."""

import argparse
from collections.abc import Callable
from pathlib import Path


def add(parser: argparse.ArgumentParser, root: Callable[[], Path]) -> None:
    """Add the options; `root` finds the project."""
    parser.description = (
        "Rehearse the release on this machine. Real PostgreSQL, Redis and nginx and a reference\n"
        "NOX API run on loopback; nothing leaves the machine and nothing stays behind.\n\n"
        "  run        start everything, run the checks, stop everything (default)\n"
        "  up         start everything and leave it up, to run what you like against it\n"
        "  status     what is up, and where\n"
        "  down       stop it\n"
        "  sabotages  the faults that can be rehearsed, and where they are defined"
    )
    parser.epilog = "example: noxgate rehearse run --sabotage staging.version"
    steps = ["run", "up", "down", "status", "sabotages"]
    parser.add_argument("step", nargs="?", default="run", choices=steps)
    parser.add_argument("what", nargs="?", metavar="ID", help="of sabotages: a phase, a line or one of them")
    parser.add_argument(
        "--sabotage",
        metavar="ID",
        help="break one thing first: a runbook line such as staging.version (its faults one after another), "
        "or one fault such as staging.version:rc1",
    )
    parser.set_defaults(command=_rehearse, root=root)


def _rehearse(given: argparse.Namespace) -> int:
    from nox_rehearsal.day import command  # noqa: PLC0415 (half a second, which --help need not wait)

    root = given.root()
    steps: dict[str, Callable[[], int]] = {
        "run": lambda: command.run(root, given.sabotage),
        "up": lambda: command.up(root),
        "down": lambda: command.down(root),
        "status": lambda: command.status(root),
        "sabotages": lambda: command.listing(root, given.what),
    }
    return steps[given.step]()
