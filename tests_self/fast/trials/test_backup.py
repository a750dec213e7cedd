"""Tonight's files: what is not a whole dump, whose checksum it is, and which of several files counts."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests_self.building.dumps import BEGIN, DATA, END, GOOD
from tests_self.service import SERVICE

from noxgate.blue_green.rollback_manifests import RollbackManifests, servers_fields
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.runbook import Release
from noxgate.project.saved import saved_files, saved_manifests
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.manifests import read_file
from noxgate.systems.postgres.database import DatabaseSession
from noxgate.trials.backup import dump_file
from noxgate.trials.backup.tonight import Backup, different_tables
from noxgate.trials.backup.trial import BackupTrial, backup_settings
from noxgate.trials.migration.output import newest_output
from noxgate.trials.table_contents import Contents

if TYPE_CHECKING:
    from noxgate.systems.kubernetes.kube import Kube

NAME = "backup_pre_v8.0.0_20251124_220000.sql"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(
        name="production",
        path=tmp_path / "production.toml",
        serves=("prep",),
        base_url="https://api.example.com",
        plain_url="http://api.example.com",
        namespace="nox-production",
        backups=tmp_path,
    )


@pytest.fixture
def seen() -> list[Observation]:
    return []


@pytest.fixture
def backup(target: Target, seen: list[Observation]) -> Backup:
    release = Release("8.0.0", date(2025, 11, 24), Path("schema.toml"))
    return Backup(
        BackupTrial(backup_settings(target)),
        release,
        SERVICE.files.backup,
        DatabaseSession(settings.database(target)),
        seen.append,
    )


def written(folder: Path, content: str, name: str = NAME, at: float = 1_764_021_600) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8", newline="")
    os.utime(path, (at, at))
    return path


@pytest.mark.parametrize("content", [GOOD, f"{BEGIN}{DATA}{END}"], ids=["15.14", "before"])
def test_a_whole_dump(content: str, tmp_path: Path) -> None:
    """Rows may hold any text: what pg_dump says of itself, too."""
    form = dump_file.form(written(tmp_path, content))

    assert form == dump_file.DumpForm(len(content), begins=True, ends=True, carriage_returns=0, noise=())


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda text: text[:-1], {"ends": False}),
        (lambda text: text.replace("complete", "complet"), {"ends": False}),
        (
            lambda text: f"{text}command terminated with exit code 137\n",
            {"ends": False, "noise": ("line 19: ",)},
        ),
        (lambda text: text.replace("\n", "\r\n"), {"begins": True, "ends": False, "carriage_returns": 16}),
        (
            lambda text: f'Defaulted container "a" out of: a, b\n{text}',
            {"begins": False, "noise": ("line 1: ",)},
        ),
        (lambda text: text.replace(DATA, f"pg_dump: error: gone\n{DATA}"), {"noise": ("line 8: ",)}),
        (lambda _: "", {"size": 0, "begins": False, "ends": False}),
        (lambda text: f"PGDMP{text}", {"begins": False}),
    ],
    ids=["one-byte", "letter", "killed", "crlf", "kubectl", "stderr", "empty", "archive"],
)
def test_what_is_no_whole_dump(
    change: Callable[[str], str], wrong: Mapping[str, Any], tmp_path: Path
) -> None:
    form = dump_file.form(written(tmp_path, change(GOOD)))

    found = {key: getattr(form, key) for key in wrong if key != "noise"}
    assert found == {key: value for key, value in wrong.items() if key != "noise"}
    starts = wrong.get("noise", ())
    assert [line[: len(start)] for line, start in zip(form.noise, starts, strict=True)] == list(starts)


STRINGS = """\
CREATE FUNCTION public.done() RETURNS text
    LANGUAGE sql
    AS $$\r
  SELECT 'it''s';\r
WARNING: no message\r
\\connect nowhere
$$;

CREATE FUNCTION public.tagged() RETURNS text
    LANGUAGE sql
    AS $_$
pg_dump: error: $$ ' "
$_$;

COMMENT ON TABLE public.notes IS 'Notes.\r
WARNING: never deleted: it''s so.\r
CREATE DATABASE none';

COMMENT ON COLUMN public.notes.text IS E'back\\\\slash \\'
error: no';

CREATE VIEW public.asks AS
 SELECT 'a
Password: '::text AS "b
warning: ""c"" ";

"""


def test_text_in_strings_of_a_dump(tmp_path: Path) -> None:
    """Bodies, comments, names: each may have any line, and the line end of another system."""
    form = dump_file.form(written(tmp_path, f"{BEGIN}{STRINGS}{DATA}{END}"))

    assert (form.begins, form.ends) == (True, True)
    assert (form.carriage_returns, form.noise, form.elsewhere) == (0, (), ())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pg_dump: warning: circular", ("noise", "line 46: pg_dump: warning: circular")),
        ("Password: ", ("noise", "line 46: Password:")),
        ("\\connect nox_production", ("elsewhere", "line 46: \\connect nox_production")),
        ("\\c nox", ("elsewhere", "line 46: \\c nox")),
        ("CREATE DATABASE nox WITH TEMPLATE = template0", ("elsewhere", "line 46: CREATE DATABASE nox")),
        ("DROP DATABASE nox;", ("elsewhere", "line 46: DROP DATABASE nox;")),
        ("\\! id", ("elsewhere", "line 46: \\! id")),
    ],
)
def test_lines_that_are_no_strings(line: str, found: tuple[str, str], tmp_path: Path) -> None:
    """Behind all those strings: what is a message, and what leads psql into another database."""
    head = f"{BEGIN}{STRINGS}"
    number = head.count("\n") + 1
    form = dump_file.form(written(tmp_path, f"{head}{line}\n{DATA}{END}"))

    where, said = found
    (seen,) = getattr(form, where)
    assert seen.startswith(said.replace("line 46", f"line {number}"))


@pytest.mark.parametrize("piece", [29, 30, 31, 32, 47])
def test_dump_in_pieces(piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a piece of it ends; rows of a table that is empty, too."""
    empty = "COPY public.none (id) FROM stdin;\n\\.\n\n"
    text = f"{BEGIN}{DATA}{empty}pg_dump: error: gone\n{DATA}{END}"
    path = written(tmp_path, text)
    found = dump_file.form(path)
    monkeypatch.setattr(dump_file, "PIECE", piece)
    whole = dump_file.form(path)

    number = text[: text.index("pg_dump: error: gone")].count("\n") + 1
    assert found.noise == whole.noise == (f"line {number}: pg_dump: error: gone",)
    assert found == whole


def test_terminals_line_ends_around_windows_ones(tmp_path: Path) -> None:
    """A function from Windows hides no dump that went through a terminal."""
    text = f"{BEGIN}{STRINGS}{DATA}{END}".replace("\n", "\r\n")

    assert dump_file.form(written(tmp_path, text)).carriage_returns > 10


def test_the_newest_file_counts(target: Target, tmp_path: Path) -> None:
    """By its time, under any name; folders do not count."""
    written(tmp_path, "", "backup_pre_v8.0.0_99999999_000000.sql", at=1_764_000_000)
    newest = written(tmp_path, "", at=1_764_000_001)
    (tmp_path / "backup_pre_v8.0.0_folder.sql").mkdir()

    assert saved_files(target).newest("backup_pre_v8.0.0_*.sql") == newest


def test_no_file_and_no_folder(target: Target) -> None:
    with pytest.raises(AssertionError, match=r"^expected a file backup_\* in .*, saw none$"):
        saved_files(target).newest("backup_*")
    nowhere = Target(**{**vars(target), "backups": None})
    with pytest.raises(UnreachableError, match=r"^production\.toml names no backups, "):
        saved_files(nowhere).newest("backup_*")


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (f"{'a' * 64}  {NAME}\n", "a" * 64),
        (f"{'A' * 64} *{NAME}\n", "a" * 64),
        (f"{'a' * 64}  /night/{NAME}\n", "a" * 64),
        (f"{'a' * 64}\n", "a" * 64),
        (f"{'a' * 64}  other.sql\n", f"of other.sql: {'a' * 64}"),
        ("", ""),
        (f"SHA256 ({NAME}) = {'a' * 64}\n", "a" * 64),
        (f"SHA256 (/night/{NAME}) = {'a' * 64}\n", "a" * 64),
        (f"SHA256 (other.sql) = {'a' * 64}\n", f"of other.sql: {'a' * 64}"),
        (f"SHA2-256({NAME})= {'a' * 64}\n", "a" * 64),
        (f"SHA512 ({NAME}) = {'a' * 128}\n", ""),
        (f"{'a' * 64}  /the night/{NAME}\n", "a" * 64),
        (f"{'a' * 64}  C:\\night\\{NAME}\r\n", "a" * 64),
        (f"\ufeff{'a' * 64}  {NAME}\r\n", "a" * 64),
        (f"{'b' * 64}  {NAME}.tables\n{'a' * 64}  {NAME}\n", "a" * 64),
        (f"{'a' * 64}  {NAME}\n{'b' * 64}  {NAME}\n", f"{'a' * 64} and {'b' * 64}"),
        (f"{'a' * 63}  {NAME}\n", ""),
    ],
    ids=[
        *("sha256sum", "binary", "folder", "alone", "other", "empty"),
        *("tag", "tag-folder", "tag-other", "openssl", "sha512", "space", "windows", "mark", "several"),
        *("two", "short"),
    ],
)
def test_whose_checksum_it_is(record: str, found: str, backup: Backup, tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, record, f"{NAME}.sha256")

    recorded, own = backup.checksums()

    assert (recorded, len(own)) == (found, 64)


def test_no_checksum(backup: Backup, tmp_path: Path, seen: list[Observation]) -> None:
    written(tmp_path, GOOD)
    with pytest.raises(AssertionError, match=r"\.sha256: No such file or directory$"):
        backup.checksums()

    assert "No such file" in seen[-1].seen


@pytest.mark.parametrize(
    ("name", "time"),
    [(NAME, datetime(2025, 11, 24, 22, tzinfo=UTC)), ("backup_pre_v8.0.0_tonight.sql", None)],
)
def test_when_it_was_taken(name: str, time: datetime | None, backup: Backup, tmp_path: Path) -> None:
    written(tmp_path, GOOD, name)

    assert backup.times().named == time
    assert backup.times().written == datetime(2025, 11, 24, 22, tzinfo=UTC)


def test_what_was_recorded(backup: Backup, tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    assert backup.recorded() is None
    written(tmp_path, "database\tnox\nusers\t40\t-17\n", f"{NAME}.tables")
    found = backup.recorded()
    assert found is not None
    assert (found.database, found.tables) == ("nox", {"users": Contents(40, "-17")})
    written(tmp_path, "database\tnox\nERROR: no\n", f"{NAME}.tables")
    with pytest.raises(AssertionError, match=r"\.tables:2: expected TABLE, ROWS, SUM, saw 'ERROR: no'$"):
        backup.recorded()


def test_tables_that_differ() -> None:
    one, other, more = Contents(1, "1"), Contents(1, "2"), Contents(2, "1")

    found = different_tables(
        {"a": one, "b": one, "c": one, "d": one}, {"a": one, "b": other, "c": more, "e": one}
    )

    assert found == {
        "b": "1 rows, and others",
        "c": "1 rows then, 2 restored",
        "d": "is not in the backup",
        "e": "was not there when the backup was taken",
    }


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        ("psql:v8.sql:212: ERROR:  canceling statement", True),
        ("ERROR:  relation does not exist", True),
        ("psql: error: connection to server failed", True),
        ("CREATE TABLE", False),
        ("INSERT 0 1", False),
        ("psql:v8.sql:3: NOTICE:  relation exists, skipping", False),
        ("psql:v8_to_v8.0.0.sql:41: FEHLER:  Spalte »provider« existiert nicht", True),
        ("psql:v8.sql:3: HINWEIS:  zwei\nERROR:  Zeilen", False),
    ],
)
def test_errors_in_the_migrations_output(
    line: str,
    is_error: bool,  # noqa: FBT001
    target: Target,
    tmp_path: Path,
    seen: list[Observation],
) -> None:
    written(tmp_path, f"BEGIN\n{line}\n", "migration_v8.0.0_1.log")

    found = newest_output(saved_files(target), "migration_v8.0.0_*.log", seen.append)

    assert found.errors == ((f"line 2: {' '.join(line.split())}",) if is_error else ())
    assert found.lines == 2 + line.count("\n")


class _Namespace:
    """As much of a cluster as is asked."""

    def knows(self, kind: str) -> bool:
        return kind != "StatefulSet"

    def list(self, kind: str, _: str) -> list[dict[str, Any]]:
        owned = {"name": "made", "ownerReferences": [{"controller": True}]}
        found: dict[str, list[dict[str, Any]]] = {
            "Service": [{"name": "web"}, owned],
            "ConfigMap": [{"name": "kube-root-ca.crt"}, {"name": "settings"}],
            "ServiceAccount": [{"name": "default"}],
        }
        assert kind != "StatefulSet"
        return [{"metadata": metadata} for metadata in found.get(kind, [])]


MANIFESTS = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: nox-production, uid: a}
  status: {loadBalancer: {}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: elsewhere}, status: {}}
"""


def test_what_was_not_saved(target: Target, tmp_path: Path, seen: list[Observation]) -> None:
    """Not what controllers make, nor what each namespace has; another namespace's object is not ours."""
    written(tmp_path, MANIFESTS, "rollback_manifests_1.yaml")
    manifests = RollbackManifests(saved_manifests(target), cast("Kube", _Namespace()), SERVICE, seen.append)

    assert manifests.lacking(manifests.documents()) == ["ConfigMap settings"]


def test_what_the_server_writes_itself(tmp_path: Path) -> None:
    documents = read_file(written(tmp_path, MANIFESTS, "rollback_manifests_1.yaml"))

    assert servers_fields(documents) == {"Service web": ["uid", "status"]}
