"""One rehearsal of a migration on a scratch server, in steps that each run once for all checks of a run."""

import difflib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from noxgate.errors import UnreachableError
from noxgate.look.observation import few
from noxgate.look.secret import Secret
from noxgate.machine.late import late
from noxgate.systems.postgres import by_hand
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.settings import Credential, DatabaseSettings
from noxgate.trials.loaded_again import differing_once_loaded
from noxgate.trials.migration import locks, losses, old_queries, owning, start, taken
from noxgate.trials.migration.files import MigrationFiles, refuse
from noxgate.trials.migration.locks import TableLock
from noxgate.trials.migration.old_queries import Answer
from noxgate.trials.scratch import SUPERUSER, Ran, ScratchServer, programs
from noxgate.trials.surroundings import surroundings
from noxgate.trials.table_contents import Contents, RestoreDifference, SecondRun, contents
from noxgate.trials.whole_catalog import Part, parts, told

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")

T = TypeVar("T")
LIMIT = 300.0  # seconds that each run of a script may take
BEFORE, MIGRATED, TWICE, LOCKS, RESTORED = "before", "migrated", "twice", "locks", "restored"  # databases
_RIGHTS = ("GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES ")  # sets: their order says nothing


class Trial:
    """The scratch server and what was tried on it. A step that could not be taken is not tried again."""

    def __init__(
        self,
        files: MigrationFiles,
        *,
        limit: float = LIMIT,
        server: ScratchServer | None = None,
    ) -> None:
        """A server that is given is used, and left running."""
        self.files = files
        self._limit = limit
        self._steps: dict[str, object] = {}
        self._rights: list[owning.Right] = []
        self._settings: list[Part] = []
        self._settings_after: list[Part] = []
        self._databases: dict[str, str] = {}
        self._server = server
        self._is_ours = server is None
        self._session: DatabaseSession | None = None
        self.alone: frozenset[int] = frozenset()  # where statements begin that no transaction of ours holds

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

    def sides(self) -> tuple[list[Part], list[Part]]:
        """The whole catalog before the migration, and after its first run."""
        return self._once("sides", self._sides)

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

    def restored(self) -> RestoreDifference:
        """A backup of the schema before and its data, restored into an empty database."""
        return self._once("restored", self._restored)

    def locks(self) -> list[TableLock]:
        """Every lock on a table that was there before."""
        return self._once("locks", self._locks)

    def rows(self) -> dict[str, int]:
        """How many rows each table has before the migration."""
        return self._once("rows", self._rows)

    def tables_before(self) -> tuple[str, ...]:
        """The names of the tables and views of the schema that the migration starts from."""
        return self._once("tables", self._load)

    def unlike(self, target: Sequence[Part]) -> list[str]:
        """In what the schema that the migration starts from is not the target's, whose catalog this is."""
        return self._once("unlike", lambda: start.differing(self._url(BEFORE), self.start(), target))

    def start(self) -> list[Part]:
        """The whole catalog of the schema that the migration starts from."""
        return self._once("start", self._start_of_it)

    def session(self) -> DatabaseSession:
        """A connection to the scratch database after the first run."""
        self.first()
        if self._session is None:
            url = Secret(by_hand.MIGRATED, self._url(MIGRATED))
            credential = Credential("database_url", by_hand.MIGRATED, lambda: url)
            self._session = DatabaseSession(DatabaseSettings(credential))
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
        owning.hand_over(self._running().url("postgres"), self._databases[name], self._rights)

    def _url(self, name: str, role: str | None = None) -> str:
        return self._running().url(self._databases[name], role or SUPERUSER)

    def _run(self, name: str, file: str, text: str, role: str | None = None) -> Ran:
        database = self._databases[name]
        return self._running().run(database, file, text, within=self._limit, role=role or SUPERUSER)

    def _migrate(self, name: str, file: str, text: str) -> Ran:
        """As the role that the profile names, connected as that role: RESET ROLE leads nowhere else."""
        return self._run(name, file, text, self.files.migration_role)

    def _parts(self, name: str) -> list[Part]:
        with psycopg.connect(self._url(name)) as connection:
            return parts(connection)

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
        self._server.surround(surroundings(database))
        self._rights = owning.rights(database)
        for key in ("migration_role", "application_role"):
            role = getattr(self.files, key)
            if role is not None:
                owning.let_in(self._server.url("postgres"), role, f"{self.files.profile}: {key}")
        return self._server

    def _load(self) -> tuple[str, ...]:
        name, script = self.files.read("schema")
        refuse(name, script)
        is_dump = "-- PostgreSQL database dump" in script.text[:1000]
        if is_dump and "-- PostgreSQL database dump complete" not in script.text[-1000:]:
            raise UnreachableError(f"{name}: the dump has no end: it was broken off, make it again")
        self._make(BEFORE)
        ran = self._run(BEFORE, name, script.text)
        if ran.error is not None:
            raise UnreachableError(f"{name} cannot be loaded: {_at(ran)}{ran.error}")
        tables = self._running().execute(
            self._databases[BEFORE],
            "SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'"
            " AND n.nspname <> 'information_schema' ORDER BY 1",
        )
        if not tables:
            raise UnreachableError(f"{name} makes no table: expected the schema of the version before")
        role = self.files.migration_role
        if role is not None and all(owner == SUPERUSER for _, owner in tables):
            raise UnreachableError(
                f"{name} names no owner, so that {role} may change nothing: make the dump without --no-owner"
            )
        return tuple(str(table) for table, _ in tables)

    def _start_of_it(self) -> list[Part]:
        self.tables_before()
        return self._parts(BEFORE)

    def _first(self) -> Ran:
        name, script = self.files.read("migration")
        refuse(name, script)
        self.tables_before()
        self._make(MIGRATED, BEFORE)
        self._settings = taken.settings(self._url(BEFORE))
        ran = self._migrate(MIGRATED, name, script.text)
        self._settings_after = taken.settings(self._url(MIGRATED))
        return ran

    def _changes(self) -> list[str]:
        self.first()
        return _differences(self._dump(BEFORE), self._dump(MIGRATED))

    def _sides(self) -> tuple[list[Part], list[Part]]:
        self.first()
        return [*self._parts(BEFORE), *self._settings], [*self._parts(MIGRATED), *self._settings_after]

    def _losses(self) -> dict[str, str]:
        self.first()
        name, script = self.files.read("migration")
        untried = losses.untried(script, self._url(BEFORE))
        if untried:
            schema = self.files.read("schema")[0]
            raise UnreachableError(
                f"{name} {'; '.join(untried.values())}: {schema} has no row there that could be lost: "
                "name a dump with rows"
            )
        return losses.losses(self._url(BEFORE), self._url(MIGRATED))

    def _second(self) -> SecondRun:
        first = self.first()
        if first.error is not None:
            raise AssertionError(f"the first run fails: {_at(first)}{first.error}")
        name, script = self.files.read("migration")
        if self._session is not None:  # a database that is copied must be idle; it opens again when asked
            self._session.close()
        self._make(TWICE, MIGRATED)
        catalog, there = self._dump(TWICE), contents(self._url(TWICE))
        ran = self._migrate(TWICE, name, script.text)
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
        refuse(name, script)
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
        before = old_queries.ask(self._url(BEFORE, self.files.application_role), script)
        wrong = next((each for each in before if each.error is not None), None)
        if wrong is not None:
            raise UnreachableError(
                f"{name} line {wrong.line} fails before the migration, too: {wrong.error}: mend the list"
            )
        return list(
            zip(
                before, old_queries.ask(self._url(MIGRATED, self.files.application_role), script), strict=True
            )
        )

    def _restored(self) -> RestoreDifference:
        self.tables_before()
        server = self._running()
        before = contents(self._url(BEFORE))
        if not any(each.rows for each in before.values()):
            name = self.files.read("schema")[0]
            raise UnreachableError(f"{name} has no row: nothing could get lost: name a dump with rows")
        self._make(RESTORED)
        form, name = self.files.form, self._databases[BEFORE]
        backup = server.backup(name) if form == "plain" else server.archive(name, form)
        ran = server.restore(self._databases[RESTORED], backup, self.files.restore, within=self._limit)
        if ran.error is not None:
            return RestoreDifference(ran, len(before), {})
        now = contents(self._url(RESTORED))
        none = Contents(0, "")
        lost = {
            table: (old.rows, now.get(table, none).rows)
            for table, old in before.items()
            if now.get(table, none) != old
        }
        pairs = differing_once_loaded(self._url(RESTORED), self._parts(BEFORE), self._parts(RESTORED))
        other = few(told(pairs, "is not restored", "was not there before", "is restored as another"))
        return RestoreDifference(ran, len(before), lost, tuple(other))

    def _locks(self) -> list[TableLock]:
        name, script = self.files.read("migration")
        refuse(name, script)
        self.tables_before()
        alone: set[int] = set()
        while True:
            self._make(LOCKS, BEFORE)
            rows = self._running().execute(self._databases[LOCKS], locks.PLACES)
            places = {int(str(oid)): str(table) for oid, table in rows}
            ran = self._migrate(LOCKS, name, locks.looking(script, alone))
            more = locks.refused(script, alone, ran)
            if not more:
                break
            alone |= more
        if ran.error is not None:
            raise UnreachableError(f"locks were not measured: {_at(ran)}{ran.error}")
        self.alone = frozenset(alone)
        return locks.found(script, ran.printed, places, alone)

    def _rows(self) -> dict[str, int]:
        self.tables_before()
        return {table: each.rows for table, each in contents(self._url(BEFORE)).items()}


def _at(ran: Ran) -> str:
    return "" if ran.line is None else f"line {ran.line}: "


def _differences(before: list[str], after: list[str]) -> list[str]:
    """The lines that are in one only; comments and empty lines say nothing, nor the order of grants."""
    lines = difflib.unified_diff(before, after, lineterm="", n=0)
    changed = [line for line in lines if line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))]
    told = [line for line in changed if line[1:].strip() and not line[1:].startswith("--")]
    moved = {line[1:] for line in told if line[0] == "+"} & {line[1:] for line in told if line[0] == "-"}
    return [line for line in told if line[1:] not in moved or not line[1:].startswith(_RIGHTS)]
