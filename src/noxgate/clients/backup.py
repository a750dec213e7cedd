"""Tonight's backup, for one check: the file, its records, and what it restores to."""

import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psycopg

from noxgate.clients import dump_file, saved
from noxgate.clients.backup_trial import OWNERS, BackupTrial, Restored
from noxgate.clients.database import Database, DatabaseSession
from noxgate.clients.dump_file import Form
from noxgate.clients.observation import Observation, Observe, shortened
from noxgate.clients.table_contents import Contents, held
from noxgate.runbook import Release
from noxgate.target import UnreachableError

T = TypeVar("T")
CHUNK = 1 << 20
STAMP = "%Y%m%d_%H%M%S"  # as `date +%Y%m%d_%H%M%S` in the name


@dataclass(frozen=True)
class Times:
    """When it was written, by the file; and by its name, in the time zone of whoever made it."""

    written: datetime
    named: datetime | None


@dataclass(frozen=True)
class Recorded:
    """What the database held when the backup was taken: its name, and each table."""

    database: str
    tables: Mapping[str, Contents]


class Backup:
    """Looks at the newest backup of a release. `database` and `session` are the target's, which it is of."""

    def __init__(
        self,
        trial: BackupTrial,
        release: Release,
        session: DatabaseSession,
        observe: Observe,
    ) -> None:
        self._trial = trial
        self._version = release.version
        self._session = session
        self._observe = observe
        self._database = Database(session, observe)

    def file(self) -> Path:
        """The newest; AssertionError where there is none."""
        pattern = f"backup_pre_v{self._version}_*.sql"
        return self._look(
            lambda: saved.newest(self._trial.target, pattern), saved.listing(self._trial.target, pattern)
        )

    def form(self) -> Form:
        """What it looks like, read from beginning to end."""
        path = self.file()
        repeat = f"ls -l {_quoted(path)}; file {_quoted(path)}; tail -n 6 {_quoted(path)}"
        found = self._look(lambda: dump_file.form(path), repeat)
        ending = "with" if found.ends else "without"
        seen = f"{path.name}: {found.size} bytes, {ending} pg_dump's closing lines"
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
            words = record.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no text"
            self._observe(Observation(f"{record.name}: {reason}", repeat))
            raise AssertionError(f"{record.name}: {reason}") from None
        recorded = words[0].lower() if words else ""
        if len(words) > 1 and Path(words[1].lstrip("*")).name != path.name:
            recorded = f"of {Path(words[1]).name}: {recorded}"
        own = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                own.update(chunk)
        self._observe(Observation(f"{path.name}: {own.hexdigest()}, recorded {recorded}", repeat))
        return recorded, own.hexdigest()

    def restored(self) -> Restored:
        """Restored into an empty scratch database, with the command that the profile names."""
        path = self.file()
        words = shlex.join(self._trial.target.restore)
        repeat = f"createdb scratch && {words.replace('{file}', _quoted(path))}"
        found = self._look(lambda: self._trial.restored(path, self._database), repeat)
        ran = found.ran
        seen = ran.error or f"{len(found.contents)} tables in {ran.seconds / 60:.2f} minutes"
        self._observe(Observation(shortened(seen), repeat))
        return found

    def recorded(self) -> Recorded | None:
        """What docs/BACKUP.md has recorded beside it, in the backup's own snapshot; None: nothing was."""
        path = self.file()
        record = path.with_name(f"{path.name}.tables")
        repeat = f"cat {_quoted(record)}"
        try:
            lines = record.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            said = f"no {record.name}: the restored rows are compared with what the database holds now"
            self._observe(Observation(said, repeat))
            return None
        tables: dict[str, Contents] = {}
        database = ""
        for number, line in enumerate(lines, start=1):
            match line.split("\t"):
                case ["database", name]:
                    database = name
                case [table, rows, digest] if rows.isdecimal():
                    tables[table] = Contents(int(rows), digest)
                case _:
                    raise AssertionError(
                        f"{record.name}:{number}: expected TABLE, ROWS, SUM, saw {shortened(line, 60)!r}"
                    )
        self._observe(Observation(f"{database}: {_sum(tables)}", repeat))
        return Recorded(database, tables)

    def now(self, tables: Mapping[str, Sequence[str]]) -> Recorded:
        """What these columns of the target's tables hold now; a table that is not there is left out."""
        repeat = f'psql "${self._session.variable}"   # docs/BACKUP.md has the queries'
        found = self._look(lambda: self._held(tables), repeat)
        self._observe(Observation(f"{found.database}: {_sum(found.tables)}", repeat))
        return found

    def database(self) -> str:
        """What the target's database is called."""
        ((name,),) = self._database.rows("SELECT current_database()")
        return str(name)

    def owners(self) -> dict[str, str]:
        """Who owns each of the target's tables."""
        rows = self._database.rows(OWNERS)
        return {
            str(table) if schema == "public" else f"{schema}.{table}": owner for schema, table, owner in rows
        }

    def _held(self, tables: Mapping[str, Sequence[str]]) -> Recorded:
        connection = self._session.connection()
        try:
            with connection.transaction():
                connection.execute("SET LOCAL statement_timeout = '120s'")
                there = connection.execute("SELECT current_database()").fetchone()
                found: dict[str, Contents] = {}
                for table, names in tables.items():
                    try:
                        with connection.transaction():
                            found |= held(connection, {table: names})
                    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                        continue
        except psycopg.Error as error:
            raise UnreachableError(f"${self._session.variable}: {str(error).splitlines()[0]}") from None
        assert there is not None
        return Recorded(str(there[0]), found)

    def _look(self, look: Callable[[], T], repeat: str) -> T:
        try:
            return look()
        except (UnreachableError, AssertionError) as error:
            words = "could not look: " if isinstance(error, UnreachableError) else ""
            self._observe(Observation(f"{words}{error}", repeat))
            raise


def differing(wanted: Mapping[str, Contents], found: Mapping[str, Contents]) -> dict[str, str]:
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
