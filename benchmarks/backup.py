"""The proof of a backup beside `pg_dump | psql` alone: form, restore, rows and catalog, in the same run.

Makes a table of many rows on a scratch server, and restores there, too. The goal, on 10 million rows:
at most 1.5 times the time, and less than 200 MB of memory in the gate's own process.

    python benchmarks/backup.py [--rows 10000000]
"""

import argparse
import os
import resource
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from noxgate.machine.doctor import program
from noxgate.project.runbook import Release
from noxgate.project.target import Target
from noxgate.systems.postgres.database import DatabaseSession
from noxgate.trials.backup.tonight import Backup, differing
from noxgate.trials.backup.trial import BackupTrial
from noxgate.trials.scratch import ScratchServer, programs

DOCS = Path(__file__).parents[1] / "docs"
RESTORE = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-d", "{database}", "-f", "{file}")
TABLE = """
CREATE TABLE jobs (
    id bigint PRIMARY KEY, status varchar(9) CHECK (status IN ('open', 'done')), note text, at timestamptz
);
INSERT INTO jobs SELECT n, 'open', md5(n::text), now() FROM generate_series(1, ROWS) AS n;
CREATE INDEX jobs_at ON jobs (at) WHERE status IN ('open', 'done');
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    rows = arguments.parse_args().rows
    server = ScratchServer(programs(int(program("postgres").parents[1].name)))
    try:
        with tempfile.TemporaryDirectory() as folder:
            _measure(server, Path(folder), rows)
    finally:
        server.close()


def _measure(server: ScratchServer, folder: Path, rows: int) -> None:
    url = server.url(server.create())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE.replace("ROWS", str(rows)).encode())
    path = f"{program('pg_dump').parent}:{os.environ.get('PATH', os.defpath)}"
    environment = os.environ | {"PATH": path, "FROM": url, "TO": server.url(server.create())}
    began = time.monotonic()
    subprocess.run(
        ["sh", "-c", 'pg_dump "$FROM" | psql -qX -1 "$TO" > /dev/null'], env=environment, check=True
    )
    alone = time.monotonic() - began

    file = folder / "backup_pre_v1_20261201_000000.sql"
    words = ["psql", "-X", "-q", "-At", "-F\t", "-v", f"file={file}", "-o", f"{file}.tables"]
    subprocess.run(
        [*words, "-f", str(DOCS / "backup.psql"), url], env=environment | {"DATABASE_URL": url}, check=True
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
    session = DatabaseSession(target)
    release = Release("1", datetime.now(UTC).date(), folder)
    backup = Backup(BackupTrial(target, server=server), release, session, lambda _: None)
    began = time.monotonic()
    form = backup.form()
    read = time.monotonic() - began
    restored, recorded = backup.restored(), backup.recorded()
    assert form.ends
    assert recorded is not None
    assert differing(recorded.tables, restored.contents) == {}
    assert backup.unlike(restored, recorded.parts) == []
    backup.now(restored.columns, is_recorded=True)
    proof = time.monotonic() - began
    session.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows} rows: pg_dump | psql {alone:.1f} s, the proof {proof:.1f} s (its form {read:.1f} s)")
    print(f"{proof / alone:.2f} times the time, {memory:.0f} MB")


if __name__ == "__main__":
    main()
