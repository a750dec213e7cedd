"""Databases of the scratch server have the target's locale and its provider, or one that is like it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, LiteralString, cast

import psycopg
import pytest

from noxgate.machine.doctor import program
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.surroundings import Surroundings, surroundings
from noxgate.trials.table_contents import columns, held

if TYPE_CHECKING:
    from noxgate.systems.postgres.database import Database

MAJOR = int(program("postgres").parents[1].name)
ASCII = Surroundings(encoding="UTF8", collate="C", ctype="C")
LACKING = replace(ASCII, collate="de_XX.utf8", ctype="de_XX.utf8")
TURKISH = replace(LACKING, provider=("i", "tr-TR", ""))
RULED = replace(ASCII, provider=("i", "und", "&a < g" if MAJOR >= 16 else ""))
BUILTIN = replace(ASCII, provider=("b", "C.UTF-8", "") if MAJOR >= 17 else None)
UNKNOWN = replace(ASCII, provider=("x", "of another day", ""))
DOTLESS = "\N{LATIN SMALL LETTER DOTLESS I}"


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    server = ScratchServer(programs(MAJOR))
    yield server
    server.close()


class On:
    """The scratch server's database in place of a target's."""

    def __init__(self, server: ScratchServer, name: str) -> None:
        self._server = server
        self._name = name

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        return self._server.execute(self._name, query)


@pytest.mark.parametrize(
    ("like", "lower"),
    [
        (ASCII, "École i"),
        (LACKING, "école i"),
        (TURKISH, f"école {DOTLESS}"),
        (RULED, "école i"),
        (BUILTIN, "école i" if MAJOR >= 17 else "École i"),
    ],
    ids=["C", "lacking", "ICU", "ICU with rules", "builtin"],
)
def test_letters(server: ScratchServer, like: Surroundings, lower: str) -> None:
    """Without the target's locale one that knows letters beyond ASCII: a CHECK or an index may ask."""
    server.surround(like)

    name = server.create()

    assert server.execute(name, "SELECT lower('ÉCOLE I')") == [(lower,)]
    assert surroundings(cast("Database", On(server, name))).provider == like.provider


def test_provider_of_another_day(server: ScratchServer) -> None:
    server.surround(UNKNOWN)

    assert surroundings(cast("Database", On(server, server.create()))).provider is None


def test_generated_values_are_in_no_dump(server: ScratchServer) -> None:
    """They are made anew when it is loaded, by the locale that is there."""
    server.surround(TURKISH)
    name = server.create()
    made = """
    CREATE TABLE t (a text, b text GENERATED ALWAYS AS (lower(a)) STORED);
    CREATE TABLE alone (n int GENERATED ALWAYS AS (1 + 1) STORED);
    INSERT INTO t VALUES ('I'), ('x');
    INSERT INTO alone DEFAULT VALUES;
    """
    assert server.run(name, "made.sql", made, within=30).error is None
    server.surround(ASCII)
    restored = server.create()
    words = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", "{database}", "-f", "{file}")
    assert server.restore(restored, server.backup(name), words, within=30).error is None

    values = [server.execute(each, "SELECT max(b) FROM t WHERE a = 'I'") for each in (name, restored)]
    found = []
    for each in (name, restored):
        with psycopg.connect(server.url(each)) as connection:
            found.append(held(connection, columns(connection)))

    assert values == [[(DOTLESS,)], [("i",)]]
    assert found[0] == found[1]
    assert {table: contents.rows for table, contents in found[0].items()} == {"t": 2, "alone": 1}
