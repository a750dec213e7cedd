"""One rehearsal of a migration on a scratch server, in steps that each run once for all checks of a run."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from noxgate.errors import UnreachableError
from noxgate.look.secret import Secret
from noxgate.machine.late import late
from noxgate.systems.postgres import by_hand
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.settings import Credential, DatabaseSettings
from noxgate.trials.loaded_again import differing_once_loaded
from noxgate.trials.migration import locks, losses, old_queries, start, taken
from noxgate.trials.migration.databases import Databases, dump_differences
from noxgate.trials.migration.files import MigrationFiles, refuse
from noxgate.trials.migration.locks import TableLock
from noxgate.trials.migration.old_queries import Answered
from noxgate.trials.scratch import SUPERUSER, Ran, ScratchServer
from noxgate.trials.table_contents import Contents, RestoreDifference, SecondRun, contents
from noxgate.trials.whole_catalog import Part, told

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")

T = TypeVar("T")
LIMIT = 300.0  # seconds that each run of a script may take
BEFORE, MIGRATED, TWICE, LOCKS, RESTORED = "before", "migrated", "twice", "locks", "restored"  # databases


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
        self._steps: dict[str, object] = {}
        self._settings: list[Part] = []
        self._settings_after: list[Part] = []
        self._scratch = Databases(files, limit, server)
        self._session: DatabaseSession | None = None
        self.alone: frozenset[int] = frozenset()  # where statements begin that no transaction of ours holds

    def close(self) -> None:
        """End the scratch server."""
        if self._session is not None:
            self._session.close()
        self._scratch.close()

    def server(self, database: Database) -> ScratchServer:
        """Started at the first call, of the version that the target's database says it has."""
        return self._once("server", lambda: self._scratch.start(database))

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

    def answers(self) -> list[tuple[Answered, Answered]]:
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
        return self._once(
            "unlike", lambda: start.differences(self._scratch.url(BEFORE), self.start(), target)
        )

    def start(self) -> list[Part]:
        """The whole catalog of the schema that the migration starts from."""
        return self._once("start", self._start_of_it)

    def session(self) -> DatabaseSession:
        """A connection to the scratch database after the first run."""
        self.first()
        if self._session is None:
            url = Secret(by_hand.MIGRATED, self._scratch.url(MIGRATED))
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

    def _load(self) -> tuple[str, ...]:
        name, script = self.files.read("schema")
        refuse(name, script)
        is_dump = "-- PostgreSQL database dump" in script.text[:1000]
        if is_dump and "-- PostgreSQL database dump complete" not in script.text[-1000:]:
            raise UnreachableError(f"{name}: the dump has no end: it was broken off, make it again")
        self._scratch.make(BEFORE)
        ran = self._scratch.run(BEFORE, name, script.text)
        if ran.error is not None:
            raise UnreachableError(f"{name} cannot be loaded: {_at(ran)}{ran.error}")
        tables = self._scratch.execute(
            BEFORE,
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
        return self._scratch.parts(BEFORE)

    def _first(self) -> Ran:
        name, script = self.files.read("migration")
        refuse(name, script)
        self.tables_before()
        self._scratch.make(MIGRATED, BEFORE)
        self._settings = taken.settings(self._scratch.url(BEFORE))
        ran = self._scratch.migrate(MIGRATED, name, script.text)
        self._settings_after = taken.settings(self._scratch.url(MIGRATED))
        return ran

    def _changes(self) -> list[str]:
        self.first()
        return dump_differences(self._scratch.dump(BEFORE), self._scratch.dump(MIGRATED))

    def _sides(self) -> tuple[list[Part], list[Part]]:
        self.first()
        before, after = self._scratch.parts(BEFORE), self._scratch.parts(MIGRATED)
        return [*before, *self._settings], [*after, *self._settings_after]

    def _losses(self) -> dict[str, str]:
        self.first()
        name, script = self.files.read("migration")
        untried = losses.untried(script, self._scratch.url(BEFORE))
        if untried:
            schema = self.files.read("schema")[0]
            raise UnreachableError(
                f"{name} {'; '.join(untried.values())}: {schema} has no row there that could be lost: "
                "name a dump with rows"
            )
        return losses.losses(self._scratch.url(BEFORE), self._scratch.url(MIGRATED))

    def _second(self) -> SecondRun:
        first = self.first()
        if first.error is not None:
            raise AssertionError(f"the first run fails: {_at(first)}{first.error}")
        name, script = self.files.read("migration")
        if self._session is not None:  # a database that is copied must be idle; it opens again when asked
            self._session.close()
        self._scratch.make(TWICE, MIGRATED)
        catalog, there = self._scratch.dump(TWICE), contents(self._scratch.url(TWICE))
        ran = self._scratch.migrate(TWICE, name, script.text)
        if ran.error is not None:
            return SecondRun(f"{_at(ran)}{ran.error}", (), {}, ())
        now = contents(self._scratch.url(TWICE))
        none = Contents(0, "")
        pairs = {table: (there.get(table, none), now.get(table, none)) for table in {**there, **now}}
        return SecondRun(
            None,
            tuple(dump_differences(catalog, self._scratch.dump(TWICE))),
            {table: (old.rows, new.rows) for table, (old, new) in pairs.items() if old.rows != new.rows},
            tuple(
                table
                for table, (old, new) in pairs.items()
                if old.rows == new.rows and old.digest != new.digest
            ),
        )

    def _answers(self) -> list[tuple[Answered, Answered]]:
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
        before = old_queries.ask(self._scratch.url(BEFORE, self.files.application_role), script)
        wrong = next((each for each in before if each.error is not None), None)
        if wrong is not None:
            raise UnreachableError(
                f"{name} line {wrong.line} fails before the migration, too: {wrong.error}: mend the list"
            )
        after = old_queries.ask(self._scratch.url(MIGRATED, self.files.application_role), script)
        return list(zip(before, after, strict=True))

    def _restored(self) -> RestoreDifference:
        self.tables_before()
        before = contents(self._scratch.url(BEFORE))
        if not any(each.rows for each in before.values()):
            name = self.files.read("schema")[0]
            raise UnreachableError(f"{name} has no row: nothing could get lost: name a dump with rows")
        self._scratch.make(RESTORED)
        ran = self._scratch.restore(RESTORED, self._scratch.backup(BEFORE))
        if ran.error is not None:
            return RestoreDifference(ran, len(before), {})
        now = contents(self._scratch.url(RESTORED))
        none = Contents(0, "")
        lost = {
            table: (old.rows, now.get(table, none).rows)
            for table, old in before.items()
            if now.get(table, none) != old
        }
        pairs = differing_once_loaded(
            self._scratch.url(RESTORED), self._scratch.parts(BEFORE), self._scratch.parts(RESTORED)
        )
        other = told(pairs, "is not restored", "was not there before", "is restored as another")
        return RestoreDifference(ran, len(before), lost, tuple(other))

    def _locks(self) -> list[TableLock]:
        name, script = self.files.read("migration")
        refuse(name, script)
        self.tables_before()
        alone: set[int] = set()
        while True:
            self._scratch.make(LOCKS, BEFORE)
            rows = self._scratch.execute(LOCKS, locks.PLACES)
            places = {int(str(oid)): str(table) for oid, table in rows}
            ran = self._scratch.migrate(LOCKS, name, locks.looking(script, alone))
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
        return {table: each.rows for table, each in contents(self._scratch.url(BEFORE)).items()}


def _at(ran: Ran) -> str:
    return "" if ran.line is None else f"line {ran.line}: "
