"""Tonight's backup, restored once for all checks of a run on a scratch server of our own."""

from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from noxgate.clients.database import Database
from noxgate.clients.scratch import Ran, ScratchServer, programs
from noxgate.clients.table_contents import Contents, columns, held
from noxgate.target import Target, UnreachableError

LIMIT = 1800.0  # seconds that a restore may take
OWNERS: LiteralString = (
    "SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^pg_'"
    " AND n.nspname <> 'information_schema' ORDER BY 1, 2"
)


@dataclass(frozen=True)
class Restored:
    """How the restore went, and what is there then: columns, contents and owner of each table."""

    ran: Ran
    columns: dict[str, tuple[str, ...]]
    contents: dict[str, Contents]
    owners: dict[str, str]


class BackupTrial:
    """The scratch server, started at the first look, of the version that the target's database has."""

    def __init__(self, target: Target, *, limit: float = LIMIT) -> None:
        self.target = target
        self._limit = limit
        self._server: ScratchServer | None = None
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

    def close(self) -> None:
        """End the scratch server."""
        if self._server is not None:
            self._server.close()

    def _restore(self, file: Path, database: Database) -> Restored:
        ((version,),) = database.rows("SHOW server_version_num")
        roles = [name for (name,) in database.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")]
        if self._server is None:
            self._server = ScratchServer(programs(int(version) // 10000, self.target.postgres_bin))
        self._server.create_roles(roles)
        name = self._server.create()
        ran = self._server.restore(name, file, self.target.restore, within=self._limit)
        with psycopg.connect(self._server.url(name)) as connection:
            tables = columns(connection)
            owners = {
                str(table) if schema == "public" else f"{schema}.{table}": str(owner)
                for schema, table, owner in connection.execute(OWNERS)
            }
            return Restored(ran, tables, held(connection, tables), owners)
