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
from importlib.metadata import version
from pathlib import Path
from typing import Any

from noxgate.run.commit import CommitError, named

RECORDS = "records"
DECIDED = "decided.json"  # the commit, and the blobs of what decides in it
TOOLS = (
    *("pytest", "pytest-html", "pytest-xdist", "allure-pytest"),
    *("httpx", "kubernetes", "psycopg", "redis", "websocket-client"),
)


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
