"""Tonight's backup is not valid: each is near to a valid one, and has a good name."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from nox_rehearsal.day import saving
from nox_rehearsal.sabotages.files import BACKUP, aged, named, newer, recorded, saved, spoiled
from nox_rehearsal.sabotages.release_edits import profiled
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import in_production
from nox_rehearsal.world.profile import RESTORE
from nox_rehearsal.world.state import World
from noxgate.machine import doctor
from noxgate.project.keys.release import RUNBOOKS_RESTORE

COMPLETE, AGE, CHECKSUM, RESTORES, ROWS = (
    f"prep.backup-{name}" for name in ("complete", "age", "checksum", "restores", "rows")
)
AFTER = (RESTORES, ROWS)
STDERR = b"pg_dump: warning: there are circular foreign-key constraints on this table:\n"
OWNER = b"ALTER TABLE public.users OWNER TO nox_production_app;\n"
CONNECT = b"\n\\connect nox_production\n\nSET statement_timeout"
KEY = (
    b"ALTER TABLE ONLY public.daily_usage\n    ADD CONSTRAINT daily_usage_user_id_fkey"
    b" FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;\n"
)
Prepared = partial(Sabotage, moment="prep")


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _form()
    yield from _records()
    yield from _contents()


def _form() -> Iterator[Sabotage]:
    cut = spoiled(lambda text: text[:-1])
    yield Prepared(COMPLETE, "one-byte", "cut off by one byte", cut, "it was cut off")
    half = spoiled(lambda text: text[: text.rindex(b"\n-- PostgreSQL database dump complete")])
    yield Prepared(COMPLETE, "cut", "whole, but for its last lines", half, "it was cut off")
    empty = newer(lambda _, file: _sealed(file, b""))
    others = (AGE, *AFTER)
    yield Prepared(COMPLETE, "empty", "pg_dump failed, the shell made the file", empty, ">= 1, saw 0", others)
    returns = spoiled(lambda text: text.replace(b"\n", b"\r\n"))
    yield Prepared(COMPLETE, "crlf", "made through a terminal (-it)", returns, "carriage return", (ROWS,))
    noise = spoiled(lambda text: text.replace(OWNER, OWNER + STDERR))
    yield Prepared(COMPLETE, "stderr", "a warning between two statements", noise, "circular", AFTER)
    create = spoiled(lambda text: text.replace(b"\nSET statement_timeout", CONNECT, 1))
    yield Prepared(COMPLETE, "create", "made with --create", create, "lead into another database", AFTER)
    yield Prepared(COMPLETE, "archive", "an archive with a good name", _archive, "first lines", AFTER)
    half = _as_archive(lambda content: content[: len(content) // 2])
    what = "an archive that is cut in half, its contents whole"
    yield Prepared(COMPLETE, "archive-cut", what, half, "end of file", AFTER)


def _records() -> Iterator[Sabotage]:
    yield Prepared(AGE, "old", "an hour and a minute before the migration", aged(61), "it is older")
    after = newer(lambda world, file: saving.dump(world.production_dsn, file))
    yield Prepared(AGE, "after", "taken after the migration", after, "after the migration began")
    copied = named("20261103_020000")
    yield Prepared(AGE, "copied", "a copy of another night's, with a new time", copied, "says another time")

    letter = spoiled(lambda text: text.replace(b"-- Name: users;", b"-- Nome: users;", 1), sealed=False)
    yield Prepared(CHECKSUM, "letter", "one letter of a comment", letter, ", saw ")
    other = recorded(
        ".sha256", lambda file: _digest(file).replace(file.name, "backup_pre_v8.0.0_20261103_020000.sql")
    )
    yield Prepared(CHECKSUM, "other", "the checksum of another file", other, "of backup_pre_v8.0.0_20261103")
    none = recorded(".sha256", lambda _: None)
    yield Prepared(CHECKSUM, "none", "nobody recorded it", none, "No such file")


def _contents() -> Iterator[Sabotage]:
    gone = spoiled(lambda text: text.replace(OWNER, OWNER.replace(b"nox_production_app", b"nox_owner")))
    yield Prepared(RESTORES, "role", "an owner that is not there", gone, "nox_owner", (ROWS,))
    own = in_production(profiled(_words(RESTORE), _words(RUNBOOKS_RESTORE)))
    yield Prepared(RESTORES, "runbook", "the runbook's own command", own, "text format dump", (ROWS,))

    value = spoiled(lambda text: text.replace(b"\tChemist 7\t", b"\tChemist 8\t"))
    yield Prepared(ROWS, "one-row", "one row of one table differs", value, "40 rows, and others")
    row = spoiled(_without_a_row)
    yield Prepared(ROWS, "one-less", "one row is missing", row, "59 restored")
    staging = newer(lambda world, file: saving.dump(world.dsn, file), just_then=True)
    yield Prepared(ROWS, "staging", "staging's database", staging, "expected 'nox_production', saw 'nox'")
    unknown = newer(_of_staging, just_then=True)
    yield Prepared(ROWS, "unrecorded", "staging's, and nothing says so", unknown, "nox_production_app")
    index = spoiled(partial(_without_lines, begin=b"CREATE INDEX computational_jobs_user "))
    yield Prepared(ROWS, "index", "an index is not in it", index, "computational_jobs_user: is not restored")
    behind = spoiled(partial(_without_lines, begin=b"SELECT pg_catalog.setval('public.users_id_seq'"))
    yield Prepared(ROWS, "setval", "a sequence begins anew", behind, "users_id_seq")
    rights = spoiled(partial(_without_lines, begin=b"GRANT "))
    yield Prepared(ROWS, "rights", "made with -x: nobody may read it", rights, "is not restored")
    objects = spoiled(partial(_without_lines, begin=(b"SELECT pg_catalog.lo", b"ALTER LARGE OBJECT ")))
    yield Prepared(ROWS, "large-objects", "made with -B", objects, "large object")
    without = _as_archive(lambda content: content, "--exclude-table-data=daily_usage")
    yield Prepared(ROWS, "archive-empty", "an archive without a table's rows", without, "daily_usage")
    key = spoiled(lambda text: text.replace(KEY, b""))
    yield Prepared(ROWS, "key", "a foreign key is not in it", key, "user_id_fkey: is not restored")


def _without_lines(text: bytes, begin: bytes | tuple[bytes, ...]) -> bytes:
    """Without each line that begins so."""
    return b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(begin))


def _without_a_row(text: bytes) -> bytes:
    """Without the first molecule."""
    start = text.index(b"\n", text.index(b"COPY public.molecules ")) + 1
    return text[:start] + text[text.index(b"\n", start) + 1 :]


def _sealed(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    saving.seal(file)


def _of_staging(world: World, file: Path) -> None:
    saving.dump(world.dsn, file)
    file.with_name(f"{file.name}.tables").unlink()


def _digest(file: Path) -> str:
    return file.with_name(f"{file.name}.sha256").read_text(encoding="ascii")


def _words(words: tuple[str, ...]) -> str:
    """As the profile writes them."""
    return json.dumps(words)


def _as_archive(change: Callable[[bytes], bytes], *options: str) -> Switch:
    """Tonight's backup is an archive, as the profile says; a dump of these options, if any, in its place."""
    words = json.dumps(["pg_restore", "--single-transaction", "-d", "{database}", "{file}"])
    form = in_production(
        profiled(f"restore = {_words(RESTORE)}", f'restore = {words}\nbackup_form = "custom"')
    )

    @contextmanager
    def on(world: World) -> Iterator[None]:
        plain = saved(world, BACKUP)
        file = saving.dump(world.production_dsn, plain.with_suffix(".dump"), "custom")
        try:
            if options:
                file.write_bytes(_dumped(world, *options))
            file.write_bytes(change(file.read_bytes()))
            saving.seal(file)
            times = plain.stat()
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
            with form(world):
                yield
        finally:
            for each in file.parent.glob(f"{file.name}*"):
                each.unlink()

    return on


def _dumped(world: World, *options: str) -> bytes:
    command = [str(doctor.program("pg_dump")), "--format=custom", *options, world.production_dsn]
    return subprocess.run(command, capture_output=True, check=True).stdout


@contextmanager
def _archive(world: World) -> Iterator[None]:
    """As `pg_dump -Fc > FILE.sql` makes it."""
    made = _dumped(world)
    with spoiled(lambda _: made)(world):
        yield
