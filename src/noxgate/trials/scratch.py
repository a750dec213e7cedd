"""A PostgreSQL server of our own, for what must not be tried on a target: gone with this run."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, LiteralString
from urllib.parse import quote

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.machine import postgresql
from noxgate.machine.doctor import MissingError
from noxgate.machine.late import late
from noxgate.trials import lacking, placing, psql_messages
from noxgate.trials.backup import restore_command
from noxgate.trials.server.programs import kept_script
from noxgate.trials.surroundings import Surroundings

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg = late("psycopg")
    sql = late("psycopg.sql")

SUPERUSER = "scratch"
STARTING = 30.0  # seconds
ENDING = 10.0
DUMPING = 60.0
LOGIN_TRIGGERS = 17  # the version that has them first, and a setting that keeps them still
PARENT = Path("/var/tmp")  # noqa: S108 (PostgreSQL's user must reach it; each folder below it is private)
_WARNING = re.compile(r"(?:WARNING|warning): (?P<message>.*)")


@dataclass(frozen=True)
class Ran:
    """A script that psql ran: how long it took, and the first error and its line if there was one."""

    seconds: float
    error: str | None = None
    line: int | None = None
    warnings: tuple[str, ...] = ()
    printed: str = field(default="", repr=False, compare=False)

    @property
    def splits(self) -> bool:
        """Whether the script began or ended a transaction of its own, inside the one around all of it."""
        return any("transaction in progress" in warning for warning in self.warnings)


class ScratchServer:
    """A running server. Its socket is in a folder that only its own user may enter."""

    def __init__(self, programs: Path) -> None:
        """Start it. Raises UnreachableError if that cannot be done."""
        self._programs = programs
        self._databases = 0
        self._around = Surroundings()
        try:
            self._owner = postgresql.server_user()
        except MissingError as error:
            raise UnreachableError(f"no scratch server: {error}") from None
        self.folder = Path(tempfile.mkdtemp(prefix="noxgate-scratch-", dir=PARENT))
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the server)
        self._keeper = self._start()
        try:
            eventually(self._serves, within=STARTING, every=0.02)
            self._keeps_still = self._major() >= LOGIN_TRIGGERS
            if self._keeps_still:  # what the target does at each login is not for our looks
                self.execute("postgres", "ALTER ROLE scratch SET event_triggers = off")
        except BaseException as error:
            self.close()
            if isinstance(error, AssertionError):
                raise UnreachableError(f"the scratch server did not start: {error}") from None
            raise

    def url(self, database: str, role: str = SUPERUSER) -> str:
        """Where psycopg and psql find a database of this server."""
        return f"postgresql://{quote(role, safe='')}@/{database}?host={self.folder}&port=5432"

    def create(self, template: str = "template0") -> str:
        """Make a database, empty or a copy of one that is not in use; returns its name."""
        self._databases += 1
        database = f"scratch_{self._databases}"
        is_empty = template == "template0"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            placing.create(connection, database, template, self._around if is_empty else Surroundings())
            placing.settle(connection, database, self._around, is_empty=is_empty)
        return database

    def surround(self, around: Surroundings) -> None:
        """Put around each database that is made from now on what the target's finds around it."""
        here = [str(name) for (name,) in self.execute("postgres", "SELECT name FROM pg_available_extensions")]
        lacks = lacking.extensions(around.extensions, here, self._major())
        if lacks is not None:
            raise UnreachableError(lacks)
        self.create_roles(list(around.roles))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            placing.roles(connection, around, SUPERUSER)
            there = {name for (name,) in connection.execute("SELECT spcname FROM pg_tablespace")}
            for name in around.tablespaces:
                if name not in there:
                    home = Path(tempfile.mkdtemp(dir=self.folder))
                    self._give_away(home)
                    placing.tablespace(connection, name, home)
        self._around = around

    def create_roles(self, names: Sequence[str]) -> None:
        """Make roles without a login, for scripts that name them."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for name in names:
                if name not in there:
                    connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))

    def execute(self, database: str, query: LiteralString) -> list[tuple[object, ...]]:
        """Run one statement of our own and return its rows, if it has any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def run(self, database: str, name: str, script: str, *, within: float, role: str = SUPERUSER) -> Ran:
        """Run a script as `psql -X -v ON_ERROR_STOP=1 -f NAME` does. It is stopped after `within` seconds."""
        home = Path(tempfile.mkdtemp(dir=self.folder))
        file = home / name
        file.write_text(script, encoding="utf-8", newline="")
        self._give_away(home, file)
        command = ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={name}")
        url = self.url(database, role)
        if self._keeps_still and role == SUPERUSER:  # a script's own may act on what comes after them in it
            url += f"&options={quote('-c event_triggers=on')}"
        started = time.monotonic()
        try:
            answer = self._call(command, url, home, within)
        except subprocess.TimeoutExpired:
            return Ran(within, f"{name}: still running after {within:g} s, stopped")
        finally:
            shutil.rmtree(home, ignore_errors=True)
        ran = self._judged(_ran(time.monotonic() - started, answer))
        return replace(ran, printed=answer.stdout)

    def backup(self, database: str) -> str:
        """A whole database in plain SQL, as the runbook's `pg_dump DATABASE > FILE` writes it."""
        return self._pg_dump(database)

    def archive(self, database: str, form: str) -> Path:
        """A whole database as `pg_dump --format` writes it, in the server's own folder."""
        file = Path(tempfile.mkdtemp(dir=self.folder)) / "backup"
        self._give_away(file.parent)
        self._pg_dump(database, f"--format={form}", f"--file={file}")
        return file

    def restore(self, database: str, backup: str | Path, words: Sequence[str], *, within: float) -> Ran:
        """Run a restore command on a backup, its text or its file.

        Raises AssertionError if the command might reach another server.
        """
        home = Path(tempfile.mkdtemp(dir=self.folder))
        file = home / "backup.sql"
        if isinstance(backup, Path):
            (shutil.copytree if backup.is_dir() else shutil.copyfile)(backup, file)
        else:
            file.write_text(backup, encoding="utf-8", newline="")
        self._give_away(home, file, *file.glob("*"))
        started = time.monotonic()
        try:
            answer = subprocess.run(
                restore_command.command(words, self._programs, self.url(database), file),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=within,
                **self._as_owner(home),
            )
        except subprocess.TimeoutExpired:
            return Ran(within, f"still running after {within:g} s, stopped")
        finally:
            shutil.rmtree(home, ignore_errors=True)
        return self._judged(_ran(time.monotonic() - started, answer))

    def dump(self, database: str) -> list[str]:
        """The whole catalog of a database, as the lines of `pg_dump --schema-only`."""
        said = self._pg_dump(database, "--schema-only")
        # since 15.14 with a random word in them, each time another
        return [line for line in said.splitlines() if not re.match(r"\\(un)?restrict ", line)]

    def close(self) -> None:
        """End the server and remove what it wrote."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(ENDING)
        except subprocess.TimeoutExpired:
            os.killpg(self._keeper.pid, signal.SIGKILL)  # the backends end without the server
            self._keeper.wait()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _judged(self, ran: Ran) -> Ran:
        """Raises UnreachableError if the server lacks what the script needs."""
        lacks = None if ran.error is None else lacking.lack(ran.error, self._major())
        if lacks is not None:
            raise UnreachableError(f"{lacks} ({ran.error})")
        return ran

    def _major(self) -> int:
        ((number,),) = self.execute("postgres", "SHOW server_version_num")
        return int(str(number)) // 10000

    def _start(self) -> subprocess.Popen[bytes]:
        self._give_away(self.folder)
        return subprocess.Popen(
            ["/bin/sh", "-c", kept_script(self.folder, self._programs, SUPERUSER)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C in the terminal is for us alone
            **self._as_owner(self.folder),
        )

    def _serves(self) -> None:
        if self._keeper.poll() is not None:
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").split("\n")
            words = " | ".join([line.strip() for line in lines if line.strip()][-3:])
            raise UnreachableError(f"the scratch server did not start: {words}")
        try:
            self.execute("postgres", "SELECT 1")
        except psycopg.OperationalError as error:
            raise AssertionError(str(error).strip().splitlines()[0]) from None

    def _pg_dump(self, database: str, *options: str) -> str:
        try:
            answer = self._call(("pg_dump", *options), self.url(database), self.folder, DUMPING)
        except subprocess.TimeoutExpired:
            raise UnreachableError(f"pg_dump of the scratch database: no end in {DUMPING:g} s") from None
        if answer.returncode != 0:
            raise UnreachableError(f"pg_dump of the scratch database: {_ran(0, answer).error}")
        return answer.stdout

    def _call(
        self, command: Sequence[str], url: str, folder: Path, within: float
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(self._programs / command[0]), *command[1:], url],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=within,
            **self._as_owner(folder),
        )
        # to the letter: as text, Python would take the line ends of a function from Windows away
        said, told = (each.decode(errors="replace") for each in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, said, told)

    def _as_owner(self, folder: Path) -> dict[str, Any]:
        """How to run a program as the server's user, and with nothing of the caller's that names a target."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(folder)}
        environment |= {
            "PGHOST": str(self.folder),
            "PGPORT": "5432",
            "PGUSER": SUPERUSER,
        }  # its own
        settings: dict[str, Any] = {"cwd": folder, "env": environment}
        if self._owner is not None:
            settings |= {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        return settings

    def _give_away(self, *paths: Path) -> None:
        if self._owner is not None:
            for path in paths:
                shutil.chown(path, self._owner.pw_uid, self._owner.pw_gid)


def _ran(seconds: float, answer: subprocess.CompletedProcess[str]) -> Ran:
    """With the first error in what psql or pg_dump said; notices and warnings stand there, too.

    A script can tell psql to go on after errors, which then ends with 0: it said them all the same.
    """
    for error in psql_messages.errors(answer.stderr.splitlines()):
        return Ran(seconds, error.message, error.line)
    if answer.returncode == 0:
        warned = (_WARNING.search(line) for line in answer.stderr.splitlines())
        return Ran(seconds, warnings=tuple({match["message"].strip(): None for match in warned if match}))
    words = " ".join(answer.stderr.split())[-200:]
    return Ran(seconds, words or f"exit status {answer.returncode}")
