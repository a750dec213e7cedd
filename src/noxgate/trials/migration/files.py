"""The scripts that the rehearsal of a migration runs, and what they may not do on the machine that looks."""

import re
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.project.keys.release import RUNBOOKS_RESTORE
from noxgate.project.target import Target
from noxgate.trials.migration import psql_commands
from noxgate.trials.sql_script import Script, read_script

_READING = ("\\i", "\\ir", "\\include", "\\include_relative")
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
    migration_role: str | None = None  # who runs the migration; without it nothing is refused
    application_role: str | None = None  # as whom the version before asks
    restore: tuple[str, ...] = RUNBOOKS_RESTORE  # the command of the rollback plan
    form: str = "plain"  # in which pg_dump writes the backup

    def read(self, key: str) -> tuple[str, Script]:
        """Name and content of one of them. Raises UnreachableError if it cannot be had."""
        path: Path | None = getattr(self, key)
        if path is None:
            raise UnreachableError(f"{self.profile} has no key {key}: name the file there")
        try:
            text = path.read_bytes().decode("utf-8-sig")  # to the letter, line ends in functions too
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


def files_of(target: Target) -> MigrationFiles:
    """Those of a target. Raises UnreachableError if it does not say who migrates, and as whom it asks."""
    for key in ("migration_role", "application_role"):
        if getattr(target, key) is None:
            raise UnreachableError(
                f"{target.path.name} names no {key}: a superuser would hide what it may not"
            )
    return MigrationFiles(
        target.path.name,
        target.migration,
        target.schema,
        target.old_queries,
        target.postgres_bin,
        target.migration_role,
        target.application_role,
        target.restore,
        target.backup_form,
    )


def refuse(name: str, script: Script) -> None:
    """Raises UnreachableError for what a script may not do here."""
    for command in script.commands:
        word = command.text.split()[0]
        if word == "\\copy":
            (copied,) = read_script(command.text[1:]).statements or (None,)
            if copied is not None and psql_commands.copies_inside(copied.words):
                continue
        elif psql_commands.stays_inside(command.text):
            continue
        advice = "name one file that holds what it reads" if word in _READING else "take it out of the script"
        raise UnreachableError(
            f"{name} line {command.line}: {word} reaches beyond the database: not run here: {advice}"
        )
    for statement in script.statements:
        if _OUTSIDE.match(statement.words):
            words = "COPY with a file or program reaches beyond the database: not run here"
            raise UnreachableError(f"{name} line {statement.line}: {words}: COPY FROM STDIN is")
