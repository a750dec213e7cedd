"""The databases of one rehearsal on its scratch server, each made of another."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from noxgate.machine.late import late
from noxgate.systems.postgres.database import Database
from noxgate.trials.migration import owning
from noxgate.trials.migration.files import MigrationFiles
from noxgate.trials.scratch import SUPERUSER, Ran, ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.surroundings import surroundings
from noxgate.trials.whole_catalog import Part, parts

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")

_RIGHTS = ("GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES ")  # sets: their order says nothing


class Databases:
    """Those of one rehearsal. A server that is given is used, and left running."""

    def __init__(self, files: MigrationFiles, limit: float, server: ScratchServer | None) -> None:
        self._files = files
        self._limit = limit
        self._server = server
        self._is_ours = server is None
        self._rights: list[owning.Right] = []
        self._names: dict[str, str] = {}  # what it is for -> its name on the server

    def close(self) -> None:
        """End the server."""
        if self._server is not None and self._is_ours:
            self._server.close()

    def make(self, name: str, template: str | None = None) -> None:
        of = "template0" if template is None else self._names[template]
        self._names[name] = self._running().create(of)
        owning.hand_over(self._running().url("postgres"), self._names[name], self._rights)

    def url(self, name: str, role: str | None = None) -> str:
        return self._running().url(self._names[name], role or SUPERUSER)

    def run(self, name: str, file: str, text: str, role: str | None = None) -> Ran:
        database = self._names[name]
        return self._running().run(database, file, text, within=self._limit, role=role or SUPERUSER)

    def migrate(self, name: str, file: str, text: str) -> Ran:
        """As the role that the profile names, connected as that role: RESET ROLE leads nowhere else."""
        return self.run(name, file, text, self._files.migration_role)

    def parts(self, name: str) -> list[Part]:
        with psycopg.connect(self.url(name)) as connection:
            return parts(connection)

    def dump(self, name: str) -> list[str]:
        return self._running().dump(self._names[name])

    def backup(self, name: str) -> str | Path:
        """As the profile says that backups are made: its text, or its file."""
        form, database = self._files.form, self._names[name]
        running = self._running()
        return running.backup(database) if form == "plain" else running.archive(database, form)

    def restore(self, name: str, backup: str | Path) -> Ran:
        """By the command of the rollback plan."""
        return self._running().restore(self._names[name], backup, self._files.restore, within=self._limit)

    def execute(self, name: str, query: LiteralString) -> list[tuple[object, ...]]:
        return self._running().execute(self._names[name], query)

    def _running(self) -> ScratchServer:
        assert self._server is not None, "the server is started first"
        return self._server

    def start(self, database: Database) -> ScratchServer:
        """Of the version that this database says it has, with its roles and what surrounds it."""
        ((version,),) = database.rows("SHOW server_version_num")
        roles = [name for (name,) in database.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")]
        if self._server is None:
            self._server = ScratchServer(programs(int(version) // 10000, self._files.postgres_bin))
        self._server.create_roles(roles)
        self._server.surround(surroundings(database))
        self._rights = owning.rights(database)
        for key in ("migration_role", "application_role"):
            role = getattr(self._files, key)
            if role is not None:
                owning.let_in(self._server.url("postgres"), role, f"{self._files.profile}: {key}")
        return self._server


def dump_differences(before: list[str], after: list[str]) -> list[str]:
    """The lines that are in one only; comments and empty lines say nothing, nor the order of grants."""
    lines = difflib.unified_diff(before, after, lineterm="", n=0)
    changed = [line for line in lines if line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))]
    told = [line for line in changed if line[1:].strip() and not line[1:].startswith("--")]
    moved = {line[1:] for line in told if line[0] == "+"} & {line[1:] for line in told if line[0] == "-"}
    return [line for line in told if line[1:] not in moved or not line[1:].startswith(_RIGHTS)]
