"""Commands that are imported when they are called: `noxgate --help` does not wait for them."""

from __future__ import annotations

import importlib

from noxgate.errors import CommandError

TYPE_CHECKING = False  # see noxgate.cli.main
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Command = Callable[[argparse.Namespace], int]


def later(module: str, function: str) -> Command:
    """A function that imports a command, runs it, and turns the errors that its module lists into ours."""

    def run(given: argparse.Namespace) -> int:
        loaded = importlib.import_module(module)
        try:
            status: int = getattr(loaded, function)(given)
        except loaded.ERRORS as error:
            raise CommandError(str(error)) from None
        return status

    return run
