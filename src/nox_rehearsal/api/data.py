"""What the application reads from PostgreSQL; 7.x statements touch only what the 7.x schema has."""

from typing import Any

from psycopg.rows import DictRow

from nox_rehearsal.api.backends import Backends
from nox_rehearsal.api.settings import Settings

HISTORY = 50  # newest jobs shown

PROFILE_7 = """
    SELECT id, email, display_name, role, oauth_provider, created_at
    FROM users WHERE id = %s
"""
PROFILE_8 = """
    SELECT id, email, display_name, role, oauth_provider, created_at, last_login_at, mfa_enabled
    FROM users WHERE id = %s
"""
SETTINGS_7 = "SELECT settings FROM users WHERE id = %s"
SETTINGS_8 = "SELECT settings, ai_daily_quota FROM users WHERE id = %s"
HISTORY_7 = """
    SELECT id AS job_id, engine, status, input, created_at, finished_at
    FROM computational_jobs WHERE user_id = %s ORDER BY created_at DESC, id LIMIT %s
"""
HISTORY_8 = """
    SELECT id AS job_id, engine, status, input, created_at, finished_at, priority, progress_percent, batch_id
    FROM computational_jobs WHERE user_id = %s ORDER BY created_at DESC, id LIMIT %s
"""
STATS = """
    SELECT (SELECT count(*) FROM users) AS users,
           (SELECT count(*) FROM molecules) AS molecules,
           (SELECT count(*) FROM computational_jobs) AS jobs
"""
JOBS_BY_STATE = "SELECT status, count(*) AS jobs FROM computational_jobs GROUP BY status"
SCHEMA_VERSION = "SELECT config_value FROM system_configuration WHERE config_key = 'database_schema_version'"
JOB_STATES = ("queued", "running", "completed", "failed")


async def profile(backends: Backends, settings: Settings, user_id: int) -> DictRow | None:
    """The user's own row, or None."""
    rows = await backends.rows(settings, PROFILE_8 if settings.schema_is_8 else PROFILE_7, [user_id])
    return rows[0] if rows else None


async def preferences(backends: Backends, settings: Settings, user_id: int) -> dict[str, Any] | None:
    """The user's settings, or None for a user that does not exist."""
    rows = await backends.rows(settings, SETTINGS_8 if settings.schema_is_8 else SETTINGS_7, [user_id])
    return rows[0] if rows else None


async def history(backends: Backends, settings: Settings, user_id: int) -> list[DictRow]:
    """The user's newest jobs, newest first."""
    return await backends.rows(settings, HISTORY_8 if settings.schema_is_8 else HISTORY_7, [user_id, HISTORY])


async def stats(backends: Backends, settings: Settings) -> DictRow:
    """Numbers of `users`, `molecules` and `jobs`."""
    return (await backends.rows(settings, STATS))[0]


async def jobs_by_state(backends: Backends, settings: Settings) -> dict[str, int]:
    """Jobs in each state, zeros included."""
    rows = await backends.rows(settings, JOBS_BY_STATE)
    return dict.fromkeys(JOB_STATES, 0) | {row["status"]: row["jobs"] for row in rows}


async def schema_version(backends: Backends, settings: Settings) -> str:
    """What system_configuration says; `7` before there was such a table."""
    if not settings.schema_is_8:
        return "7"
    rows = await backends.rows(settings, SCHEMA_VERSION)
    return str(rows[0]["config_value"]) if rows else "unknown"
