"""Tonight's backup, for one check: the file, its records, and what it restores to."""

import hashlib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, exported, shortened
from noxgate.machine.late import late
from noxgate.project.keys.release import BACKUP_FORMS
from noxgate.project.runbook import Release
from noxgate.systems.postgres import by_hand
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.trials.backup import archive, checksum, dump_file, proof
from noxgate.trials.backup.dump_file import DumpForm
from noxgate.trials.backup.record import RecordedBackup, read_record
from noxgate.trials.backup.trial import BackupTrial, Restored, positions
from noxgate.trials.table_contents import Contents, hides_rows, rows
from noxgate.trials.whole_catalog import Part, of_target

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")

T = TypeVar("T")
CHUNK = 1 << 20
STAMP = "%Y%m%d_%H%M%S"  # as `date +%Y%m%d_%H%M%S` in the name


@dataclass(frozen=True)
class Times:
    """When it was written, by the file; and by its name, in the time zone of whoever made it."""

    written: datetime
    named: datetime | None


class Backup:
    """Looks at the newest backup of a release. `database` and `session` are the target's, which it is of."""

    def __init__(
        self,
        trial: BackupTrial,
        release: Release,
        called: str,
        session: DatabaseSession,
        observe: Observe,
    ) -> None:
        self._trial = trial
        self._version = release.version
        self._called = called.replace("{version}", release.version)
        self._session = session
        self._observe = observe
        self._database = Database(session, observe)

    def file(self) -> Path:
        """The newest. Raises AssertionError if it does not exist."""
        pattern = f"{self._called}{BACKUP_FORMS[self._trial.settings.form]}"
        saved = self._trial.settings.saved
        return self._look(lambda: saved.newest(pattern), saved.listing(pattern))

    def form(self) -> DumpForm:
        """What it looks like, read from beginning to end."""
        path = self.file()
        repeat = f"ls -l {_quoted(path)}; file {_quoted(path)}; tail -n 6 {_quoted(path)}"
        if self._trial.settings.form == "plain":
            found = self._look(lambda: dump_file.form(path), repeat)
            seen = f"{'with' if found.ends else 'without'} pg_dump's closing lines"
        else:
            repeat = f"pg_restore --file=/dev/null {_quoted(path)}"
            found = self._look(lambda: archive.form(path, self._trial.programs(self._database)), repeat)
            seen = "read to its end" if found.ends else "without a readable end"
        seen = f"{path.name}: {found.size} bytes, {seen}"
        self._observe(Observation(seen, repeat))
        return found

    def times(self) -> Times:
        """When it was taken."""
        path = self.file()
        stamp = path.stem.rpartition(f"v{self._version}_")[2]
        try:
            named = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
        except ValueError:
            named = None
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        self._observe(
            Observation(f"{path.name}: written at {written:%F %T} UTC", f"ls -l --full-time {_quoted(path)}")
        )
        return Times(written, named)

    def checksums(self) -> tuple[str, str]:
        """The SHA-256 that is recorded beside it for a file of this name, and its own."""
        path = self.file()
        record = path.with_name(f"{path.name}.sha256")
        repeat = f"cd {_quoted(path.parent)} && sha256sum -c {_quoted(Path(record.name))}"
        try:
            text = record.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no text"
            self._observe(Observation(f"{record.name}: {reason}", repeat))
            raise AssertionError(f"{record.name}: {reason}") from None
        if path.is_dir():
            lines = archive.sums(path)
            found = sorted(f"{each.digest}  {each.name}" for each in checksum.checksums(text))
            self._observe(Observation(f"{path.name}: {len(lines)} files, {len(found)} recorded", repeat))
            return "\n".join(found), "\n".join(lines)
        recorded = checksum.said_of(text, path.name)
        own = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                own.update(chunk)
        self._observe(Observation(f"{path.name}: {own.hexdigest()}, recorded {recorded}", repeat))
        return recorded, own.hexdigest()

    def restored(self) -> Restored:
        """Restored into an empty scratch database, with the command that the profile names."""
        path = self.file()
        repeat = by_hand.restoring(self._trial.settings.restore, str(path))
        found = self._look(lambda: self._trial.restored(path, self._database), repeat)
        ran = found.ran
        seen = ran.error or f"{len(found.columns)} tables in {ran.seconds / 60:.2f} minutes"
        self._observe(Observation(shortened(seen), repeat))
        if ran.warnings:
            half = " (with it a restore that fails leaves half: docs/BACKUP.md)" if ran.splits else ""
            self._observe(Observation(shortened(f"warned: {'; '.join(ran.warnings)}{half}"), repeat))
        return found

    def recorded(self) -> RecordedBackup | None:
        """What docs/BACKUP.md has recorded beside it, in the backup's own snapshot; None if nothing was."""
        path = self.file()
        record = path.with_name(f"{path.name}.tables")
        repeat = f"cat {_quoted(record)}"
        try:
            found = read_record(record)
        except FileNotFoundError:
            said = f"no {record.name}: the restored rows are compared with what the database holds now"
            self._observe(Observation(said, repeat))
            return None
        self._observe(Observation(f"{found.database}: {_sum(found.tables)}", repeat))
        return found

    def now(self, tables: Iterable[str], *, is_recorded: bool) -> Mapping[str, int]:
        """The rows of the target's tables of these names; a table that is not there is left out.

        With a record of the backup's own moment, so is one that row security hides from us.
        """
        asked = "SELECT relname, n_live_tup FROM pg_stat_user_tables ORDER BY 1"  # estimates
        repeat = f'psql "{exported(self._session.variable)}" -c {shlex.quote(asked)}'
        found = self._look(lambda: self._counted(tables, is_recorded=is_recorded), repeat)
        said = ", ".join(f"{name} {rows}" for name, rows in found.items())
        self._observe(Observation(shortened(f"now: {said}"), repeat))
        return found

    def sequences(self) -> dict[str, Decimal]:
        """What each of the target's sequences has handed out last."""
        connection = self._session.connection()
        try:
            with connection.transaction():
                found = positions(connection)
        except psycopg.Error as error:
            raise UnreachableError(f"${self._session.variable}: {str(error).splitlines()[0]}") from None
        said = ", ".join(f"{name} {place}" for name, place in found.items())
        asked = "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"
        repeat = f'psql "{exported(self._session.variable)}" -c {shlex.quote(asked)}'
        self._observe(Observation(shortened(f"sequences now: {said}"), repeat))
        return found

    def database(self) -> str:
        """What the target's database is called."""
        ((name,),) = self._database.rows("SELECT current_database()")
        return str(name)

    def system(self) -> str:
        """The identifier of the target's server, which no other has."""
        ((system,),) = self._database.rows("SELECT system_identifier::text FROM pg_control_system()")
        return str(system)

    def parts(self) -> list[Part]:
        """All that the target's database is made of now."""
        return of_target(self._database)

    def unlike(self, restored: Restored, wanted: Sequence[Part]) -> list[str]:
        """What is not restored as it was: a table, an index, a right, an owner."""
        repeat = f"grep ^part {_quoted(self.file())}.tables"
        invalid = [str(part) for part in wanted if part.kind == "invalid index"]
        if invalid:
            said = f"in production: {', '.join(invalid)}: REINDEX INDEX CONCURRENTLY, or DROP INDEX"
            self._observe(Observation(shortened(said), repeat))
        found = self._look(lambda: proof.unlike(restored.url, restored.parts, wanted), repeat)
        said = "; ".join(found) or f"{len(wanted)} tables, indexes, rights … are restored as they were"
        self._observe(Observation(shortened(said), repeat))
        return found

    def _counted(self, tables: Iterable[str], *, is_recorded: bool) -> dict[str, int]:
        connection = self._session.connection()
        found: dict[str, int] = {}
        try:
            with connection.transaction():
                connection.execute("SET LOCAL statement_timeout = '120s'")
                connection.execute("SET LOCAL row_security = off")
                for table in tables:
                    if hides_rows(connection, table):
                        if is_recorded:
                            continue  # asked all the same, it would be an error in the server's log
                        raise UnreachableError(
                            f"${self._session.variable}: row-level security hides rows of {table}:"
                            " expected a role with BYPASSRLS"
                        )
                    try:
                        with connection.transaction():
                            found[table] = rows(connection, table)
                    except psycopg.errors.UndefinedTable:
                        continue
                    except psycopg.errors.InsufficientPrivilege:
                        if not is_recorded:
                            raise
        except psycopg.Error as error:
            raise UnreachableError(f"${self._session.variable}: {str(error).splitlines()[0]}") from None
        return found

    def _look(self, look: Callable[[], T], repeat: str) -> T:
        try:
            return look()
        except (UnreachableError, AssertionError) as error:
            words = "could not look: " if isinstance(error, UnreachableError) else ""
            self._observe(Observation(f"{words}{error}", repeat))
            raise


def different_tables(wanted: Mapping[str, Contents], found: Mapping[str, Contents]) -> dict[str, str]:
    """The tables that are not as they were, and how."""
    return {
        table: _difference(wanted.get(table), found.get(table))
        for table in {**wanted, **found}
        if wanted.get(table) != found.get(table)
    }


def _difference(old: Contents | None, new: Contents | None) -> str:
    if old is None or new is None:
        return "is not in the backup" if new is None else "was not there when the backup was taken"
    if old.rows != new.rows:
        return f"{old.rows} rows then, {new.rows} restored"
    return f"{old.rows} rows, and others"


def _sum(tables: Mapping[str, Contents]) -> str:
    return shortened(
        f"{len(tables)} tables: " + ", ".join(f"{name} {each.rows}" for name, each in tables.items())
    )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
