"""One rehearsal of a migration on a scratch server, in steps that each run once for all checks of a run."""

import dataclasses
import difflib
import re
from collections.abc import Callable
from typing import TypeVar, cast

import psycopg

from noxgate.clients import migration_locks, migration_losses, migration_start, old_queries
from noxgate.clients.database import Database, DatabaseSession
from noxgate.clients.migration_files import MigrationFiles, refuse
from noxgate.clients.migration_locks import TableLock
from noxgate.clients.migration_start import Row
from noxgate.clients.observation import few
from noxgate.clients.old_queries import Answer
from noxgate.clients.scratch import Ran, ScratchServer, programs
from noxgate.clients.table_contents import Contents, Restored, SecondRun, contents
from noxgate.target import Target, UnreachableError

T = TypeVar("T")
LIMIT = 300.0  # seconds that each run of a script may take
BEFORE, MIGRATED, TWICE, LOCKS, RESTORED = "before", "migrated", "twice", "locks", "restored"  # databases
VARIABLE = "SCRATCH_DATABASE_URL"


class Trial:
    """The scratch server and what was tried on it. A step that could not be taken is not tried again."""

    def __init__(
        self,
        target: Target,
        files: MigrationFiles,
        *,
        limit: float = LIMIT,
        server: ScratchServer | None = None,
    ) -> None:
        """A server that is given is used, and left running."""
        self.files = files
        self._target = target
        self._limit = limit
        self._steps: dict[str, object] = {}
        self._databases: dict[str, str] = {}
        self._server = server
        self._is_ours = server is None
        self._session: DatabaseSession | None = None

    @property
    def restore(self) -> tuple[str, ...]:
        """The restore command of the rollback plan."""
        return self._target.restore

    def close(self) -> None:
        """End the scratch server."""
        if self._session is not None:
            self._session.close()
        if self._server is not None and self._is_ours:
            self._server.close()

    def server(self, database: Database) -> ScratchServer:
        """Started at the first call, of the version that the target's database says it has."""
        return self._once("server", lambda: self._start(database))

    def first(self) -> Ran:
        """The migration, run once on the schema before."""
        return self._once("first", self._first)

    def changes(self) -> list[str]:
        """What the first run changed in the catalog, as lines of pg_dump with a - or a +."""
        return self._once("changes", self._changes)

    def losses(self) -> dict[str, str]:
        """What the first run took away, by table or table.column."""
        return self._once("losses", self._losses)

    def second(self) -> SecondRun:
        """Run once more."""
        return self._once("second", self._second)

    def answers(self) -> list[tuple[Answer, Answer]]:
        """What each old query answers before the migration and after it."""
        return self._once("answers", self._answers)

    def asked(self) -> set[str]:
        """Every word of the old queries: among them the tables that they ask."""
        _, script = self.files.read("old_queries")
        return set(re.findall(r"[\w$]+", " ".join(each.words for each in script.statements)))

    def restored(self) -> Restored:
        """A backup of the schema before and its data, restored into an empty database."""
        return self._once("restored", self._restored)

    def locks(self) -> list[TableLock]:
        """The strongest lock on each table that was there before."""
        return self._once("locks", self._locks)

    def tables_before(self) -> tuple[str, ...]:
        """The names of the tables and views of the schema that the migration starts from."""
        return self._once("tables", self._load)

    def start(self) -> list[Row]:
        """The whole catalog of the schema that the migration starts from."""
        return self._once("start", self._start_of_it)

    def session(self) -> DatabaseSession:
        """A connection to the scratch database after the first run."""
        self.first()
        if self._session is None:
            url = self._url(MIGRATED)
            scratch = dataclasses.replace(
                self._target, credentials={"database_url": VARIABLE}, variables={VARIABLE: url}
            )
            self._session = DatabaseSession(scratch)
        return self._session

    def _once(self, name: str, step: Callable[[], T]) -> T:
        if name not in self._steps:
            try:
                self._steps[name] = step()
            except (UnreachableError, AssertionError) as error:
                self._steps[name] = error
            except (psycopg.Error, OSError) as error:
                words = str(error).strip().splitlines() or [type(error).__name__]
                self._steps[name] = UnreachableError(f"the scratch server: {words[0]}")
        result = self._steps[name]
        if isinstance(result, UnreachableError | AssertionError):
            raise type(result)(str(result))
        return cast("T", result)

    def _make(self, name: str, template: str | None = None) -> None:
        of = "template0" if template is None else self._databases[template]
        self._databases[name] = self._running().create(of)

    def _url(self, name: str) -> str:
        return self._running().url(self._databases[name])

    def _run(self, name: str, file: str, text: str) -> Ran:
        return self._running().run(self._databases[name], file, text, within=self._limit)

    def _dump(self, name: str) -> list[str]:
        return self._running().dump(self._databases[name])

    def _running(self) -> ScratchServer:
        assert self._server is not None, "the server is started first"
        return self._server

    def _start(self, database: Database) -> ScratchServer:
        ((version,),) = database.rows("SHOW server_version_num")
        roles = [name for (name,) in database.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")]
        if self._server is None:
            self._server = ScratchServer(programs(int(version) // 10000, self.files.postgres_bin))
        self._server.create_roles(roles)
        return self._server

    def _load(self) -> tuple[str, ...]:
        name, script = self.files.read("schema")
        refuse(name, script, UnreachableError)
        is_dump = "-- PostgreSQL database dump" in script.text[:1000]
        if is_dump and "-- PostgreSQL database dump complete" not in script.text[-1000:]:
            raise UnreachableError(f"{name}: the dump has no end: it was broken off, make it again")
        self._make(BEFORE)
        ran = self._run(BEFORE, name, script.text)
        if ran.error is not None:
            raise UnreachableError(f"{name} cannot be loaded: {_at(ran)}{ran.error}")
        tables = self._running().execute(
            self._databases[BEFORE],
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'"
            " AND n.nspname <> 'information_schema' ORDER BY 1",
        )
        if not tables:
            raise UnreachableError(f"{name} makes no table: expected the schema of the version before")
        return tuple(str(table) for (table,) in tables)

    def _start_of_it(self) -> list[Row]:
        self.tables_before()
        return cast("list[Row]", self._running().execute(self._databases[BEFORE], migration_start.QUERY))

    def _first(self) -> Ran:
        name, script = self.files.read("migration")
        refuse(name, script, AssertionError)
        self.tables_before()
        self._make(MIGRATED, BEFORE)
        return self._run(MIGRATED, name, script.text)

    def _changes(self) -> list[str]:
        self.first()
        return _differences(self._dump(BEFORE), self._dump(MIGRATED))

    def _losses(self) -> dict[str, str]:
        self.first()
        name, script = self.files.read("migration")
        untried = migration_losses.untried(script, self._url(BEFORE))
        if untried:
            schema = self.files.read("schema")[0]
            raise UnreachableError(
                f"{name} {'; '.join(untried.values())}: {schema} has no row there that could be lost: "
                "name a dump with rows"
            )
        return migration_losses.losses(self._url(BEFORE), self._url(MIGRATED))

    def _second(self) -> SecondRun:
        first = self.first()
        if first.error is not None:
            raise AssertionError(f"the first run fails: {_at(first)}{first.error}")
        name, script = self.files.read("migration")
        if self._session is not None:  # nobody may use a database that is copied; it opens again when asked
            self._session.close()
        self._make(TWICE, MIGRATED)
        catalog, there = self._dump(TWICE), contents(self._url(TWICE))
        ran = self._run(TWICE, name, script.text)
        if ran.error is not None:
            return SecondRun(f"{_at(ran)}{ran.error}", (), {}, ())
        now = contents(self._url(TWICE))
        none = Contents(0, "")
        pairs = {table: (there.get(table, none), now.get(table, none)) for table in {**there, **now}}
        return SecondRun(
            None,
            tuple(_differences(catalog, self._dump(TWICE))),
            {table: (old.rows, new.rows) for table, (old, new) in pairs.items() if old.rows != new.rows},
            tuple(
                table
                for table, (old, new) in pairs.items()
                if old.rows == new.rows and old.digest != new.digest
            ),
        )

    def _answers(self) -> list[tuple[Answer, Answer]]:
        name, script = self.files.read("old_queries")
        refuse(name, script, UnreachableError)
        control = [each for each in script.statements if each.begins or each.ends]
        if control:
            raise UnreachableError(
                f"{name} line {control[0].line}: expected queries only, saw the begin or end of a transaction"
            )
        if not set(self.tables_before()) & self.asked():
            raise UnreachableError(f"{name} asks no table of the schema: name what the version before asks")
        first = self.first()
        if first.error is not None:
            raise UnreachableError(
                f"the new schema is not there: the migration fails: {_at(first)}{first.error}"
            )
        before = old_queries.ask(self._url(BEFORE), script)
        wrong = next((each for each in before if each.error is not None), None)
        if wrong is not None:
            raise UnreachableError(
                f"{name} line {wrong.line} fails before the migration, too: {wrong.error}: mend the list"
            )
        return list(zip(before, old_queries.ask(self._url(MIGRATED), script), strict=True))

    def _restored(self) -> Restored:
        self.tables_before()
        server = self._running()
        before = contents(self._url(BEFORE))
        if not any(each.rows for each in before.values()):
            name = self.files.read("schema")[0]
            raise UnreachableError(f"{name} has no row: nothing could get lost: name a dump with rows")
        self._make(RESTORED)
        backup = server.backup(self._databases[BEFORE])
        ran = server.restore(self._databases[RESTORED], backup, self._target.restore, within=self._limit)
        if ran.error is not None:
            return Restored(ran, len(before), {})
        now = contents(self._url(RESTORED))
        none = Contents(0, "")
        lost = {
            table: (old.rows, now.get(table, none).rows)
            for table, old in before.items()
            if now.get(table, none) != old
        }
        other = few(_differences(self._dump(BEFORE), self._dump(RESTORED)))
        return Restored(ran, len(before), lost, tuple(other))

    def _locks(self) -> list[TableLock]:
        name, script = self.files.read("migration")
        refuse(name, script, AssertionError)
        tables = self.tables_before()
        self._make(LOCKS, BEFORE)
        self._run(LOCKS, "prepare.sql", migration_locks.PREPARE)
        ran = self._run(LOCKS, name, migration_locks.looking(script))
        if ran.error is not None:
            raise UnreachableError(f"locks were not measured: {_at(ran)}{ran.error}")
        rows = self._running().execute(self._databases[LOCKS], migration_locks.FOUND)
        seen = [TableLock(str(table), str(mode), int(str(line))) for table, mode, line in rows]
        return migration_locks.strongest([*seen, *migration_locks.documented(script, tables)])


def _at(ran: Ran) -> str:
    return "" if ran.line is None else f"line {ran.line}: "


def _differences(before: list[str], after: list[str]) -> list[str]:
    """The lines that are in one only; comments and empty lines say nothing."""
    lines = difflib.unified_diff(before, after, lineterm="", n=0)
    changed = [line for line in lines if line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))]
    return [line for line in changed if line[1:].strip() and not line[1:].startswith("--")]
