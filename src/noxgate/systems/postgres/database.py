"""PostgreSQL, read only: every query runs in a READ ONLY transaction with a time limit.

Both are of the transaction alone: behind PgBouncer a setting of the session would stay on a connection that
the application gets next.
"""

import shlex
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, LiteralString, TypeAlias

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, Patience, exported, shortened
from noxgate.machine.late import late
from noxgate.systems.settings import DatabaseSettings

if TYPE_CHECKING:
    import psycopg
    from psycopg import errors
else:
    psycopg = late("psycopg")
    errors = late("psycopg.errors")

MOST_ROWS = 10_000
MOST_PARTS = 2_000_000  # of a catalog: a table of many partitions has thousands
Value: TypeAlias = "datetime | str | list[str]"


class DatabaseSession:
    """The connection to one target's database, opened at the first look and kept for a whole run."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self.variable = settings.url.variable or "DATABASE_URL"
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self.patience = Patience("the database")

    def connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """An open connection. Raises UnreachableError if it cannot be opened."""
        url = self._settings.url.secret()
        if self._connection is None or self._connection.closed:
            try:
                self._connection = psycopg.connect(
                    url.reveal(),
                    connect_timeout=5,
                    application_name="noxgate",
                    tcp_user_timeout=8000,
                    prepare_threshold=None,  # PgBouncer hands each transaction to another server connection
                )
            except psycopg.Error as error:
                raise UnreachableError(f"${url.name}: {_reason(error)}") from None
            self._connection.read_only = True
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self.patience.close(self._connection.close)


class Database:
    """Looks at the database for one check and records what it saw."""

    def __init__(self, session: DatabaseSession, observe: Observe) -> None:
        self._session = session
        self._observe = observe
        self._variable = session.variable

    def catalog(
        self, query: LiteralString, settings: Sequence[LiteralString], name: str
    ) -> list[tuple[Any, ...]]:
        """All rows of a long query, however many, with these settings in its transaction; `name` is shown."""
        repeat = f'psql "{exported(self._variable)}" -f {shlex.quote(name)}'
        try:
            rows = self._session.patience.run(lambda: self._rows(query, {}, settings, MOST_PARTS))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        except psycopg.Error as error:
            self._observe(Observation(f"could not look: {_reason(error)}", repeat))
            raise UnreachableError(f"${self._variable}: {_reason(error)}") from None
        self._observe(Observation(f"{len(rows)} rows of the catalog", repeat))
        return rows

    def rows(self, query: LiteralString, **values: Value) -> list[tuple[Any, ...]]:
        """The rows of a query, at most MOST_ROWS of them; `%(since)s` in it is the value `since`."""
        shown = " ".join(query.split())
        for name, value in values.items():
            shown = shown.replace(f"%({name})s", _quoted(value))
        repeat = f'psql "{exported(self._variable)}" -c {shlex.quote(shown)}'
        started = time.perf_counter()
        try:
            rows = self._session.patience.run(lambda: self._rows(query, values))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        except psycopg.Error as error:
            self._observe(Observation(f"the query failed: {_reason(error)}", repeat))
            raise AssertionError(f"the query failed: {_reason(error)}") from None
        milliseconds = (time.perf_counter() - started) * 1000
        count = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
        shown = ", ".join(str(row[0] if len(row) == 1 else row) for row in rows)
        self._observe(Observation(f"{count} in {milliseconds:.0f} ms: {shortened(shown)}", repeat))
        return rows

    def _rows(
        self,
        query: LiteralString,
        values: Mapping[str, Value],
        settings: Sequence[LiteralString] = (),
        most: int = MOST_ROWS,
    ) -> list[tuple[Any, ...]]:
        connection = self._session.connection()
        try:
            with connection.transaction():
                connection.execute("SET LOCAL statement_timeout = '8s'")
                for setting in settings:
                    connection.execute(setting)
                rows = connection.execute(query, values or None).fetchmany(most + 1)
        except (errors.QueryCanceled, errors.InsufficientPrivilege) as error:
            raise UnreachableError(f"${self._variable}: {_reason(error)}") from None
        except psycopg.OperationalError as error:  # the connection was lost
            connection.close()
            raise UnreachableError(f"${self._variable}: {_reason(error)}") from None
        if len(rows) > most:
            raise UnreachableError(f"${self._variable}: expected at most {most} rows, saw more")
        return rows


def _quoted(value: Value) -> str:
    """As psql takes it."""
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(_quoted, value))}]::text[]"
    text = value.isoformat() if isinstance(value, datetime) else value.replace("'", "''")
    return f"'{text}'"


def _reason(error: "psycopg.Error") -> str:
    """The first line of PostgreSQL's own words."""
    lines = str(error).strip().splitlines()
    return shortened(error.diag.message_primary or (lines[0] if lines else type(error).__name__))
