"""`make faults`: the gate and the load test before hostile and broken servers, in a table.

Exit status 0 only where each fault ends in its outcome, in one line that says why, within the time of its
phase, under 300 MB, and no other line of the phase is harmed by it.
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests_self.authority import Authority
from tests_self.faults import api, data, proxy
from tests_self.faults.fault import Fault
from tests_self.faults.playing import MOST_MEGABYTES, Seen, play

from nox_rehearsal.day import moments
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World

FAULTS = (*api.FAULTS, *data.FAULTS, *proxy.FAULTS)
REFUSED = (api.REFUSED, *data.REFUSED, *proxy.REFUSED)
ALIKE = {api.TLS: api.API, api.NAMES: api.API}  # which systems are behind the same lines
PLAIN = {"staging.https-redirect"}  # at the same name, on another port
PHASES = ("staging", "live")
DOCUMENT = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"
HEADER = "| system | fault | outcome | failed | could not look | seconds | peak MB | in words |"
ROW = "| {} | {} | {} | {} | {} | {:.1f} | {:.0f} | {} |"
BEGIN = "<!-- The table is written by `make faults`. -->"
LONGEST = 110  # characters of a reason


def main(arguments: Sequence[str] | None = None) -> int:
    """Play; the exit status."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="faults whose system and name have it")
    parser.add_argument("--workers", type=int, default=2, help="faults at a time (default: 2)")
    parser.add_argument("--write", action="store_true", help=f"write the table into {DOCUMENT.name}")
    given = parser.parse_args(arguments)
    chosen = [
        fault
        for fault in FAULTS
        if re.search(given.only, f"{fault.system}: {fault.name}") and (os.getuid() == 0 or not fault.root)
    ]
    if not chosen:
        parser.error(f"--only: no fault is called like {given.only!r}")
    for fault in FAULTS:
        if fault.root and os.getuid() != 0:
            _say(f"not tried, for want of root: {fault.system}: {fault.name}")
    with (
        tempfile.TemporaryDirectory(prefix="faults-", dir="/var/tmp") as name,
        worlds.running("faults", say=lambda _: None) as world,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "authority").mkdir()
        rows, bad = _played(world, Authority(folder / "authority"), folder, chosen, given)
    for each in bad:
        _say(f"FAILED  {each}")
    _say(f"{len(rows)} faults, {len(bad)} not as they should be")
    return 1 if bad or not rows else 0


def _played(
    world: World, authority: Authority, folder: Path, chosen: Sequence[Fault], given: argparse.Namespace
) -> tuple[list[str], list[str]]:
    rows: list[str] = []
    bad: list[str] = []
    for phase in PHASES:
        faults = [fault for fault in chosen if fault.phase == phase]
        if not faults:
            continue
        if phase != "staging":
            moments.bring(world, phase)
        well = play(None, world, authority, folder, phase)
        if well.wrong or not well.outcomes:
            return rows, [
                f"{phase} without a fault: {sorted(well.wrong)}: {well.reasons}: {well.said[-400:]}"
            ]
        lines = len(well.outcomes)
        _say(f"{phase} without a fault: {lines} lines, {well.seconds:.1f} s, {well.megabytes:.0f} MB")
        own = {
            each.system: play(each, world, authority, folder).wrong for each in REFUSED if each.phase == phase
        }
        with ThreadPoolExecutor(given.workers) as pool:
            jobs = [(fault, pool.submit(play, fault, world, authority, folder)) for fault in faults]
            for fault, job in jobs:
                try:
                    seen = job.result()
                except Exception as error:  # noqa: BLE001 (the others are worth their rows)
                    bad.append(f"{fault.system}: {fault.name}: could not be made: {error!r}")
                    continue
                theirs = {"load"} if fault.load else own[ALIKE.get(fault.system, fault.system)]
                theirs |= PLAIN if fault.system == api.NAMES else set()
                rows.append(_row(fault, seen))
                _say(rows[-1])
                if given.write:  # at once: an hour is long
                    _write(rows[-1:])
                bad += [f"{fault.system}: {fault.name}: {each}" for each in _wrong(fault, seen, theirs)]
    return rows, bad


def _wrong(fault: Fault, seen: Seen, own: set[str]) -> Iterator[str]:
    """What is not as it should be."""
    if seen.verdict not in fault.verdicts or not seen.outcomes:
        yield f"expected {' or '.join(fault.verdicts)}, saw {seen.verdict}: {seen.said[-600:]}"
    if not re.search(fault.says, "\n".join(seen.reasons)):
        yield f"expected a reason with {fault.says!r}, saw {list(dict.fromkeys(seen.reasons))[:4]}"
    if "Traceback" in seen.said:
        yield f"expected one line, saw a traceback: {seen.said[-1500:]}"
    if several := [reason for reason in seen.reasons if "\n" in reason]:
        yield f"expected one line, saw {several[0]!r}"
    if harmed := sorted(seen.wrong - own):
        yield f"others are harmed: {', '.join(harmed)}"
    if seen.megabytes >= MOST_MEGABYTES:
        yield f"expected less than {MOST_MEGABYTES} MB, saw {seen.megabytes:.0f}"
    if seen.status == -1:
        yield f"did not end in the time of its phase: {seen.seconds:.0f} s"


def _row(fault: Fault, seen: Seen) -> str:
    found = [reason for reason in seen.reasons if re.search(fault.says, reason)] or list(seen.reasons)
    words = " ".join(re.sub(r"\d{4,}", "N", found[0]).split()) if found else ""
    shown = words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
    return ROW.format(
        fault.system, fault.name, seen.verdict, seen.count("failed"), seen.count("unreachable"),
        seen.seconds, seen.megabytes, shown.replace("|", "\\|").replace("<", "&lt;"),
    )  # fmt: skip


def _write(rows: Sequence[str]) -> None:
    """Into the document; what was not played this time stays as it was."""
    before, _, old = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    found = {_key(row): row for row in [*old.splitlines(), *rows] if row.startswith("| ")}
    order = [_key(f"| {fault.system} | {fault.name} |") for fault in FAULTS]
    table = [HEADER, "|---|---|---|---|---|---|---|---|", *(found[key] for key in order if key in found)]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n" + "\n".join(table) + "\n", encoding="utf-8")


def _key(row: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row.split("|")[1:3])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
