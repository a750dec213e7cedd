"""Commands that are imported when they are called: `noxgate --help` waits for none of them."""

import argparse
import importlib
from collections.abc import Callable

Command = Callable[[argparse.Namespace], int]


class CommandError(Exception):
    """A command was used wrongly: one line saying what was expected, what was seen, what to do."""


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
