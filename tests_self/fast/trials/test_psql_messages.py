"""What psql says, in the languages that PostgreSQL speaks: errors are found, and notices are left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noxgate.machine.doctor import program
from noxgate.trials.psql_messages import errors
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs

SCRIPT = r"""\unset ON_ERROR_STOP
DO $$ BEGIN
    RAISE NOTICE E'done\nERROR:  0 rows'; RAISE WARNING 'FEHLER: 0'; RAISE INFO 'x';
    RAISE LOG 'x';
END $$;
"""


@pytest.fixture(scope="module", params=["de", "fr", "ka", "ru", "zh_CN"])
def server(request: pytest.FixtureRequest) -> Iterator[ScratchServer]:
    """A real server, and a psql, in that language: Debian's packages have the translations."""
    with pytest.MonkeyPatch.context() as patch:
        plain = ScratchServer._as_owner  # noqa: SLF001

        def speaking(self: ScratchServer, folder: Path) -> dict[str, Any]:
            settings = plain(self, folder)
            settings["env"]["LANGUAGE"] = request.param
            return settings

        patch.setattr(ScratchServer, "_as_owner", speaking)
        server = ScratchServer(programs(int(program("postgres").parents[1].name)))
        yield server
        server.close()


def test_real_messages_in_another_language(server: ScratchServer) -> None:
    """An error that the script lets pass is found with its line, psql's own too; notices are left out."""
    database = server.create()

    assert server.run(database, "m.sql", SCRIPT, within=20).error is None
    ran = server.run(database, "m.sql", f"{SCRIPT}SELECT 1 FROM nobody;\nSELECT 2;\n", within=20)
    assert ran.line == 6
    assert "nobody" in (ran.error or "")
    own = server.run(database, "m.sql", f"{SCRIPT}\\nothing\nSELECT 2;\n", within=20)
    assert (own.line, own.error is not None) == (6, True)


def found(text: str) -> list[tuple[int, int | None, str]]:
    return [(each.number, each.line, each.message) for each in errors(text.splitlines())]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "psql:m.sql:41: FEHLER:  Spalte »x« existiert nicht",
            (41, "Spalte »x« existiert nicht"),
        ),
        ("psql:/a:b/m.sql:3: ERREUR :  la relation n'existe pas", (3, "la relation n'existe pas")),
        ("psql:m.sql:3: ERREUR\u00a0:  la relation", (3, "la relation")),
        ("psql:C:/nox/m.sql:3: HATA:  bir dil daha", (3, "bir dil daha")),
        ("psql:<stdin>:7: OSHIBKA:  a language nobody listed", (7, "a language nobody listed")),
        ("psql:m.sql:9: invalid command \\foo", (9, "invalid command \\foo")),
        ("psql.exe:m.sql:9: error: invalid command \\foo", (9, "invalid command \\foo")),
        ("\x1b[01mpsql:m.sql:4: \x1b[0m\x1b[01;31merror: \x1b[0minvalid command", (4, "invalid command")),
        (
            "psql: Fehler: keine Verbindung",
            (None, "keine Verbindung"),
        ),
        (
            "pg_restore: error: query failed: ERROR:  no",
            (None, "query failed: ERROR:  no"),
        ),
        ("ОШИБКА:  отношение не существует", (None, "отношение не существует")),
        ("ERREUR :  la relation", (None, "la relation")),
        ("command terminated with exit code 3", (None, "command terminated with exit code 3")),
    ],
)
def test_what_is_an_error(line: str, expected: tuple[int | None, str]) -> None:
    for text in (f"BEGIN\n{line}\nCOMMIT", f"BEGIN\npsql:m.sql:1: NOTICE:  x\nDO\n{line}"):
        number = text.splitlines().index(line) + 1
        assert found(text) == [(number, *expected)]


@pytest.mark.parametrize(
    "text",
    [
        "psql:m.sql:3: NOTICE:  relation exists, skipping",
        "psql:m.sql:3: NOTICE:  two lines\nERROR:  of a notice\nFEHLER:  and its third",
        "psql:m.sql:3: HINWEIS:  zwei\nFEHLER:  Zeilen",
        "psql:m.sql:3: ATTENTION :  deux\nCONTEXT:  f()",
        "NOTICE:  two lines\nERROR: of a notice that has no file before it",
        "psql:m.sql:3: warning: extra argument ignored",
        "psql: Warnung: überflüssiges Argument",
        "\x1b[01mpsql:m.sql:4: \x1b[0m\x1b[01;35mwarning: \x1b[0m\\x: extra argument",
        " ERROR: a row\n(1 row)\n an error: | 1",
        "CREATE TABLE\nINSERT 0 1\nCOMMIT",
    ],
)
def test_what_is_none(text: str) -> None:
    assert found(text) == []


def test_error_after_a_notice() -> None:
    """The next message, and the next statement's answer, end a notice; without a file two spaces tell."""
    assert [each[0] for each in found("psql:m.sql:3: NOTICE:  x\npsql:m.sql:3: ERROR:  y")] == [2]
    assert [each[0] for each in found("psql:m.sql:3: NOTICE:  x\nDO\nERROR:  of the next program")] == [3]
    assert [each[0] for each in found("NOTICE:  x\nERROR:  y")] == [2]
