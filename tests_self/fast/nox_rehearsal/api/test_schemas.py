"""The reference API on the schema before and after the migration."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests_self.fast.nox_rehearsal.api.serving import MIGRATION, XTB, Servers, finished, serving, working

pytestmark = pytest.mark.usefixtures("quick_start")


@pytest.mark.parametrize("template", ["seed_7", "seed_8"])
def test_7_9_3_runs_on_both_schemas(servers: Servers, tmp_path: Path, template: str) -> None:
    with serving(servers, tmp_path, "7.9.3", servers.fresh(template)) as api:
        looks = [api.get(path) for path in ("/health", "/version", "/ready", "/api/public/stats")]
        own = [api.as_user(f"/api/user/{path}") for path in ("profile", "settings", "history")]
        admin = api.as_user("/api/admin/health", 1, "admin")
        job = api.post("/xtb/v1", json=XTB).json()
        with working(servers, "7.9.3", api.database):
            done = finished(api, job)

    assert [answer.status_code for answer in (*looks, *own, admin)] == [200] * 8
    assert looks[1].json() == {"version": "7.9.3"}
    assert done["result"]["energy"] == pytest.approx(-5.070386, abs=1e-5)


def catalog(servers: Servers, database: str) -> list[tuple[Any, ...]]:
    return servers.execute(
        database,
        "SELECT c.relname, a.attname, a.atttypid::regtype::text, a.attnotnull FROM pg_class AS c"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2",
    )


VERSION = "SELECT config_value::text FROM system_configuration WHERE config_key = 'database_schema_version'"
VALID = (
    "SELECT count(*) FROM pg_class JOIN pg_index ON oid = indexrelid"
    " WHERE relname LIKE 'idx\\_%' AND indisvalid"
)


def test_the_migration_twice_is_the_migration_once(servers: Servers) -> None:
    database = servers.fresh("seed_8")
    before = catalog(servers, database)

    again = servers.psql(database, MIGRATION)

    assert (again.returncode, again.stderr) == (0, "")
    assert catalog(servers, database) == before
    assert servers.execute(database, VERSION) == [('"8.0.0"',)]
    assert servers.execute(database, VALID) == [(22,)]
    assert servers.execute(database, "SELECT count(*) FROM migration_validation WHERE NOT passed") == [(0,)]


def test_the_migration_repairs_an_invalid_index(servers: Servers) -> None:
    database = servers.fresh("seed_7")
    duplicates = "INSERT INTO daily_usage SELECT day, user_id, requests FROM daily_usage LIMIT 1"
    servers.execute(database, duplicates)
    with pytest.raises(psycopg.errors.UniqueViolation):
        servers.execute(
            database,
            "CREATE UNIQUE INDEX CONCURRENTLY idx_jobs_status_created ON daily_usage (day, user_id)",
        )

    done = servers.psql(database, MIGRATION)

    assert (done.returncode, done.stderr) == (0, "")
    assert servers.execute(database, VALID) == [(22,)]
    on = "SELECT tablename FROM pg_indexes WHERE indexname = 'idx_jobs_status_created'"
    assert servers.execute(database, on) == [("computational_jobs",)]


def test_a_migration_that_is_not_complete_does_not_set_the_version(servers: Servers) -> None:
    database = servers.fresh("seed_7")
    servers.execute(database, "CREATE TABLE users_too (id bigint)")
    servers.execute(database, "CREATE INDEX idx_users_last_login ON users_too (id)")
    servers.execute(database, "CREATE INDEX idx_one_too_many ON users_too (id)")

    done = servers.psql(database, MIGRATION)

    assert done.returncode == 3
    assert "the 8.0.0 migration is not complete: valid indexes: expected 22, found 23" in done.stderr
    assert servers.execute(database, VERSION) == []


def test_two_migrations_at_once_are_refused(servers: Servers) -> None:
    database = servers.fresh("seed_7")
    with psycopg.connect(servers.url(database), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(8, 0)")

        done = servers.psql(database, MIGRATION)

    assert done.returncode == 3
    assert "another run of the 8.0.0 migration is under way" in done.stderr


def test_the_trigger_counts_a_batchs_jobs(servers: Servers) -> None:
    database = servers.fresh("seed_8")
    batch, other = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
    servers.execute(
        database, f"INSERT INTO batch_job_collections (id, name) VALUES ('{batch}', 'a'), ('{other}', 'b')"
    )
    counts = "SELECT total_jobs, completed_jobs, failed_jobs FROM batch_job_collections ORDER BY id"
    some = "id IN (SELECT id FROM computational_jobs ORDER BY id LIMIT 5)"

    servers.execute(database, f"UPDATE computational_jobs SET batch_id = '{batch}' WHERE {some}")
    assert servers.execute(database, counts) == [(5, 5, 0), (0, 0, 0)]
    servers.execute(
        database,
        f"UPDATE computational_jobs SET batch_id = '{other}', status = 'failed', result = NULL, error = 'e'"
        " WHERE id = (SELECT min(id::text)::uuid FROM computational_jobs)",
    )
    assert servers.execute(database, counts) == [(4, 4, 0), (1, 0, 1)]
    servers.execute(database, "DELETE FROM computational_jobs WHERE batch_id IS NOT NULL")
    assert servers.execute(database, counts) == [(0, 0, 0), (0, 0, 0)]
