"""The command `noxgate release`: drafts of the next release, in a folder of their own."""

import argparse
import datetime as dt
import re
from typing import TYPE_CHECKING

from noxgate.errors import CommandError, Exit
from noxgate.next_release.drafts import Draft, Left, Next, drafts
from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.project.waivers import FILE as WAIVERS
from noxgate.project.waivers import WaiverError, read_waivers

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "drafts"
ERRORS = (RunbookError, WaiverError, OSError)


def release(given: argparse.Namespace) -> int:
    """Write the drafts, and say what is left."""
    root: Path = given.root()
    runbook = read_runbook(root / "runbook.toml")
    coming = Next(_version(given.version, runbook.release.version), _day(given.date), runbook.release)
    folder = root / FOLDER / coming.version
    found = list(drafts(root, coming))
    there = [draft.name for draft in found if draft.is_new and (root / draft.name).exists()]
    if folder.exists() or there:
        seen = f"{FOLDER}/{coming.version}" if folder.exists() else there[0]
        raise CommandError(f"{seen} is there, and nothing is written over: look at it, or move it away")
    for draft in found:
        path = folder / draft.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(draft.text, encoding="utf-8")
    waived = list(read_waivers(root / WAIVERS, runbook, dt.datetime.now(dt.UTC).date()))
    print(*_said(coming, found, waived, dated=given.date is not None), sep="\n")
    return Exit.DONE


def _said(coming: Next, found: list[Draft], waived: list[str], *, dated: bool) -> list[str]:
    place = f"{FOLDER}/{coming.version}"
    left = [] if dated else [Left("runbook.toml", f"`date`: today's, {coming.date}, for want of --date")]
    left += [one for draft in found for one in draft.left]
    left.append(Left("runbook.toml", f"lines whose text or limits name what {coming.before.version} added"))
    left += [Left(WAIVERS, f"{line} is waived: does that hold for {coming.version}?") for line in waived]
    return [
        f"Drafts of {coming.version}, after {coming.before.version}, in {place}; no other file was changed:",
        *(f"    {draft.name}" for draft in found),
        "Left to you:",
        *(f"    {one.where}: {one.what}" for one in left),
        f"Then: cp -R {place}/. . && noxgate checks --markdown > docs/CHECKS.md, look at git diff, commit.",
    ]


def _version(text: str, before: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", text):
        raise CommandError(f"expected a version such as 8.0.1, saw {text!r}")
    if _numbers(text) <= _numbers(before):
        raise CommandError(f"expected a version after {before}, which runbook.toml names; saw {text}")
    return text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.split(r"[-+]", version)[0].split("."))


def _day(text: str | None) -> dt.date:
    if text is None:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--date: expected a day such as 2026-01-31, saw {text!r}") from None
