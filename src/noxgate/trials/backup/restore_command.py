"""The restore command of a rollback plan, made to work on a scratch database: it must lead nowhere else."""

import re
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = ("psql", "pg_restore")
# What names a server, in the words of psql and of libpq; after a \ there may be a connect.
_ELSEWHERE = re.compile(
    r"-[a-zA-Z0-9]*[hp]|--(ho|po)|.*(://|\\|\b(host|hostaddr|port|service)\s*=)", re.DOTALL
)
_CREATES = re.compile(r"-[a-zA-Z0-9]*C|--cr")


def command(words: Sequence[str], programs: Path, database: str, file: Path) -> list[str]:
    """The command as it is run. Raises AssertionError if it is not valid, or names a server of its own."""
    program, *rest = words or ("nothing",)
    if program not in PROGRAMS:
        raise AssertionError(f"restore: expected a command of psql or pg_restore, saw {program}")
    put = {"{database}": database, "{file}": str(file)}
    absent = [name for name in put if not any(name in word for word in rest)]
    if absent:
        raise AssertionError(f"restore: expected {' and '.join(absent)} in the command, saw none: not run")
    if any(_ELSEWHERE.match(word) for word in rest):  # not shown: it may hold a password
        raise AssertionError(
            "restore: expected {database} and no other server, saw a host, port, address or \\: not run"
        )
    if program == "pg_restore" and any(_CREATES.match(word) for word in rest):
        raise AssertionError(
            "restore: expected no --create, which writes into the database of the dump's name: not run"
        )
    return [str(programs / program), *(_with(word, put) for word in rest)]


def _with(word: str, put: dict[str, str]) -> str:
    for name, value in put.items():
        word = word.replace(name, value)
    return word
