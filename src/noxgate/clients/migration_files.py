"""The scripts that the rehearsal of a migration runs, and what they may not do on the machine that looks."""

import re
from dataclasses import dataclass
from pathlib import Path

from noxgate.clients.sql_script import Script, read_script
from noxgate.target import UnreachableError

# Commands of psql that stay on the scratch server. Others read files, run programs, or connect elsewhere. A
# second backslash in the line begins a second command: \echo done \! program.
_SAFE = re.compile(
    r"\\(set|unset|echo|qecho|warn|if|elif|else|endif|pset|timing|encoding|x|t|a|restrict|unrestrict"
    r"|gset|g|gexec|r|p)\b(?!.*[`\\])(?!(?<=\\g)\s*\S)"
)
# A program or a file of the server, which here is this machine; STDIN and STDOUT are psql's.
_OUTSIDE = re.compile(r"""copy (?:binary )?(?:\(.*\)|[^ (]+(?: ?\([^()]*\))?) (?:from|to) (?:program\b|'')""")


@dataclass(frozen=True)
class MigrationFiles:
    """What the profile names.

    The release's migration, the schema that it starts from (a plain SQL dump), what the version that runs now
    asks, and where the programs of PostgreSQL are if not where Debian puts them.
    """

    profile: str
    migration: Path | None = None
    schema: Path | None = None
    old_queries: Path | None = None
    postgres_bin: Path | None = None

    def read(self, key: str) -> tuple[str, Script]:
        """Name and content of one of them; UnreachableError if there is none to be had."""
        path: Path | None = getattr(self, key)
        if path is None:
            raise UnreachableError(f"{self.profile} has no key {key}: name the file there")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise UnreachableError(f"{self.profile}: {key}: {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            words = "expected plain SQL in UTF-8"
            raise UnreachableError(
                f"{self.profile}: {key}: {path}: {words}, not an archive of pg_dump"
            ) from None
        if text.startswith("PGDMP"):
            raise UnreachableError(
                f"{path}: expected plain SQL, saw an archive of pg_dump: pg_restore --file=schema.sql ARCHIVE"
            )
        return path.name, read_script(text)


def refuse(name: str, script: Script, kind: type[Exception]) -> None:
    """What a script may not do here: nothing but the scratch server is to feel that it ran."""
    for command in script.commands:
        if not _SAFE.match(command.text):
            word = command.text.split()[0]
            raise kind(f"{name} line {command.line}: {word} reaches beyond the database: not run here")
    for statement in script.statements:
        if _OUTSIDE.match(statement.words):
            words = "COPY with a file or program reaches beyond the database: not run here"
            raise kind(f"{name} line {statement.line}: {words}")
