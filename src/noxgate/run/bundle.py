"""The folder of one run: results.json and its companions, written whole or not at all."""

import getpass
import hashlib
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from noxgate.project.waivers import Waiver
from noxgate.run.commit import CommitError, named
from noxgate.run.record import Record
from noxgate.run.verdict import Judgement

SCHEMA = 2  # of 1 there is no DECIDED
READABLE = (1, 2)
RECORDS = "records"
DECIDED = "decided.json"  # the commit, and the blobs of what decides in it
TOOLS = (
    *("pytest", "pytest-html", "pytest-xdist", "allure-pytest"),
    *("httpx", "kubernetes", "psycopg", "redis", "websocket-client"),
)


def duration(started: datetime) -> dict[str, Any]:
    """When the run started and ended (UTC), and its seconds."""
    ended = datetime.now(UTC)
    return {
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 2),
    }


def lines(judgement: Judgement) -> dict[str, Any]:
    """Every judged line with its checks and what they saw, and the ids of the lines still to come."""
    return {
        "lines": [
            {
                "id": result.line.id,
                "ref": result.line.ref,
                "section": result.line.section,
                "expected": result.line.expected,
                "outcome": result.outcome,
                "reason": result.reason,
                "attestation": _attestation(result.attestation),
                "waiver": _waiver(result.waiver),
                "checks": [
                    {
                        "node": check.node,
                        "outcome": check.outcome,
                        "reason": check.reason,
                        "seconds": round(check.seconds, 3),
                        "observations": [
                            {"seen": seen, "repeat": repeat} for seen, repeat in check.observations
                        ],
                    }
                    for check in result.checks
                ],
            }
            for result in judgement.lines
        ],
        "to_come": [line.id for line in judgement.to_come],
    }


def _attestation(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "record": record.number,
        "by": record.by,
        "account": record.account,
        "at": record.at.isoformat(),
        "seen": record.seen,
        "rehearsal": record.rehearsal,
        "signed_by": record.signed_by,
        "own_key": record.data.get("own_key"),
    }


def _waiver(waiver: Waiver | None) -> dict[str, Any] | None:
    if waiver is None:
        return None
    return {"owner": waiver.owner, "reason": waiver.reason, "expires": waiver.expires.isoformat()}


def copy_records(records: Path, folder: Path) -> None:
    """Put a copy of the records up to now beside what was checked: it is sealed with it."""
    if records.is_dir():
        shutil.copytree(records, folder / RECORDS, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)


def environment(root: Path, settings: Mapping[str, str], source: Path | None = None) -> dict[str, Any]:
    """Who ran this, where, with which versions, and where each setting of the target came from."""
    return {
        "user": _user(),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": sys.version.split()[0],
        "tools": {name: version(name) for name in TOOLS},
        "commit": _commit(root),
        "source_commit": _commit(source) if source else None,
        "settings": dict(settings),
    }


def write_json(path: Path, content: object) -> None:
    """Write JSON that a person can read."""
    path.write_text(
        json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def missing(folder: Path) -> list[str]:
    """The reports that a run must leave and did not."""
    reports = {"report.html": "report.html", "junit.xml": "junit.xml", "allure-results": "allure-results/*"}
    return [name for name, pattern in reports.items() if not any(folder.glob(pattern))]


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over every file, in the format of `sha256sum --check`."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in _files(folder)
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def publish(folder: Path, name: str) -> Path:
    """Give a complete folder its name in one step; the second run of one second gets ~2, and so on."""
    number = 1
    while True:
        final = folder.with_name(name if number == 1 else f"{name}~{number}")
        try:
            final.mkdir()  # takes the name, or finds it taken
        except FileExistsError:
            number += 1
            continue
        return folder.rename(final)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, a user id need not have a name
        return str(os.getuid())


def _commit(root: Path) -> str | None:
    try:
        return named(root)
    except CommitError:
        return None
