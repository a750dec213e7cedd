"""The release's migration, for one check: what is wrong with it, tried on a scratch server, and recorded."""

import shlex
from collections.abc import Callable, Collection
from typing import TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.postgres import by_hand
from noxgate.systems.postgres.database import Database
from noxgate.systems.postgres.table_sizes import table_sizes
from noxgate.trials.migration import lint, old_queries, taken
from noxgate.trials.migration import locks as migration_locks
from noxgate.trials.migration.files import MigrationFiles
from noxgate.trials.migration.lint import LintFinding
from noxgate.trials.migration.trial import Trial
from noxgate.trials.scratch import Ran
from noxgate.trials.sql_script import Statement
from noxgate.trials.table_contents import RestoreDifference, SecondRun
from noxgate.trials.whole_catalog import of_target

T = TypeVar("T")


class Migration:
    """Looks at the migration. `database` is the target's: it is asked for its version and roles, no more."""

    def __init__(self, trial: Trial, database: Database, observe: Observe) -> None:
        self._trial = trial
        self._database = database
        self._observe = observe

    @property
    def files(self) -> MigrationFiles:
        """What the profile names."""
        return self._trial.files

    def statements(self) -> tuple[Statement, ...]:
        """What the script says, statement by statement."""
        _, script = self._look(lambda: self._trial.files.read("migration"), f"cat {self._name('migration')}")
        return script.statements

    def refused(self) -> list[str]:
        """Every statement that PostgreSQL refuses where it stands; what else the linter says is shown."""
        command = f"squawk --pg-version {{version}} {self._name('migration')}"
        name, script = self._look(lambda: self._trial.files.read("migration"), command)
        ((number,),) = self._database.rows(
            "SHOW server_version_num"
        )  # server_version may be 15.18 (Debian …)
        version = f"{int(number) // 10000}.{int(number) % 10000}"
        command = command.format(version=version)
        findings = self._look(lambda: lint.squawk(script, name, version), command)
        wrong = lint.deciding(findings, script) | lint.refused(script)
        self._observe(Observation(_summary(len(script.statements), findings), command))
        return [wrong[line] for line in sorted(wrong)]

    def used_too_early(self) -> list[str]:
        """Every statement that uses a table which only a later one creates."""
        repeat = self._repeat("schema")
        name, script = self._look(lambda: self._trial.files.read("migration"), repeat)
        self._look(lambda: self._trial.server(self._database), repeat)
        tables = self._look(self._trial.tables_before, repeat)
        early = lint.used_too_early(script, tables)
        self._observe(Observation(shortened(f"there before {name}: {', '.join(tables)}"), repeat))
        return [early[line] for line in sorted(early)]

    def unlike_the_target(self) -> list[str]:
        """In what the schema that it is tried on is not the target's own."""
        repeat = self._repeat("schema")
        self._look(lambda: self._trial.server(self._database), repeat)
        here = self._look(self._trial.start, repeat)
        there = of_target(self._database)
        found = self._look(lambda: self._trial.unlike(there), repeat)
        seen = "; ".join(found) or f"{len(here)} tables, columns, indexes, rights … as the target has them"
        self._observe(Observation(shortened(f"{self._name('schema')}: {seen}"), repeat))
        return found

    def first_run(self) -> Ran:
        """Run it on the schema before, stopping at the first error; with the locks it takes, to be read."""
        repeat = self._repeat("schema", "migration")
        self._look(lambda: self._trial.server(self._database), repeat)
        ran = self._look(self._trial.first, repeat)
        if ran.error is not None:
            where = "" if ran.line is None else f"line {ran.line}: "
            self._observe(Observation(f"stopped after {ran.seconds:.2f} s: {where}{ran.error}", repeat))
            return ran
        changes = self._look(self._trial.changes, repeat)
        self._observe(
            Observation(
                f"no error in {ran.seconds:.2f} s; {len(changes)} lines of the catalog changed", repeat
            )
        )
        self._observe(Observation(self._locks(), f"{repeat}   # while another session looks at pg_locks"))
        return ran

    def takes(self, wanted: Collection[str]) -> dict[str, str]:
        """What the first run takes from the version that serves, but for what is listed beside it."""
        repeat = self._repeat("schema", "migration")
        self._look(lambda: self._trial.server(self._database), repeat)
        before, after = self._look(self._trial.sides, repeat)
        shown = taken.differences(before, after)
        self._observe(Observation(shortened(f"{len(shown)} differences: {'; '.join(shown)}", 2000), repeat))
        path = self._trial.files.migration
        listed = self._look(lambda: taken.allowed(path) if path is not None else set(), repeat)
        found = taken.taken(before, after, wanted)
        return {thing: what for thing, what in found.items() if thing not in listed}

    def held_too_long(self, seconds: float) -> list[str]:
        """The locks that keep readers or writers out for longer, with the rows of the target in mind."""
        repeat = f"{self._repeat('schema', 'migration')}   # while another session looks at pg_locks"
        self._look(lambda: self._trial.server(self._database), repeat)
        locks = self._look(self._trial.locks, repeat)
        sizes = table_sizes(self._database, {lock.table for lock in locks})
        there = {table: size.rows for table, size in sizes.items()}
        here = self._look(self._trial.rows, repeat)
        told = migration_locks.too_long(locks, seconds, here, there)
        most = {table: size.most for table, size in sizes.items()}
        unsure = [
            f"{lock}: the target never counted the rows of it: ANALYZE {lock.table} there"
            for lock in migration_locks.uncounted(locks, seconds, most)
        ] + [
            f"{lock}: how long it is held there cannot be told: name a schema with rows of it"
            for lock in migration_locks.unknown(locks, seconds, here, there)
        ]
        if unsure and not told:
            self._observe(Observation(unsure[0], repeat))
            raise UnreachableError(unsure[0])
        self._observe(Observation(shortened("; ".join(told) or f"no lock for {seconds:g} s"), repeat))
        return told

    def after(self) -> Database:
        """The scratch database as the first run left it."""
        return Database(self._trial.session(), self._observe)

    def changes(self) -> list[str]:
        """What the first run changed in the catalog: nothing, if the schema was the release's already."""
        return self._look(self._trial.changes, self._repeat("schema", "migration"))

    def losses(self) -> dict[str, str]:
        """What the first run took away, by table or table.column: rows, columns, tables that were there."""
        repeat = self._repeat("schema", "migration")
        self._look(lambda: self._trial.server(self._database), repeat)
        found = self._look(self._trial.losses, repeat)
        seen = "; ".join(f"{name}: {what}" for name, what in found.items())
        self._observe(Observation(shortened(seen or "all rows and columns are there as they were"), repeat))
        return found

    def second_run(self) -> SecondRun:
        """Run it again on what the first run left."""
        repeat = self._repeat("schema", "migration", "migration")
        self._look(lambda: self._trial.server(self._database), repeat)
        second = self._look(self._trial.second, repeat)
        if second.error is not None:
            seen = f"the second run stopped: {second.error}"
        else:
            seen = f"no error; {len(second.catalog)} lines of the catalog changed; "
            rows = ", ".join(f"{table} {old}→{new}" for table, (old, new) in second.rows.items())
            seen += f"rows: {rows or 'as before'}"
            if second.contents:
                seen += f"; as many rows, but others: {', '.join(second.contents)}"
        self._observe(Observation(shortened(seen), repeat))
        return second

    def old_queries(self) -> list[str]:
        """What the version before asks, each as it is written."""
        _, script = self._look(lambda: self._trial.files.read("old_queries"), self._repeat("old_queries"))
        return [statement.words for statement in script.statements]

    def broken_queries(self) -> list[str]:
        """Those of them that do not work on the new schema as they did on the old, with the reason."""
        repeat = self._repeat("schema", "migration", "old_queries")
        self._look(lambda: self._trial.server(self._database), repeat)
        answers = self._look(self._trial.answers, repeat)
        broken = [why for before, after in answers if (why := old_queries.broken(before, after)) is not None]
        seen = f"{len(answers) - len(broken)} of {len(answers)} statements work as before"
        unasked = [table for table in self._trial.tables_before() if table not in self._trial.asked()]
        seen += f"; no statement asks {', '.join(unasked)}" if unasked else ""
        self._observe(Observation(shortened(seen), repeat))
        return broken

    def restored(self) -> RestoreDifference:
        """Make a backup as the runbook does, and restore it with the command that the profile names."""
        repeat = by_hand.dumping_and_restoring(self._trial.files.form, "backup", self._trial.files.restore)
        self._look(lambda: self._trial.server(self._database), repeat)
        found = self._look(self._trial.restored, repeat)
        seen = found.ran.error or f"{found.tables} tables in {found.ran.seconds:.2f} s"
        self._observe(Observation(shortened(seen), repeat))
        return found

    def _locks(self) -> str:
        try:
            locks = self._trial.locks()
            _, script = self._trial.files.read("migration")
        except (UnreachableError, AssertionError) as error:  # shown, not judged
            return str(error)
        unseen = ", ".join(map(str, migration_locks.not_seen(script, self._trial.alone)))
        seen = "locks on tables in use: "
        seen += "; ".join(map(str, migration_locks.strongest(locks))) or "none"
        return shortened(seen + (f"; not looked into: line {unseen}" if unseen else ""))

    def _look(self, look: Callable[[], T], repeat: str) -> T:
        try:
            return look()
        except (UnreachableError, AssertionError) as error:
            words = "could not look: " if isinstance(error, UnreachableError) else ""
            self._observe(Observation(f"{words}{error}", repeat))
            raise

    def _repeat(self, *keys: str) -> str:
        return by_hand.loading(*map(self._name, keys))

    def _name(self, key: str) -> str:
        path = getattr(self._trial.files, key)
        return f"{key}.sql" if path is None else shlex.quote(str(path))


def _summary(statements: int, findings: list[LintFinding]) -> str:
    shown = [str(finding) for finding in findings]
    return shortened(f"{statements} statements; squawk finds: {'; '.join(shown) or 'nothing'}")
