"""What the commands of the evidence may be asked. Apart from the commands, which take a second to import."""

from __future__ import annotations

import argparse

from noxgate.cli.arguments.later import later

TYPE_CHECKING = False  # see noxgate.cli.main
if TYPE_CHECKING:
    from typing import Any

COMMANDS = "noxgate.cli.attest"
VERIFY = "noxgate.cli.verify"
RAW = argparse.RawDescriptionHelpFormatter


def add(commands: Any, root: Any) -> None:
    """Add the commands; `root` finds the project's folder when one is called."""
    one = commands.add_parser(
        "keygen",
        help="make a key pair to sign evidence with",
        description="Make an Ed25519 key pair: FILE, the private key, for your eyes alone, and FILE's .pub\n"
        "beside it. Nothing is ever overwritten.",
        epilog="example: noxgate keygen ~/.noxgate/ada.pem",
        formatter_class=RAW,
    )
    one.add_argument("file", nargs="?", default="noxgate.pem", metavar="FILE", help="default: noxgate.pem")
    one.set_defaults(command=later(COMMANDS, "keygen"))

    one = commands.add_parser(
        "attest",
        help="record what a person saw of a line that no machine can check",
        description="Sign a record that a person saw a runbook line hold. Records are chained: they\n"
        "cannot be changed, taken out, or put in later. The key to sign with is NOXGATE_SIGNING_KEY:\n"
        "a file, or the key itself.",
        epilog='example: noxgate attest live.issues --by "Ada Lindqvist" \\\n'
        '         --saw "14:35, no new issue: https://sentry.nox.io/issues?query=first-release:8.0.0"',
        formatter_class=RAW,
    )
    one.add_argument("line", nargs="?", metavar="LINE", help="a human line, as noxgate checks lists them")
    one.add_argument("--by", metavar="NAME", help="who saw it: somebody of the release record")
    one.add_argument("--saw", metavar="TEXT", help="what was seen, with what the line asks for (--list)")
    one.add_argument("--failed", action="store_true", help="what was seen is not what the runbook expects")
    one.add_argument("--list", action="store_true", help="what is attested and what is still owed")
    one.add_argument(
        "--target",
        metavar="NAME",
        help="default: as for gate, if it serves the line's phase; else the one that does",
    )
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.set_defaults(command=later(COMMANDS, "attest_line"), root=root)

    one = commands.add_parser(
        "seal",
        help="sign a run that was made without a key",
        description="Sign every file of a run's folder, its commit, image and runbook.toml. A run made\n"
        "with NOXGATE_SIGNING_KEY set (a file, or the key itself) is sealed already.",
        epilog="example: noxgate seal reports/8.0.0/20260131T140000Z-staging-staging",
        formatter_class=RAW,
    )
    one.add_argument("folder", metavar="FOLDER", help="the folder of a run")
    one.set_defaults(command=later(VERIFY, "seal_folder"), root=root, reports="reports")

    one = commands.add_parser(
        "runs",
        help="the runs of a release, and which of them count",
        description="List the runs of a release, newest first: verdict, phase, target, whether it is sealed\n"
        "and speaks for its phase.",
        formatter_class=RAW,
    )
    one.add_argument("release", nargs="?", metavar="RELEASE", help="default: that of runbook.toml")
    one.add_argument("--target", metavar="NAME", action="append", help="of these alone (default: of all)")
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.set_defaults(command=later("noxgate.cli.runs", "runs"), root=root)

    one = commands.add_parser(
        "verify",
        help="refuse evidence that does not let this release go",
        description="Verify a sealed run, or the newest whole run of each phase of a release: who\n"
        "signed it, that no byte differs, what it is of, how old, and that each line is passed or waived.\n\n"
        "exit status: 0 verified, 1 refused, 4 usage",
        epilog="example: noxgate verify 8.0.0 --phase staging --commit $(git rev-parse HEAD)",
        formatter_class=RAW,
    )
    one.add_argument(
        "what",
        nargs="?",
        metavar="FOLDER|RELEASE",
        help="a run's folder, or a release such as 8.0.0 (default: the release of runbook.toml)",
    )
    one.add_argument(
        "--phase",
        action="append",
        default=[],
        metavar="NAME",
        help="a phase that must be there (may be repeated; of a release, by default, all up to live)",
    )
    one.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="NAME",
        help="what it must be of (may be repeated; default: what it says, if no other has the same phase)",
    )
    one.add_argument("--release", metavar="VERSION", help="default: that of runbook.toml")
    one.add_argument("--commit", metavar="SHA", help="the commit, of NOX or of the gate, that it must be of")
    one.add_argument(
        "--head",
        metavar="DIGEST",
        help="the SHA-256 of the last record that is known: the runs must go on from it",
    )
    one.add_argument("--image", metavar="DIGEST", help="the digest of the image that it must be of")
    one.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="FILE",
        help="a public key to believe instead of the profile's signers (may be repeated)",
    )
    one.add_argument(
        "--within",
        type=float,
        metavar="HOURS",
        help="how old it may be (default: evidence_hours of the profile, else 24)",
    )
    one.add_argument("--at", metavar="TIME", help="verify as if it were this time (default: now)")
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.add_argument(
        "--summary", metavar="FILE", help="add what is said as Markdown to FILE, as for CI servers"
    )
    one.set_defaults(command=later(VERIFY, "verify_asked"), root=root)

    one = commands.add_parser(
        "manifest",
        help="vouch for a copy of this checkout without git, such as a container image's",
        description="Write noxgate-manifest.json: the commit that is checked out, and the blob of each file\n"
        "that decides a verdict. Nothing may be changed here. A copy without git is then held to it, and\n"
        "`noxgate verify` compares what it says with the commit itself.",
        epilog="example: noxgate manifest && docker build .",
        formatter_class=RAW,
    )
    one.set_defaults(command=later("noxgate.cli.manifest", "manifest"), root=root, reports="reports")

    one = commands.add_parser(
        "report",
        help="the Allure report of a release, if Node.js is there",
        description="Build the Allure 3 report of a release: the newest whole run of each phase, and the\n"
        "history of its runs. It opens without a network, and decides nothing.",
        epilog="example: noxgate report --release 8.0.0",
        formatter_class=RAW,
    )
    one.add_argument("--release", metavar="VERSION", help="default: that of runbook.toml")
    one.add_argument("--reports", metavar="DIR", default="reports", help="where the evidence is")
    one.set_defaults(command=later("noxgate.cli.report", "report"), root=root)
