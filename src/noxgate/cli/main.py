"""The command `noxgate`. What `--help` can do without is imported where it is needed."""

from __future__ import annotations

import argparse
import os
import sys

from noxgate.cli.arguments import evidence, logs, release, signoff, watch
from noxgate.cli.arguments import load as loadtest
from noxgate.cli.arguments.later import later
from noxgate.errors import Exit, OneLineError

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any, NoReturn

# Other packages' commands, entry points of the group noxgate.commands; a look at those would double --help.
OTHERS = {"rehearse": "the release day on this machine, against an API that runs here"}

DESCRIPTION = """\
The NOX release gate: the release-day runbook as checks, and one verdict.

exit status: 0 GO (WITH WAIVERS), 1 NO-GO, 2 INCONCLUSIVE (something was not looked at), 4 usage"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    other = bool(words) and words[0] in OTHERS
    given = None if other else _parser().parse_args(words)
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _stop)
    try:
        given = given or _other(words)
        status: int = given.command(given)
        sys.stdout.flush()
    except OneLineError as error:
        print(f"noxgate: {error}", file=sys.stderr)
        return Exit.USAGE
    except ModuleNotFoundError as error:
        if not other:
            raise
        line = f"{words[0]} needs more packages than `make install` brings ({error}): make setup"
        print(f"noxgate: {line}", file=sys.stderr)
        return Exit.USAGE
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        print("noxgate: interrupted", file=sys.stderr)
        return Exit.INCONCLUSIVE
    return status


class ProjectError(OneLineError):
    """The command was called outside the project."""


def _other(words: Sequence[str]) -> argparse.Namespace:
    """What a command of another package is asked: its entry point adds its options to a parser."""
    from importlib.metadata import entry_points  # noqa: PLC0415 (as slow as all of the rest)

    name, *rest = words
    parser = _Parser(f"noxgate {name}", formatter_class=argparse.RawDescriptionHelpFormatter)
    (point,) = entry_points(group="noxgate.commands", name=name)
    point.load()(parser, _root)
    return parser.parse_args(rest)


def _root() -> Path:
    """The project's folder: the nearest one above that has a runbook.toml."""
    from pathlib import Path  # noqa: PLC0415

    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "runbook.toml").is_file():
            return folder
    raise ProjectError(f"no runbook.toml in {here} or above it: call noxgate inside the project")


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """Wrong usage is 4: argparse's own 2 would be INCONCLUSIVE."""

    _words: Sequence[str] = ()  # what it was asked

    def parse_known_args(self, *given: Any, **named: Any) -> Any:
        """A command tells of an option that it lacks itself: the one around it knows no others to mean."""
        self._words = given[0] if given and given[0] is not None else ()
        found, others = super().parse_known_args(*given, **named)
        if others and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(others)}{self._meant(others)}")
        return found, others

    def _meant(self, others: Sequence[str]) -> str:
        import difflib  # noqa: PLC0415

        for option in (each.partition("=")[0] for each in others if each.startswith("-")):
            if close := difflib.get_close_matches(option, self._option_string_actions, n=1):
                return f"; did you mean {close[0]!r}?"
        return ""

    def error(self, message: str) -> NoReturn:
        if message.endswith(": COMMAND") and (meant := self._meant(self._words)):
            message = f"unrecognized arguments: {' '.join(self._words)}{meant}"
        elif message.endswith(": COMMAND"):  # the list of them is what is missing
            self.print_help(sys.stderr)
            self.exit(Exit.USAGE, f"\n{self.prog}: expected a command\n")
        wrong, _, among = message.partition(" (choose from ")
        if among:
            import difflib  # noqa: PLC0415

            # argparse before 3.12 quotes the choices
            choices = [each.strip("' ") for each in among.removesuffix(")").split(",")]
            said = wrong.rpartition("invalid choice: ")[2].strip("'")
            close = difflib.get_close_matches(said, choices, n=1)
            message = f"{wrong}; did you mean {close[0]!r}?" if close else message
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {message}\n")


class _Version(argparse.Action):
    """Read only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import tomllib  # noqa: PLC0415
        from importlib.metadata import version  # noqa: PLC0415

        said = f"noxgate {version('noxgate')}"
        try:
            release = tomllib.loads((_root() / "runbook.toml").read_text(encoding="utf-8"))["release"]
            said += f", for the runbook of release {release['version']}"
        except (OneLineError, OSError, ValueError, KeyError, TypeError):
            said += ", outside a project"
        print(said)
        parser.exit(Exit.DONE)


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser("noxgate", description=DESCRIPTION, formatter_class=raw)
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="of the gate, and of the release it is for"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    one = commands.add_parser(
        "gate",
        help="GO or NO-GO for one phase of the release day",
        description="Run the checks of one phase against one target and end in one verdict. The same as\n"
        "`pytest -m PHASE --target NAME`, for CI: an exit status that is not a verdict becomes 2.",
        epilog="example: noxgate gate --target staging --phase staging",
        formatter_class=raw,
    )
    one.add_argument(
        "--target",
        metavar="NAME",
        help="profile in targets/, or a path to one (default: $NOXGATE_TARGET; else staging "
        "if BASE_URL is set; else the rehearsal while it is up)",
    )
    one.add_argument("--phase", default="staging", help="phase, or any -m expression (default: staging)")
    one.add_argument("pytest", nargs="*", metavar="-- PYTEST-OPTION", help="handed to pytest, such as -n 2")
    one.add_argument(
        "--summary", metavar="FILE", help="add the verdict as Markdown to FILE, as for CI servers"
    )
    one.set_defaults(command=later("noxgate.cli.gate", "gate"), root=_root)

    loadtest.add(commands, _root)

    for name, text in OTHERS.items():
        commands.add_parser(name, help=text, add_help=False)

    one = commands.add_parser(
        "checks",
        help="every runbook line, its check, and what it expects",
        description="List runbook lines: id, reference, file:line of its check, what is expected.",
        epilog="example: noxgate checks RB-2.7",
    )
    one.add_argument("what", nargs="?", metavar="PHASE|LINE|REF", help="those alone (default: all)")
    one.add_argument("--markdown", action="store_true", help="as docs/CHECKS.md")
    one.add_argument("--schema", action="store_true", help="of runbook.toml: schema/runbook.schema.json")
    one.set_defaults(command=later("noxgate.cli.checks", "checks"), root=_root)

    one = commands.add_parser(
        "profile",
        help="the keys of a profile: type, default, example, and the lines that need each",
        description="List the keys that a profile may have; of one KEY, also the lines that need it.",
        epilog="example: noxgate profile ca_file",
    )
    one.add_argument("key", nargs="?", metavar="KEY", help="one alone, such as oauth.google (default: all)")
    one.add_argument("--markdown", action="store_true", help="as docs/PROFILE.md")
    one.add_argument("--schema", action="store_true", help="of a profile: schema/profile.schema.json")
    one.set_defaults(command=later("noxgate.cli.doctor", "profile"), root=_root)

    one = commands.add_parser(
        "doctor",
        help="what this machine has for a rehearsal; what a target needs before its checks can look",
        description="List each program that a rehearsal needs: version and path, or how to install it.\n"
        "With --target, look at all that its profile names, in ten seconds and before any check: each key\n"
        "and variable, where it comes from and whether it answers; what lines wait for, with the command\n"
        "that mends it; and the best verdict that a run of each phase can come to. Nothing is changed.\n\n"
        "exit status: 0 nothing waits, 2 lines wait, 4 usage",
        epilog="example: noxgate doctor --target staging",
        formatter_class=raw,
    )
    one.add_argument("--target", metavar="NAME", help="profile in targets/, or a path to one")
    one.add_argument("--all", action="store_true", help="name each line that waits, not the first five alone")
    one.set_defaults(command=later("noxgate.cli.doctor", "doctor"), root=_root)
    evidence.add(commands, _root)
    watch.add(commands, _root)
    signoff.add(commands, _root)
    release.add(commands, _root)
    logs.add(commands, _root)
    return parser


if __name__ == "__main__":
    sys.exit(main())
