"""The command `noxgate`."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from noxgate import doctor
from noxgate.checks import CheckError, find_checks
from noxgate.command import CommandError, later
from noxgate.evidence import arguments as evidence
from noxgate.loadtest import arguments as loadtest
from noxgate.rehearsal.error import RehearsalError
from noxgate.runbook import Runbook, RunbookError, read_runbook
from noxgate.signoff import arguments as signoff
from noxgate.watch import arguments as watch

GO, INCONCLUSIVE, USAGE = 0, 2, 4

DESCRIPTION = """\
The NOX release gate: the release-day runbook as checks, and one verdict.

exit status: 0 GO (WITH WAIVERS), 1 NO-GO, 2 INCONCLUSIVE (something was not looked at), 4 usage"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        status: int = given.command(given)
        sys.stdout.flush()
    except (RunbookError, CheckError, RehearsalError, ProjectError, CommandError) as error:
        print(f"noxgate: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GO
    except KeyboardInterrupt:
        print("noxgate: interrupted", file=sys.stderr)
        return INCONCLUSIVE
    return status


class ProjectError(Exception):
    """The command was called outside the project."""


def checks(given: argparse.Namespace) -> int:
    """Print every runbook line with its check."""
    root = _root()
    runbook = read_runbook(root / "runbook.toml")
    print(table_of_checks(runbook, root, markdown=given.markdown), end="")
    return GO


def table_of_checks(runbook: Runbook, root: Path, *, markdown: bool) -> str:
    """One row for each runbook line and each of its checks: id, ref, file:line, what is expected."""
    places: dict[str, list[str]] = {}
    for check in find_checks(root, runbook):
        # a page in the repository must not change with every edit of a file above the check
        place = f"`{check.node}`" if markdown else f"{check.file}:{check.line_number}"
        places.setdefault(check.line_id, []).append(place)
    out = ["# Every runbook line\n\nMade by `noxgate checks --markdown`.\n"] if markdown else []
    for phase in runbook.phases.values():
        lines = [line for line in runbook.lines.values() if line.phase == phase.name]
        out.append(f"## {phase.title}\n" if markdown else phase.title)
        if markdown:
            out.append("| line | ref | check | expected |\n|---|---|---|---|")
        for line in lines:
            if line.kind in {"human", "derived"}:
                place = {"human": "attested by a person", "derived": "follows from other lines"}[line.kind]
            else:
                place = ", ".join(places.get(line.id, [])) or "to come"
            expected = " ".join(line.expected.split())
            if markdown:
                escaped = expected.replace("|", "\\|")
                out.append(f"| `{line.id}` | {line.ref} | {place} | {escaped} |")
            else:
                out.append(f"  {line.id:<36} {line.ref:<8} {place}\n      {expected}")
        out.append("")
    return "\n".join(out)


def _rehearse(given: argparse.Namespace) -> int:
    from noxgate.rehearsal import day  # noqa: PLC0415 (half a second that no other command should wait)

    root = _root()
    steps: dict[str, Callable[[], int]] = {
        "run": lambda: day.run(root, given.sabotage),
        "up": lambda: day.up(root),
        "down": lambda: day.down(root),
        "status": lambda: day.status(root),
        "sabotages": day.listing,
    }
    return steps[given.step]()


def _doctor(_: argparse.Namespace) -> int:
    return doctor.main(["report"])


def _root() -> Path:
    """The project's folder: the nearest one above that has a runbook.toml."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "runbook.toml").is_file():
            return folder
    raise ProjectError(f"no runbook.toml in {here} or above it: call noxgate inside the project")


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """Wrong usage is 4: argparse's own 2 would be INCONCLUSIVE."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser("noxgate", description=DESCRIPTION, formatter_class=raw)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    one = commands.add_parser(
        "gate",
        help="GO or NO-GO for one phase of the release day",
        description="Run the checks of one phase against one target and end in one verdict. The same as\n"
        "`pytest -m PHASE --target NAME`, for CI: an exit status that is no verdict becomes 2.",
        epilog="example: noxgate gate --target staging --phase staging",
        formatter_class=raw,
    )
    one.add_argument(
        "--target",
        metavar="NAME",
        help="profile in targets/, or a path to one (default: NOXGATE_TARGET, or staging if BASE_URL is set)",
    )
    one.add_argument("--phase", default="staging", help="phase, or any -m expression (default: staging)")
    one.add_argument("pytest", nargs="*", metavar="-- PYTEST-OPTION", help="handed to pytest, such as -n 2")
    one.add_argument(
        "--summary", metavar="FILE", help="add the verdict as Markdown to FILE, as for CI servers"
    )
    one.set_defaults(command=later("noxgate.gate", "gate"), root=_root)

    loadtest.add(commands, _root)

    one = commands.add_parser(
        "rehearse",
        help="the release day on this machine, against a NOX API that runs here",
        description="Rehearse the release on this machine. Real PostgreSQL, Redis and nginx and a reference\n"
        "NOX API run on loopback; nothing leaves the machine and nothing stays behind.\n\n"
        "  run        start everything, run the checks, stop everything (default)\n"
        "  up         start everything and leave it up, to run what you like against it\n"
        "  status     what is up, and where\n"
        "  down       stop it\n"
        "  sabotages  the faults that can be rehearsed",
        epilog="example: noxgate rehearse run --sabotage staging.version",
        formatter_class=raw,
    )
    one.add_argument("step", nargs="?", default="run", choices=["run", "up", "down", "status", "sabotages"])
    one.add_argument(
        "--sabotage",
        metavar="ID",
        help="break one thing first: a runbook line such as staging.version (its faults one after another), "
        "or one fault such as staging.version:rc1",
    )
    one.set_defaults(command=_rehearse)

    one = commands.add_parser(
        "checks",
        help="every runbook line, its check, and what it expects",
        description="List every runbook line: id, reference, file:line of its check, what is expected.",
    )
    one.add_argument("--markdown", action="store_true", help="as docs/CHECKS.md")
    one.set_defaults(command=checks)

    one = commands.add_parser(
        "doctor",
        help="what this machine has for a rehearsal, and what is missing",
        description="List each program that a rehearsal needs: version and path, or how to install it.",
    )
    one.set_defaults(command=_doctor)
    evidence.add(commands, _root)
    watch.add(commands, _root)
    signoff.add(commands, _root)
    return parser


if __name__ == "__main__":
    sys.exit(main())
