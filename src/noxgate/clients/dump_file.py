"""A plain SQL dump as a file: whether it is whole, and pg_dump's own words alone. Never held in memory."""

import re
from dataclasses import dataclass
from pathlib import Path

BEGINS = (b"--\n", b"-- PostgreSQL database dump\n", b"--\n")
# since 15.14 with a last line that takes a restriction of psql back
ENDS = re.compile(rb"\n--\n-- PostgreSQL database dump complete\n--\n\n(?:\\unrestrict \w+\n\n)?\Z")
TAIL = 400  # bytes
# What pg_dump, kubectl and a shell say of themselves, and on no line of a dump.
_NOISE = re.compile(
    rb"(pg_dump: |pg_dumpall: |error: |Error from server|Unable to use a TTY|Defaulted container |"
    rb"command terminated with exit code|WARNING: |warning: |Password: |If you don't see a command prompt)"
)
_COPY = re.compile(rb"COPY .* FROM stdin;\r?\n\Z")
_END = (b"\\.\n", b"\\.\r\n")
MOST = 3  # lines that are shown


@dataclass(frozen=True)
class Form:
    """What a dump looks like: each list is empty in a good one."""

    size: int
    begins: bool
    ends: bool
    carriage_returns: int  # of lines that pg_dump writes itself
    noise: tuple[str, ...]  # lines that are no SQL, with their numbers


def form(path: Path) -> Form:
    """Read it from beginning to end."""
    begun: list[bytes] = []
    returns, noise, in_data = 0, [], False
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number <= len(BEGINS):
                begun.append(line.replace(b"\r\n", b"\n"))
            if in_data and line not in _END:
                continue  # rows may hold any text
            in_data = _COPY.match(line) is not None
            if line.endswith(b"\r\n"):
                returns += 1
            if _NOISE.match(line):
                noise.append(f"line {number}: {line[:60].decode('utf-8', 'replace').strip()}")
        size = file.tell()
        file.seek(max(0, size - TAIL))
        ends = ENDS.search(file.read()) is not None
    return Form(size, tuple(begun) == BEGINS, ends, returns, tuple(noise[:MOST]))
