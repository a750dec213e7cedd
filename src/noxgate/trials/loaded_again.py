"""What definitions read like once they went through a dump and a load.

PostgreSQL writes an expression anew from what it has parsed: `status IN ('a', 'b')` on a varchar, nested ANDs
and casts read differently after one load, and never again. So two catalogs are compared after each definition
was loaded once more, in a database that has the tables: all is rolled back.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from noxgate.machine.late import late
from noxgate.trials.whole_catalog import SPELLING, Connection, Pairs, Part, different_parts

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = late("psycopg")

AGAIN = "noxgate_again"
_COPY = f"pg_temp.{AGAIN}"


def differing_once_loaded(url: str, here: Iterable[Part], there: Iterable[Part]) -> Pairs:
    """What is not the same, once each of both sides was loaded once more into the database at `url`."""
    pairs = different_parts(here, there)
    texts = [(one, other) for one, other in pairs if one is not None and other is not None]
    ours, theirs = (loaded_again(url, side) for side in ([a for a, _ in texts], [b for _, b in texts]))
    same = {one.key for one, other in zip(ours, theirs, strict=True) if one == other}
    return [(one, other) for one, other in pairs if one is None or other is None or one.key not in same]


def loaded_again(url: str, given: Iterable[Part]) -> list[Part]:
    """Each as it would be after one load more; what the database at `url` refuses stays as it is."""
    found = []
    with psycopg.connect(url) as connection:
        for statement in (*SPELLING, "SET LOCAL check_function_bodies = off"):
            connection.execute(statement.encode())
        for part in given:
            way = _WAYS.get(part.kind)
            found.append(part if way is None else _once_more(connection, part, way))
        connection.rollback()
    return found


def _once_more(connection: Connection, part: Part, way: Callable[[Connection, Part], str]) -> Part:
    try:
        with connection.transaction(force_rollback=True):
            return part._replace(definition=way(connection, part))
    except psycopg.Error:
        return part


def _constraint(connection: Connection, part: Part) -> str:
    if not part.definition.startswith(("CHECK ", "EXCLUDE ")):
        return part.definition  # columns and tables, no expression
    _copied(connection, part.place)
    _run(connection, f"ALTER TABLE {_COPY} ADD CONSTRAINT {AGAIN}_1 {part.definition}")
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
    return _one(connection, f"{query} WHERE conname = '{AGAIN}_1' AND conrelid = '{_COPY}'::regclass")


def _index(connection: Connection, part: Part) -> str:
    head, mark, tail = _at_its_table(part)
    begin = head.partition("INDEX ")[0]
    _copied(connection, part.place)
    _run(connection, f"{begin}INDEX {AGAIN}_1 ON {_COPY} {tail}")
    return head + mark + _tail(connection, f"SELECT pg_get_indexdef('{_COPY}_1'::regclass)")


def _trigger(connection: Connection, part: Part) -> str:
    if not part.definition.startswith("CREATE "):
        return part.definition  # as its parent's
    head, mark, tail = _at_its_table(part)
    _copied(connection, part.place)
    _run(connection, f"{head} ON {_COPY} {tail}")
    query = f"SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = '{_COPY}'::regclass"
    return head + mark + _tail(connection, query)


def _at_its_table(part: Part) -> tuple[str, str, str]:
    """What stands before the name of its table, that name, and what follows."""
    marks = (f" ON {part.place} ", f" ON ONLY {part.place} ")
    mark = next(mark for mark in marks if mark in part.definition)
    return part.definition.partition(mark)


def _tail(connection: Connection, query: str) -> str:
    """What follows the name of the copy in a definition."""
    text = _one(connection, query)
    return text[text.index(f".{AGAIN} ") + len(f".{AGAIN} ") :]


def _default(connection: Connection, part: Part) -> str:
    _copied(connection, part.place)
    _run(connection, f"ALTER TABLE {_COPY} ALTER COLUMN {part.name} SET DEFAULT {part.definition}")
    return _expression(connection)


def _generated(connection: Connection, part: Part) -> str:
    _copied(connection, part.place)
    column = _one(
        connection,
        f"SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        f" WHERE attrelid = '{_COPY}'::regclass AND quote_ident(attname) = $noxgate${part.name}$noxgate$",
    )
    _run(connection, f"ALTER TABLE {_COPY} DROP COLUMN {part.name}")
    _run(
        connection,
        f"ALTER TABLE {_COPY} ADD COLUMN {part.name} {column} GENERATED ALWAYS AS ({part.definition}) STORED",
    )
    return _expression(connection)


def _expression(connection: Connection) -> str:
    query = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef"
    return _one(connection, f"{query} WHERE adrelid = '{_COPY}'::regclass")


def _partition_key(connection: Connection, part: Part) -> str:
    _run(connection, f"CREATE TABLE {_COPY} (LIKE {part.place}) PARTITION BY {part.definition}")
    return _one(connection, f"SELECT pg_get_partkeydef('{_COPY}'::regclass)")


def _view(connection: Connection, part: Part) -> str:
    names = _one(
        connection,
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        f" WHERE attrelid = $noxgate${part.place}$noxgate$::regclass AND attnum > 0 AND NOT attisdropped",
    )
    _run(connection, f"CREATE TEMP VIEW {AGAIN} ({names}) AS {part.definition}")
    return _one(connection, f"SELECT pg_get_viewdef('{_COPY}'::regclass)")


def _rule(connection: Connection, part: Part) -> str:
    _run(connection, f"DROP RULE {part.name} ON {part.place}")
    _run(connection, part.definition)
    return _one(
        connection,
        "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE quote_ident(rulename) ="
        f" $noxgate${part.name}$noxgate$ AND ev_class = $noxgate${part.place}$noxgate$::regclass",
    )


def _using(connection: Connection, part: Part) -> str:
    _run(connection, f"CREATE POLICY {AGAIN} ON {part.place} USING ({part.definition})")
    return _one(connection, f"SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = '{AGAIN}'")


def _check(connection: Connection, part: Part) -> str:
    _run(connection, f"CREATE POLICY {AGAIN} ON {part.place} FOR INSERT WITH CHECK ({part.definition})")
    query = "SELECT pg_get_expr(polwithcheck, polrelid) FROM pg_policy"
    return _one(connection, f"{query} WHERE polname = '{AGAIN}'")


def _domain_default(connection: Connection, part: Part) -> str:
    _run(connection, f"ALTER DOMAIN {part.place} SET DEFAULT {part.definition}")
    query = "SELECT pg_get_expr(typdefaultbin, 0) FROM pg_type"
    return _one(connection, f"{query} WHERE oid = $noxgate${part.place}$noxgate$::regtype")


def _domain_constraint(connection: Connection, part: Part) -> str:
    valid = "" if part.definition.endswith(" NOT VALID") else " NOT VALID"
    _run(connection, f"ALTER DOMAIN {part.place} ADD CONSTRAINT {AGAIN} {part.definition}{valid}")
    text = _one(connection, f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{AGAIN}'")
    return text.removesuffix(valid) if valid else text


def _function(connection: Connection, part: Part) -> str:
    if "\nAS $" in part.definition:
        return part.definition  # its body is a string, kept to the letter
    _run(connection, part.definition)
    return _one(connection, f"SELECT pg_get_functiondef($noxgate${part.place}$noxgate$::regprocedure)")


def _statistics(connection: Connection, part: Part) -> str:
    _run(connection, f"DROP STATISTICS {part.place}")
    _run(connection, part.definition)
    return _one(connection, "SELECT pg_get_statisticsobjdef(max(oid)) FROM pg_statistic_ext")


_WAYS: dict[str, Callable[[Connection, Part], str]] = {
    "constraint": _constraint,
    "index": _index,
    "trigger": _trigger,
    "default": _default,
    "generated": _generated,
    "partition key": _partition_key,
    "view": _view,
    "rule": _rule,
    "policy using": _using,
    "policy check": _check,
    "domain default": _domain_default,
    "domain constraint": _domain_constraint,
    "function": _function,
    "procedure": _function,
    "statistics": _statistics,
}


def _copied(connection: Connection, place: str) -> None:
    """An empty table of the same columns, for this session and until the next rollback."""
    _run(connection, f"CREATE TABLE {_COPY} (LIKE {place})")


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode(), prepare=True)  # one statement, with any text in a definition


def _one(connection: Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    return "" if row is None or row[0] is None else str(row[0])
