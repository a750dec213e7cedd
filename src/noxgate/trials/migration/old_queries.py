"""What the version before asks the database, asked again on the schema of the release."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from noxgate.look.observation import shortened
from noxgate.machine.late import late
from noxgate.trials.sql_script import Script

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")


@dataclass(frozen=True)
class Answered:
    """What one statement answered: the names and types of its columns, its rows; or an error."""

    line: int
    query: str
    columns: tuple[tuple[str, int], ...] = ()
    count: int = 0
    error: str | None = None


def ask(url: str, script: Script) -> list[Answered]:
    """Send every statement of a script, in order, in one transaction that is rolled back at the end.

    Each sees what those before it wrote, but for those that failed.
    """
    answers = []
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL statement_timeout = '30s'")
        for statement in script.statements:
            query = shortened(statement.words, 60)
            text = script.text[statement.start : statement.stop].encode()
            try:
                with connection.transaction():
                    cursor = connection.execute(text)
                    columns = tuple((column.name, column.type_code) for column in cursor.description or ())
                    answers.append(Answered(statement.line, query, columns, cursor.rowcount))
            except psycopg.Error as error:
                lines = str(error).strip().splitlines() or [type(error).__name__]
                answers.append(
                    Answered(statement.line, query, error=shortened(error.diag.message_primary or lines[0]))
                )
        connection.rollback()
    return answers


def broken(before: Answered, after: Answered) -> str | None:
    """Why the old version cannot work with the second answer as with the first; more columns do not count."""
    where = f"line {after.line}: {after.query}"
    if after.error is not None:
        return f"{where}: {after.error}"
    lost = [name for name, kind in before.columns if (name, kind) not in after.columns]
    if lost:
        return f"{where}: column {', '.join(lost)} is gone, or has another type"
    if after.count != before.count:
        return f"{where}: {after.count} rows, {before.count} before the migration"
    return None
