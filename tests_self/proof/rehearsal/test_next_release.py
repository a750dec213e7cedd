"""A rehearsal of 8.0.1 after 8.0.0, from the drafts of `noxgate release`: the whole day, in a clone.

Only in `make test-all`, and with NOXGATE_SABOTAGES=next: it has a world and a load test of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from nox_rehearsal.checkout import NOX, ROOT
from nox_rehearsal.day import quiet
from nox_rehearsal.science.environment import FOLDER as SCIENCE

__test__ = os.environ.get("NOXGATE_SABOTAGES") in {"all", "next"}  # else pytest takes nothing from here
ADDS = "ALTER TABLE users ADD COLUMN IF NOT EXISTS locale text;\n"
ASKS = "SELECT last_login_at FROM users WHERE id = 2;\n"
COLUMNS = 'users = ["last_login_at", "mfa_enabled", "ai_daily_quota"'


def test_the_day_is_go(tmp_path: Path) -> None:
    """Every phase, the sign-off page, and the way back to 8.0.0."""
    clone = tmp_path / "gate"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    (clone / SCIENCE).symlink_to(ROOT / SCIENCE)
    taken_over(clone)

    with quiet.alone():
        done = noxgate(clone, "rehearse", "run")

    assert done.returncode == 0, done.stdout
    assert "All users have 8.0.1" in done.stdout
    assert "All users have 8.0.0" in done.stdout  # drilled: the rollback
    runs = [json.loads(path.read_text()) for path in clone.glob("reports/8.0.1/*/results.json")]
    assert {(run["release"], run["verdict"]) for run in runs} == {("8.0.1", "GO")}
    whole = {phase for run in runs for phase in run["whole"]}
    assert whole >= {"preflight", "staging", "prep", "green", "live", "rollback"}


def taken_over(clone: Path) -> None:
    """The drafts, and what docs/NEXT-RELEASE.md leaves to a person: here, a column more."""
    drafted = noxgate(clone, "release", "8.0.1", "--date=2025-09-12")
    assert drafted.returncode == 0, drafted.stdout
    subprocess.run(["cp", "-R", "drafts/8.0.1/.", "."], cwd=clone, check=True)
    schema = clone / "schema" / "8.0.1.toml"
    assert COLUMNS in schema.read_text()
    text = schema.read_text().replace(COLUMNS, f'{COLUMNS}, "locale"')
    # the row of the schema's version was there before, and the migration changes it
    schema.write_text(text.replace("loses = []", 'loses = ["system_configuration"]'))
    nox = clone / NOX.relative_to(ROOT)
    before = (nox / "migrations" / "v8_to_v8.0.0.sql").read_text()
    start = "INSERT INTO migration_log"
    (nox / "migrations" / "v8.0.0_to_v8.0.1.sql").write_text(
        before.replace(start, ADDS + start, 1).replace("8.0.0", "8.0.1")
    )
    asked = (nox / "db" / "queries_7.9.3.sql").read_text()
    (nox / "db" / "queries_8.0.0.sql").write_text(asked + ASKS)


def noxgate(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The clone's own command."""
    return subprocess.run(
        [sys.executable, "-m", "noxgate.cli", *words],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
