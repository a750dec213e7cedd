"""Tonight's backup, restored once for all checks of a run on a scratch server of our own."""

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from noxgate.errors import UnreachableError
from noxgate.machine.late import late
from noxgate.project.saved import SavedFiles, saved_files
from noxgate.project.target import Target
from noxgate.systems.postgres.database import Database
from noxgate.trials.backup import room
from noxgate.trials.scratch import Ran, ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.surroundings import surroundings
from noxgate.trials.table_contents import (
    LARGE_OBJECTS,
    Connection,
    Contents,
    columns,
    held,
    large_objects,
    with_generated,
)
from noxgate.trials.whole_catalog import Part, parts

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg = late("psycopg")
    sql = late("psycopg.sql")

LIMIT = 1800.0  # seconds that a restore may take
# What each has handed out last; by what it is called in the catalog.
SEQUENCES: LiteralString = (
    "SELECT format('%I.%I', nspname, relname), nspname, relname, seqincrement FROM pg_sequence"
    " JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
)


# Those that count up, and the column that each is of.
_COLUMNS_OF = (
    "SELECT format('%I.%I', n.nspname, c.relname), tn.nspname, t.relname, a.attname FROM pg_sequence"
    " JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i')"
    " AND refclassid = 'pg_class'::regclass AND refobjsubid > 0"
    " JOIN pg_class t ON t.oid = refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = refobjsubid"
    " WHERE seqincrement > 0 AND NOT seqcycle"
    " AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)"
)


@dataclass(frozen=True)
class BackupSettings:
    """Where the night's files are, the form of the backup, and the command that restores it.

    `postgres_bin`: where the programs of PostgreSQL are, if not where Debian puts them.
    """

    saved: SavedFiles
    form: str
    restore: tuple[str, ...]
    postgres_bin: Path | None


def backup_settings(target: Target) -> BackupSettings:
    """What this target's profile says of them."""
    return BackupSettings(saved_files(target), target.backup_form, target.restore, target.postgres_bin)


@dataclass(frozen=True)
class Restored:
    """How the restore went, and what is there then: columns and contents of each table, and all else."""

    ran: Ran
    columns: dict[str, tuple[str, ...]]
    contents: dict[str, Contents]
    sequences: dict[str, Decimal]
    highest: dict[str, Decimal]
    parts: list[Part]
    url: str

    def with_generated(self) -> dict[str, Contents]:
        """The contents of tables that have generated columns, with those."""
        found: dict[str, Contents] = {}
        with psycopg.connect(self.url) as connection:
            for table, names in with_generated(connection).items():
                with suppress(psycopg.Error), connection.transaction():  # one that each look makes may fail
                    found |= held(connection, {table: names})
        return found


class BackupTrial:
    """The scratch server, started at the first look, of the version that the target's database has."""

    def __init__(
        self, settings: BackupSettings, *, limit: float = LIMIT, server: ScratchServer | None = None
    ) -> None:
        """A server that is given is used, and left running."""
        self.settings = settings
        self._limit = limit
        self._server = server
        self._is_ours = server is None
        self._found: dict[Path, Restored | AssertionError | UnreachableError] = {}

    def restored(self, file: Path, database: Database) -> Restored:
        """The file restored into an empty database, with the command that the profile names."""
        if file not in self._found:
            try:
                self._found[file] = self._restore(file, database)
            except (AssertionError, UnreachableError) as error:
                self._found[file] = error
            except (psycopg.Error, OSError) as error:
                words = str(error).strip().splitlines() or [type(error).__name__]
                self._found[file] = UnreachableError(f"the scratch server: {words[0]}")
        found = self._found[file]
        if isinstance(found, Restored):
            return found
        raise type(found)(str(found))

    def programs(self, database: Database) -> Path:
        """The programs of PostgreSQL, of the version that the target's database has."""
        ((version,),) = database.rows("SHOW server_version_num")
        return programs(int(version) // 10000, self.settings.postgres_bin)

    def close(self) -> None:
        """End the scratch server."""
        if self._server is not None and self._is_ours:
            self._server.close()

    def _restore(self, file: Path, database: Database) -> Restored:
        home = self.programs(database)
        roles = [name for (name,) in database.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")]
        if self._server is None:
            self._server = ScratchServer(home)
        self._server.create_roles(roles)
        self._server.surround(surroundings(database))
        ((bytes_there,),) = database.rows("SELECT pg_database_size(current_database())")
        room.refuse(file, self.settings.form, int(bytes_there), self._server.folder, self._limit)
        name = self._server.create()
        ran = self._server.restore(name, file, self.settings.restore, within=self._limit)
        url = self._server.url(name)
        with psycopg.connect(url) as connection:
            tables = columns(connection)
            found = parts(connection)
            contents = held(connection, tables) | {LARGE_OBJECTS: large_objects(connection)}
            places = positions(connection)
            return Restored(ran, tables, contents, places, _highest(connection), found, url)


def positions(connection: Connection) -> dict[str, Decimal]:
    """Of each sequence, what it has handed out last."""
    found = {}
    for name, schema, sequence, increment in connection.execute(SEQUENCES).fetchall():
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(
            sql.Identifier(str(schema), str(sequence))
        )
        row = connection.execute(query).fetchone()
        assert row is not None
        found[str(name)] = Decimal(str(row[0])) - (0 if row[1] else Decimal(str(increment)))
    return found


def _highest(connection: Connection) -> dict[str, Decimal]:
    """Of each sequence that a column has, the highest value there."""
    found = {}
    for name, schema, table, column in connection.execute(_COLUMNS_OF).fetchall():
        query = sql.SQL("SELECT max({}) FROM {}").format(
            sql.Identifier(str(column)), sql.Identifier(str(schema), str(table))
        )
        row = connection.execute(query).fetchone()
        if row is not None and row[0] is not None:
            found[str(name)] = Decimal(str(row[0]))
    return found
