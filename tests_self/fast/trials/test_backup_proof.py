"""Whether a restored backup is all that was there: with a real PostgreSQL, pg_dump and docs/backup.psql."""

import dataclasses
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest
from tests_self.service import BACKUP

from noxgate.errors import UnreachableError
from noxgate.machine.doctor import program
from noxgate.project.runbook import Release
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.postgres.catalog import Catalog
from noxgate.systems.postgres.database import DatabaseSession
from noxgate.trials.backup import proof, restore_command, room
from noxgate.trials.backup.tonight import Backup, different_tables
from noxgate.trials.backup.trial import BackupTrial, backup_settings
from noxgate.trials.migration import start
from noxgate.trials.scratch import ScratchServer
from noxgate.trials.server.programs import programs
from noxgate.trials.table_contents import Contents
from noxgate.trials.whole_catalog import QUERY, SPELLING, parts

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

NOX = Path(__file__).parents[3] / "src" / "nox_rehearsal" / "nox" / "db"
DOCS = Path(__file__).parents[3] / "docs"
MAJOR = int(program("postgres").parents[1].name)
PSQL = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-d", "{database}", "-f", "{file}")
NAME = "backup_pre_v8.0.0_20251124_220000.sql"
DATABASE: LiteralString = r"""
CREATE ROLE api; CREATE ROLE lead; CREATE ROLE reports;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE TABLE audio (
    id serial PRIMARY KEY, status varchar(9) CHECK (status IN ('queued', 'done')), price money,
    loud text GENERATED ALWAYS AS (upper(status)) STORED, of regclass DEFAULT 'audit',
    audit bigint REFERENCES audit
);
CREATE INDEX audio_open ON audio (id) WHERE status IN ('queued', 'running');
CREATE VIEW some_audio AS SELECT * FROM audio WHERE id BETWEEN 1 AND 90 AND status <> 'done';
CREATE TABLE events (at timestamptz NOT NULL, what mood) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
CREATE SCHEMA "Odd shop"; CREATE TABLE "Odd shop"."Order line" ("A b" text);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS E'BEGIN\r\n  RETURN NEW;\r\nEND';
CREATE TRIGGER stamped BEFORE INSERT ON audio FOR EACH ROW WHEN (NEW.status IN ('queued', 'done'))
EXECUTE FUNCTION stamp();
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON audit TO api USING (note IN ('a', 'b'));
COMMENT ON TABLE audio IS E'Sounds.\r\nWARNING: never deleted.';
GRANT SELECT, INSERT ON audio, audit TO api;
GRANT SELECT ON audio TO lead WITH GRANT OPTION;
SET SESSION AUTHORIZATION lead; GRANT SELECT ON audio TO reports; RESET SESSION AUTHORIZATION;
INSERT INTO audit (note) SELECT 'row ' || n FROM generate_series(1, 40) AS n;
INSERT INTO audio (status, price) SELECT 'queued', n FROM generate_series(1, 40) AS n;
INSERT INTO events SELECT '2026-02-03', 'good' FROM generate_series(1, 40);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 2);
CREATE TABLE made (n int GENERATED ALWAYS AS (1 + 1) STORED); INSERT INTO made DEFAULT VALUES;
INSERT INTO "Odd shop"."Order line" VALUES (E'tab\there');
SELECT lo_from_bytea(4711, 'a large object'); GRANT SELECT ON LARGE OBJECT 4711 TO api;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    """Production's, and the one that the backup is restored on."""
    server = ScratchServer(programs(MAJOR))
    yield server
    server.close()


@pytest.fixture(scope="module")
def production(server: ScratchServer) -> str:
    name = server.create()
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        connection.execute(DATABASE)
        connection.execute(f"ALTER DATABASE {name} SET search_path = 'public', 'Odd shop'".encode())
        connection.execute(f"ALTER DATABASE {name} SET timezone = 'Europe/Berlin'".encode())
    return server.url(name)


@pytest.fixture
def target(production: str, tmp_path: Path) -> Target:
    return Target(
        name="production",
        path=tmp_path / "production.toml",
        serves=("prep",),
        base_url="https://api.example.com",
        plain_url="http://api.example.com",
        namespace="nox-production",
        backups=tmp_path,
        restore=PSQL,
        credentials={"database_url": "URL"},
        variables={"URL": production},
    )


@pytest.fixture
def backup(target: Target, server: ScratchServer) -> Iterator[Backup]:
    session = DatabaseSession(settings.database(target))
    release = Release("8.0.0", date(2025, 11, 24), Path("schema.toml"))
    seen: list[Observation] = []
    yield Backup(BackupTrial(backup_settings(target), server=server), release, BACKUP, session, seen.append)
    session.close()


@contextmanager
def archived(form: str, target: Target, server: ScratchServer) -> Iterator[Backup]:
    """Of a profile that names this form."""
    words = ("pg_restore", "--exit-on-error", "--single-transaction", "-d", "{database}", "{file}")
    target = dataclasses.replace(target, backup_form=form, restore=words)
    release = Release("8.0.0", date(2025, 11, 24), Path("schema.toml"))
    session = DatabaseSession(settings.database(target))
    seen: list[Observation] = []
    yield Backup(BackupTrial(backup_settings(target), server=server), release, BACKUP, session, seen.append)
    session.close()


def made(
    url: str, folder: Path, *options: str, script: Path = DOCS / "backup.psql", **variables: str
) -> Path:
    """As docs/BACKUP.md says; with options: the dump made once more, with those."""
    file = folder / NAME
    home = program("pg_dump").parent
    environment = os.environ | {"DATABASE_URL": url, "PATH": f"{home}:{os.environ['PATH']}"} | variables
    words = ["psql", "-X", "-q", "-At", "-F\t", "-v", f"file={file}", "-o", f"{file}.tables"]
    words += ["-f", str(script), url]
    subprocess.run(words, env=environment, check=True)
    if options:
        subprocess.run(["pg_dump", *options, "--file", str(file), url], env=environment, check=True)
    return file


def wrong(backup: Backup) -> list[str]:
    """All that is found with the record."""
    restored, recorded = backup.restored(), backup.recorded()
    assert recorded is not None
    assert restored.ran.error is None
    return [
        *different_tables(
            recorded.tables, proof.as_recorded(recorded.tables, restored.contents, restored.with_generated)
        ),
        *proof.out_of_place(recorded.sequences, restored.sequences),
        *backup.unlike(restored, recorded.parts),
    ]


def test_script_asks_what_the_gate_asks() -> None:
    """The one is for an engineer, who may have no more than this file."""
    text = (DOCS / "backup.psql").read_text(encoding="utf-8")

    assert QUERY in text
    assert "".join(f"{setting};\n" for setting in SPELLING) in text


def test_whole_backup(backup: Backup, production: str, tmp_path: Path) -> None:
    """Of a database with a table of each awkward kind; rows come meanwhile."""
    made(production, tmp_path)
    recorded, restored = backup.recorded(), backup.restored()
    assert recorded is not None

    assert wrong(backup) == []
    assert recorded.tables["large objects"] == restored.contents["large objects"]
    assert recorded.tables["large objects"].rows == 1
    assert recorded.system == backup.system()
    assert len(recorded.sequences) == 2
    assert len(recorded.parts) > 100
    assert restored.ran.splits, "pg_dump wraps large objects in a transaction of their own"


@pytest.mark.parametrize(("options", "found"), [((), []), (("--exclude-table-data=audio",), ["audio"])])
def test_record_with_generated_columns(
    options: tuple[str, ...], found: list[str], backup: Backup, production: str, tmp_path: Path
) -> None:
    """Of a docs/backup.psql that somebody took before those were left out."""
    text = (DOCS / "backup.psql").read_text(encoding="utf-8")
    without = re.search(r"\n *FILTER \(WHERE .*attgenerated.*\),.*\n", text)
    assert without is not None
    script = tmp_path / "before.psql"
    script.write_text(text.replace(without[0], ",\n"), encoding="utf-8")
    made(production, tmp_path, *options, script=script)
    recorded = backup.recorded()
    assert recorded is not None

    assert sorted(different_tables(recorded.tables, backup.restored().contents)) == ["audio", "made"]
    assert wrong(backup) == found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("-T", "events_2026"), ["events_2026", "table events_2026: is not restored"]),
        (("--section=pre-data", "--section=data"), ["index audio_open: is not restored"]),
        (("--section=pre-data", "--section=data"), ["trigger audio.stamped: is not restored"]),
        (("--section=pre-data", "--section=data"), ["constraint audio.audio_audit_fkey: is not restored"]),
        (("-x",), ["right table audio: SELECT to api: is not restored"]),
        (("-x",), ["right table audio: SELECT to reports: is not restored"]),
        (("-B",), ["large objects"]),
        (("-O",), ["owner table audio: is restored as another"]),
        (("--no-comments",), ["comment table audio: is not restored"]),
        (("--schema-only",), ["public.audit_id_seq", "public.audio_id_seq", "audit", "large objects"]),
        (("--exclude-table-data=audit",), ["audit"]),
    ],
)
def test_backup_that_lacks_things(
    options: tuple[str, ...],
    found: list[str],
    backup: Backup,
    production: str,
    tmp_path: Path,
) -> None:
    if options == ("-O",):
        with psycopg.connect(production, autocommit=True) as connection:
            connection.execute("ALTER TABLE audio OWNER TO lead")
    made(production, tmp_path, *options)

    assert [each for each in found if each not in wrong(backup)] == []
    if options == ("-O",):
        with psycopg.connect(production, autocommit=True) as connection:
            connection.execute("ALTER TABLE audio OWNER TO scratch")


def test_without_the_record(backup: Backup, production: str, tmp_path: Path) -> None:
    """What is there now is asked for: all of it before the migration, what is not of the release after it."""
    (made(production, tmp_path, "-T", "child", "-x")).with_name(f"{NAME}.tables").unlink()
    restored = backup.restored()
    release = Catalog("8.0.0", "public", {"audio": ("id",)}, {}, {}, ())

    assert backup.recorded() is None
    assert restored.ran.error is None
    assert "table child: is not restored" in backup.unlike(restored, backup.parts())
    after = proof.lacking_since(restored.parts, backup.parts(), release)
    assert "table child: is not restored" in after
    assert "right table audit: SELECT to api: is not restored" in after
    assert [line for line in after if "audio" in line] == []


def test_sequences_that_moved_meanwhile() -> None:
    """The dump has a position from between the two looks."""
    looks = {"a": [Decimal(3), Decimal(5)], "b": [Decimal(7), Decimal(7)], "c": [Decimal(1)]}

    found = proof.out_of_place(looks, {"a": Decimal(4), "b": Decimal(8)})

    assert found == {"b": "is at 8, was at 7", "c": "is nowhere, was at 1"}


def test_sequences_without_a_record(backup: Backup, production: str, tmp_path: Path) -> None:
    """As they are they are right; begun anew they are behind their column; of a later day, ahead."""
    made(production, tmp_path).with_name(f"{NAME}.tables").unlink()
    restored, now = backup.restored(), backup.sequences()
    name = "public.audit_id_seq"

    assert restored.highest[name] == now[name] == Decimal(40)
    assert proof.misplaced_sequences(restored.sequences, restored.highest, now) == {}
    anew = {**restored.sequences, name: Decimal(0)}
    assert proof.misplaced_sequences(anew, restored.highest, now) == {name: "is at 0, its column at 40"}
    ahead = {**restored.sequences, name: Decimal(41)}
    assert proof.misplaced_sequences(ahead, restored.highest, now) == {name: "is at 41, in production at 40"}


def test_dump_that_writes_elsewhere(backup: Backup, production: str, tmp_path: Path) -> None:
    """With --create psql would write into the live database."""
    made(production, tmp_path, "--create")

    assert any("\\connect scratch" in line for line in backup.form().elsewhere)


def test_rows_that_writes_explain() -> None:
    """Of last week's clone, and of an hour ago."""
    restored = {"jobs": Contents(1000, ""), "few": Contents(1, ""), "gone": Contents(0, "")}

    assert proof.beyond_writes(restored, {"jobs": 1090, "few": 9}, 90) == {}
    assert proof.beyond_writes(restored, {"jobs": 950}, 90) == {}
    # where the migration logs itself there are more, and never fewer
    assert proof.beyond_writes(restored, {"jobs": 2000}, 90, ["jobs"]) == {}
    fewer = proof.beyond_writes(restored, {"jobs": 500}, 90, ["jobs"])
    assert fewer == {"jobs": "1000 rows restored, 500 now"}
    assert proof.beyond_writes(restored, {"jobs": 1200, "gone": 50}, 90) == {
        "jobs": "1000 rows restored, 1200 now",
        "gone": "0 rows restored, 50 now",
    }


def test_generated_value_that_cannot_be_read(target: Target, server: ScratchServer, tmp_path: Path) -> None:
    """One is made at each look since PostgreSQL 18; the row is whole without it."""
    url = server.url(server.create())
    kind, value = ("VIRTUAL", 0) if MAJOR >= 18 else ("STORED", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            f"CREATE TABLE t (a int, b int GENERATED ALWAYS AS (1 / a) {kind});"
            f"INSERT INTO t VALUES ({value})".encode()
        )
    target = dataclasses.replace(target, variables={"URL": url})
    session = DatabaseSession(settings.database(target))
    release = Release("8.0.0", date(2025, 11, 24), Path("schema.toml"))
    seen: list[Observation] = []
    backup = Backup(
        BackupTrial(backup_settings(target), server=server), release, BACKUP, session, seen.append
    )
    made(url, tmp_path)

    assert wrong(backup) == []
    session.close()


def test_half_detached_partition_and_invalid_index(
    target: Target, server: ScratchServer, tmp_path: Path
) -> None:
    """The one comes back attached, and is named; the other is in no dump, and is production's own fault."""
    url = server.url(server.create())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE e (a int) PARTITION BY LIST (a); CREATE TABLE e1 PARTITION OF e FOR VALUES IN (1);"
            "CREATE TABLE t (a int); CREATE INDEX broken ON t (a);"
            "UPDATE pg_inherits SET inhdetachpending = true;"
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass"
        )
    target = dataclasses.replace(target, variables={"URL": url})
    seen: list[Observation] = []
    release = Release("8.0.0", date(2025, 11, 24), Path("schema.toml"))
    session = DatabaseSession(settings.database(target))
    backup = Backup(
        BackupTrial(backup_settings(target), server=server), release, BACKUP, session, seen.append
    )
    made(url, tmp_path)

    (found,) = wrong(backup)

    assert found.startswith("table e1: DETACH CONCURRENTLY was broken off")
    assert any("in production: invalid index broken: REINDEX" in each.seen for each in seen)
    session.close()


@pytest.mark.parametrize(("form", "suffix"), [("custom", ".dump"), ("directory", ".dir")])
def test_archive(form: str, suffix: str, target: Target, server: ScratchServer, production: str) -> None:
    """Read, summed up, restored in one transaction, and compared as plain SQL is."""
    folder = target.path.parent
    file = folder / NAME.replace(".sql", suffix)
    made(production, folder, FORMAT=form)
    for each in ("", ".tables"):
        (folder / f"{NAME}{each}").rename(f"{file}{each}")
    command = 'sha256sum "$0"' if form == "custom" else 'cd "$0" && sha256sum *'
    record = subprocess.run(["sh", "-c", command, file], capture_output=True, text=True, check=True)
    Path(f"{file}.sha256").write_text(record.stdout)

    with archived(form, target, server) as backup:
        found = backup.form()
        recorded, own = backup.checksums()
        assert (found.begins, found.ends, found.noise) == (True, True, ())
        assert recorded == own
        if form == "directory":
            for words in ("sha256sum --tag *", "sha256sum -b ./*", "find . -type f -exec sha256sum {} +"):
                command = f'cd "$0" && {words}'
                again = subprocess.run(
                    ["sh", "-c", command, file], capture_output=True, text=True, check=True
                )
                Path(f"{file}.sha256").write_text(again.stdout)
                assert backup.checksums() == (own, own)
            Path(f"{file}.sha256").write_text("".join(record.stdout.splitlines(keepends=True)[1:]))
            assert backup.checksums()[0] != own
        assert wrong(backup) == []
        assert not backup.restored().ran.splits
        pieces = [file] if form == "custom" else [each for each in file.iterdir() if each.suffix == ".gz"]
        assert pieces != []
        for part in pieces:
            whole = part.read_bytes()
            for kept in (len(whole) - 1, len(whole) // 2):
                part.write_bytes(whole[:kept])
                assert not backup.form().ends, f"{part.name}: {kept} of {len(whole)} bytes"
            part.write_bytes(whole)
        assert backup.form().ends
    head = file if form == "custom" else file / "toc.dat"
    content = bytearray(head.read_bytes())
    content[6] += 2  # as a newer pg_dump writes it: 15's 1.14 becomes 1.16
    head.write_bytes(content)
    with archived(form, target, server) as backup:
        for look in (backup.form, backup.restored):
            with pytest.raises(
                UnreachableError, match=r"format 1\.\d\d, which a newer pg_dump wrote .* postgres_bin"
            ):
                look()


def test_archive_that_is_none(target: Target, server: ScratchServer, tmp_path: Path) -> None:
    """Plain SQL by another name."""
    (tmp_path / NAME.replace(".sql", ".dump")).write_text("--\n-- PostgreSQL database dump\n--\n")

    with archived("custom", target, server) as backup:
        assert not backup.form().begins


@pytest.mark.parametrize("option", ["-C", "--create", "-eC"])
def test_restore_into_the_database_of_the_dumps_name(option: str) -> None:
    with pytest.raises(AssertionError, match="expected no --create"):
        restore_command.command(
            ("pg_restore", option, "-d", "{database}", "{file}"), Path(), "scratch", Path("file")
        )


def test_room_and_time(tmp_path: Path) -> None:
    """Told before anything is restored."""
    (tmp_path / NAME).write_bytes(b"-" * 1000)
    room.refuse(tmp_path / NAME, "plain", 10_000, tmp_path, 1800)
    with pytest.raises(UnreachableError, match=r"needs about 1000000\.0 GB below .*, which has "):
        room.refuse(tmp_path / NAME, "plain", 10**15, tmp_path, 1800)
    with pytest.raises(UnreachableError, match="minutes to be restored, the limit is 0"):
        room.refuse(tmp_path / NAME, "plain", 10_000, tmp_path, 1800 / 10**7)


def test_database_of_the_rehearsal(target: Target, server: ScratchServer, tmp_path: Path) -> None:
    """With a table of each awkward kind, owned by a role: as its schema's script, and restored as it was."""
    scripts = [NOX / name for name in ("schema_7.9.3.sql", "seed.sql")]
    server.create_roles(["nox_app", "nox_reader"])
    original, plain = server.create(), server.create()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {original} OWNER TO nox_app".encode())
        connection.execute("ALTER ROLE nox_app LOGIN; ALTER ROLE nox_reader LOGIN")
        connection.execute("GRANT pg_read_all_data, pg_monitor TO nox_reader")
    for url in (server.url(original).replace("scratch@", "nox_app@"), server.url(plain)):
        with psycopg.connect(url, autocommit=True) as connection:
            for script in scripts:
                connection.execute(script.read_bytes())
    url = server.url(original).replace("scratch@", "nox_reader@")
    target = dataclasses.replace(target, variables={"URL": url})
    seen: list[Observation] = []
    session = DatabaseSession(settings.database(target))
    release = Release("8.0.0", date(2025, 11, 24), Path("schema.toml"))
    backup = Backup(
        BackupTrial(backup_settings(target), server=server), release, BACKUP, session, seen.append
    )
    made(server.url(original), tmp_path)

    with psycopg.connect(server.url(plain)) as connection:
        assert start.differences(server.url(plain), parts(connection), backup.parts()) == []
    assert wrong(backup) == []
    recorded = backup.recorded()
    assert recorded is not None
    assert recorded.system == backup.system()
    now = backup.now(backup.restored().columns, is_recorded=True)
    assert now["users"] == 40
    assert "notebooks" not in now, "row security hides it from this role"
    with pytest.raises(UnreachableError, match="row-level security"):
        backup.now(backup.restored().columns, is_recorded=False)
    session.close()
