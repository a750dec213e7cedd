"""The engine knows no service: its names, and what each line is for, are in runbook.toml."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENT = tomllib.loads((ROOT / "runbook.toml").read_text(encoding="utf-8"))
ENGINE = sorted(
    path
    for package in ("noxgate", "noxgate_load")
    for path in (ROOT / "src" / package).rglob("*")
    if path.suffix in {".py", ".html", ".css"}
)


def words(value: Any) -> Iterator[str]:
    """Every text of a table, without what stands for something else in it."""
    match value:
        case dict():
            for each in value.values():
                yield from words(each)
        case list():
            for each in value:
                yield from words(each)
        case str():
            yield from (part for part in re.split(r"\{\w+\}|\*", value) if len(part) > 3)


# Prometheus' and its operator's own words, and what files are called everywhere.
OF_ALL = {"/metrics", "podMonitor/", "serviceMonitor/", ".txt", ".log", ".yaml"}
WORDS = sorted(set(words(DOCUMENT["service"])) - OF_ALL)
LINES = [
    f"{phase}.{name}"
    for phase, table in DOCUMENT.items()
    if phase not in {"release", "service", "phase"}
    for name in table
]


@pytest.mark.parametrize("word", WORDS)
def test_the_engine_holds_no_word_of_the_service(word: str) -> None:
    """Read it from `runbook.service`: another service has other names."""
    assert found(rf"(?<![\w-]){re.escape(word)}") == []


def test_the_engine_holds_no_id_of_a_line() -> None:
    """Ask for the line by its role: `runbook.one("status")`."""
    assert len(LINES) > 200
    assert found(rf"(?<![\w.-])({'|'.join(map(re.escape, LINES))})(?![\w-])") == []


def found(pattern: str) -> list[str]:
    """Where in the engine's files, comments and help texts too."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in ENGINE
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
