"""The proof of a backup beside `pg_dump | psql` alone: form, restore, rows and catalog, in the same run.

Makes a table of many rows on a scratch server, and restores there, too. The goal, on 10 million rows:
at most 1.5 times the time, and less than 200 MB of memory in the gate's own process. With fewer rows the
ratio is held to nothing: what takes its time whatever their number counts for more. Each step says what it
took. Ends with status 1 where a goal is not met.

    python benchmarks/backup.py [--rows 10000000]      # if 8 GB are free below /var/tmp
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from noxgate.machine.doctor import program
from noxgate.project.runbook import Release
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.postgres.database import DatabaseSession
from noxgate.trials.backup.tonight import Backup, different_tables
from noxgate.trials.backup.trial import BackupTrial, backup_settings
from noxgate.trials.scratch import PARENT, ScratchServer
from noxgate.trials.server.programs import programs

DOCS = Path(__file__).parents[1] / "docs"
RESTORE = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-d", "{database}", "-f", "{file}")
TABLE = """
CREATE TABLE jobs (
    id bigint PRIMARY KEY, status varchar(9) CHECK (status IN ('open', 'done')), note text, at timestamptz
);
INSERT INTO jobs SELECT n, 'open', md5(n::text), now() FROM generate_series(1, ROWS) AS n;
CREATE INDEX jobs_at ON jobs (at) WHERE status IN ('open', 'done');
"""


REAL = 10_000_000
MOST_TIMES, MOST_MEGABYTES = 1.5, 200
BYTES = 800  # of each row, in three databases and a file


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rows", type=int, default=REAL)
    rows: int = arguments.parse_args().rows
    free = shutil.disk_usage(PARENT).free
    if rows * BYTES > free:
        print(
            f"{rows} rows need about {rows * BYTES / 1e9:.0f} GB below {PARENT}, which has {free / 1e9:.0f}"
        )
        return 2
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    try:
        with tempfile.TemporaryDirectory(dir=PARENT) as folder:
            return _measure(server, Path(folder), rows)
    finally:
        server.close()


@contextmanager
def _step(what: str) -> Iterator[Callable[[], float]]:
    """Say what a step took; gives that number, when it has ended."""
    began = time.monotonic()
    ended = 0.0
    yield lambda: ended - began
    ended = time.monotonic()
    print(f"[{time.strftime('%H:%M:%S')}] {what}: {ended - began:.1f} s", flush=True)


def _measure(server: ScratchServer, folder: Path, rows: int) -> int:
    url = server.url(server.create())
    with _step(f"{rows} rows made"), psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE.replace("ROWS", str(rows)).encode())
    path = f"{program('pg_dump').parent}:{os.environ.get('PATH', os.defpath)}"
    environment = os.environ | {"PATH": path, "FROM": url, "TO": server.url(server.create())}
    with _step("pg_dump | psql alone") as alone:
        subprocess.run(
            ["sh", "-c", 'pg_dump "$FROM" | psql -qX -1 "$TO" > /dev/null'], env=environment, check=True
        )

    file = folder / "backup_pre_v1_20261201_000000.sql"
    words = ["psql", "-X", "-q", "-At", "-F\t", "-v", f"file={file}", "-o", f"{file}.tables"]
    with _step("the backup, as docs/BACKUP.md has it"):
        subprocess.run(
            [*words, "-f", str(DOCS / "backup.psql"), url],
            env=environment | {"DATABASE_URL": url},
            check=True,
        )
    target = Target(
        name="production",
        path=folder / "production.toml",
        serves=("prep",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        backups=folder,
        restore=RESTORE,
        credentials={"database_url": "URL"},
        variables={"URL": url},
    )
    session = DatabaseSession(settings.database(target))
    release = Release("1", datetime.now(UTC).date(), folder)
    backup = Backup(
        BackupTrial(backup_settings(target), server=server),
        release,
        "backup_pre_v{version}_*",
        session,
        lambda _: None,
    )
    with _step("the proof in all") as proof:
        with _step("  its form"):
            assert backup.form().ends
        with _step("  restored, and its rows read"):
            restored = backup.restored()
        with _step("  compared"):
            recorded = backup.recorded()
            assert recorded is not None
            assert different_tables(recorded.tables, restored.contents) == {}
            assert backup.unlike(restored, recorded.parts) == []
            backup.now(restored.columns, is_recorded=True)
    session.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = proof() / alone()
    print(f"{rows} rows: {times:.2f} times the time of pg_dump | psql (goal, of {REAL}: {MOST_TIMES})")
    print(f"{memory:.0f} MB (goal: less than {MOST_MEGABYTES})")
    return int(memory >= MOST_MEGABYTES or (rows >= REAL and times > MOST_TIMES))


if __name__ == "__main__":
    sys.exit(main())
