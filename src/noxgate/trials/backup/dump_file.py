"""A plain SQL dump as a file: whether it is whole, and pg_dump's own words alone. Never held in memory."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from noxgate.trials.backup import dump_text

BEGINS = (b"--\n", b"-- PostgreSQL database dump\n", b"--\n")
# since 15.14 with a last line that takes a restriction of psql back
ENDS = re.compile(rb"\n--\n-- PostgreSQL database dump complete\n--\n\n(?:\\unrestrict \w+\n\n)?\Z")
TAIL = 400  # bytes
# What pg_dump, kubectl and a shell say of themselves, and on no line of a dump.
_NOISE = re.compile(
    rb"(pg_dump: |pg_dumpall: |error: |Error from server|Unable to use a TTY|Defaulted container |"
    rb"command terminated with exit code|WARNING: |warning: |Password: |If you don't see a command prompt)"
)
# What leads psql out of the empty database that it was given: pg_dump --create writes such lines.
_LEAVES = re.compile(rb"\\(?!restrict |unrestrict |\.)\S+|(?:CREATE|DROP|ALTER) DATABASE ")
_COPY = re.compile(rb"COPY .* FROM stdin;\r?\n\Z")
_ROWS_END = re.compile(rb"\n\\\.\r?\n")
PIECE = 1 << 20  # bytes that are looked at in one go
MOST = 3  # lines that are shown


@dataclass(frozen=True)
class DumpForm:
    """What a dump looks like: each list is empty in a good one."""

    size: int
    begins: bool
    ends: bool
    carriage_returns: int  # of lines that pg_dump writes itself
    noise: tuple[str, ...]  # lines that are not SQL, with their numbers
    elsewhere: tuple[str, ...] = ()  # lines that leave the database


def form(path: Path) -> DumpForm:
    """Read it from beginning to end. What stands in a string, a body or a row may be any text."""
    begun: list[bytes] = []
    returns, noise, elsewhere = 0, list[str](), list[str]()
    number, starts, within = 1, True, None
    with path.open("rb") as file:
        while line := file.readline(PIECE):
            if starts and number <= len(BEGINS):
                begun.append(line.replace(b"\r\n", b"\n"))
            if starts and within is None and _NOISE.match(line):  # it may have quotes of its own
                noise.append(_shown(number, line))
            else:
                if starts and within is None and _LEAVES.match(line):
                    elsewhere.append(_shown(number, line))
                if starts and within is None and _COPY.match(line):
                    rows, last = _past_rows(file)
                    number += rows
                    returns += last.endswith(b"\r\n")
                within = dump_text.after(line, within)
                returns += within is None and line.endswith(b"\r\n")
            starts = line.endswith(b"\n")
            number += starts
        size = file.tell()
        file.seek(max(0, size - TAIL))
        ends = ENDS.search(file.read()) is not None
    return DumpForm(size, tuple(begun) == BEGINS, ends, returns, tuple(noise[:MOST]), tuple(elsewhere[:MOST]))


def _past_rows(file: IO[bytes]) -> tuple[int, bytes]:
    """Read rows to the line that ends them: how many lines that is, and the last of them.

    Most of a dump is rows, so they are not looked at line by line.
    """
    lines, before = 0, b"\n"  # the end of what was read before, where the last line may have begun
    while piece := file.read(PIECE):
        text = before + piece
        end = _ROWS_END.search(text)
        if end is not None:
            file.seek(end.end() - len(text), os.SEEK_CUR)
            return lines + text.count(b"\n", len(before), end.end()), end[0]
        lines += piece.count(b"\n")
        before = text[-len(b"\n\\.\r") :]
    return lines, b""


def _shown(number: int, line: bytes) -> str:
    return f"line {number}: {line[:60].decode('utf-8', 'replace').strip()}"
