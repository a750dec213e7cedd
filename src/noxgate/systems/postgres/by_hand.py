"""What somebody types who repeats by hand what the gate tried on its scratch server."""

import re
import shlex
from collections.abc import Sequence

from noxgate.look.observation import exported
from noxgate.look.secret_forms import redacted

# The databases that they make first, owned as the target's is, and whose addresses they export: an empty one,
# one with the schema before, one with that and the migration.
EMPTY, BEFORE, MIGRATED = "EMPTY_DATABASE_URL", "BEFORE_DATABASE_URL", "MIGRATED_DATABASE_URL"
_PLACES = re.compile(r"(\{database\}|\{file\})")


def loading(*files: str) -> str:
    """The command that runs scripts, whose names are quoted already, on an empty database."""
    return " ".join([f"psql -X -v ON_ERROR_STOP=1 -d {_named(EMPTY)}", *(f"-f {file}" for file in files)])


def restoring(words: Sequence[str], file: str) -> str:
    """The restore command of a profile, on an empty database."""
    places = {"{database}": _named(EMPTY), "{file}": shlex.quote(file)}
    spelled = ("".join(places.get(part) or _quoted(part) for part in _PLACES.split(word)) for word in words)
    return redacted(" ".join(spelled))


def dumping_and_restoring(form: str, file: str, words: Sequence[str]) -> str:
    """The command that dumps what the migration starts from, in a form of pg_dump's, and restores that."""
    return f"pg_dump --format={form} --file={shlex.quote(file)} {_named(BEFORE)} && {restoring(words, file)}"


def _named(variable: str) -> str:
    return f'"{exported(variable)}"'


def _quoted(part: str) -> str:
    return shlex.quote(part) if part else ""
