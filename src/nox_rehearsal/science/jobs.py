"""Computational jobs: what is computed, and its row, one for each distinct input."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from nox_rehearsal.api.backends import Backends
from nox_rehearsal.api.settings import Settings
from nox_rehearsal.science.molecules import InputError, canonical

CHANNEL = "nox_jobs"
XTB_METHODS = {"GFN1-xTB", "GFN2-xTB"}
XTB_PROPERTIES = {"energy", "forces"}
PSI4_METHODS = {"HF", "MP2", "B3LYP"}
PSI4_BASES = {"STO-3G", "6-31G*", "cc-pVDZ", "cc-pVTZ"}
XTB_LIMITS = (100, 86)  # atoms, heaviest element: GFN2-xTB ends with radon
PSI4_LIMITS = (20, 18)  # minutes on one core, and every basis above ends with argon

BY_ID = "SELECT id, status, result, error FROM computational_jobs WHERE id = %s"
BY_HASH = "SELECT id, status, result, error FROM computational_jobs WHERE input_hash = %s"
# A failed job is tried again when it is asked for again; a user that is gone leaves a job without an owner.
QUEUE = """
    WITH queued AS (
        INSERT INTO computational_jobs (user_id, engine, input, input_hash)
        VALUES ((SELECT id FROM users WHERE id = %s), %s, %s, %s)
        ON CONFLICT (input_hash) DO UPDATE
        SET status = 'queued', error = NULL, started_at = NULL, finished_at = NULL
        WHERE computational_jobs.status = 'failed'
        RETURNING id, status, result, error
    )
    SELECT id, status, result, error, pg_notify('nox_jobs', '') FROM queued
"""
# A worker that died leaves its job running: after twice the time limit another one takes it.
CLAIM_7 = """
    UPDATE computational_jobs SET status = 'running', started_at = now()
    WHERE id = (
        SELECT id FROM computational_jobs
        WHERE status = 'queued' OR (status = 'running' AND started_at < now() - make_interval(secs => %s))
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, engine, input
"""
CLAIM_8 = """
    UPDATE computational_jobs
    SET status = 'running', started_at = now(), worker_name = %s, attempts = attempts + 1
    WHERE id = (
        SELECT id FROM computational_jobs
        WHERE status = 'queued' OR (status = 'running' AND started_at < now() - make_interval(secs => %s))
        ORDER BY priority, created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, engine, input
"""
COMPLETE_7 = """
    UPDATE computational_jobs SET status = 'completed', result = %s, finished_at = now()
    WHERE id = %s AND status = 'running'
"""
COMPLETE_8 = """
    UPDATE computational_jobs
    SET status = 'completed', result = %s, finished_at = now(), progress_percent = 100
    WHERE id = %s AND status = 'running'
"""
FAIL = """
    UPDATE computational_jobs SET status = 'failed', error = %s, finished_at = now()
    WHERE id = %s AND status = 'running'
"""
GIVE_BACK = """
    UPDATE computational_jobs SET status = 'queued', started_at = NULL WHERE id = %s AND status = 'running'
"""


@dataclass(frozen=True)
class JobInput:
    """What an engine (`xtb` or `psi4`) is to compute, in the one spelling that is hashed."""

    engine: str
    input: dict[str, Any]

    @property
    def hash(self) -> str:
        spelled = json.dumps([self.engine, self.input], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(spelled.encode()).hexdigest()


@dataclass(frozen=True)
class Job:
    """One row: `status` is queued, running, completed (then `result`) or failed (then `error`)."""

    id: str
    status: str
    result: Any
    error: str | None


def xtb_input(body: Mapping[str, Any]) -> JobInput:
    """From `{"molecule", "method", "properties"}`; InputError names what is wrong."""
    properties = body.get("properties", ["energy"])
    if (
        not isinstance(properties, list)
        or not properties
        or not all(isinstance(name, str) and name in XTB_PROPERTIES for name in properties)
    ):
        raise InputError(f"properties must be some of {', '.join(sorted(XTB_PROPERTIES))}")
    return JobInput(
        "xtb",
        {
            "molecule": canonical(text(body, "molecule"), *XTB_LIMITS),
            "method": _one_of(body, "method", XTB_METHODS),
            "properties": sorted(set(properties)),
        },
    )


def psi4_input(body: Mapping[str, Any]) -> JobInput:
    """From `{"geometry", "method", "basis"}`; InputError names what is wrong."""
    return JobInput(
        "psi4",
        {
            "geometry": canonical(text(body, "geometry"), *PSI4_LIMITS),
            "method": _one_of(body, "method", PSI4_METHODS),
            "basis": _one_of(body, "basis", PSI4_BASES),
        },
    )


def text(body: Mapping[str, Any], key: str) -> str:
    """A text of the body that is there and not blank; InputError otherwise."""
    value = body.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{key} is required, as text")
    return value if "\n" in value.strip() else value.strip()


async def submit(backends: Backends, settings: Settings, job: JobInput, user_id: int | None) -> Job:
    """The row of this input: the one that is there, or a new one, queued."""
    rows = await backends.rows(settings, BY_HASH, [job.hash])
    if not rows or rows[0]["status"] == "failed":
        rows = await backends.rows(settings, QUEUE, [user_id, job.engine, Jsonb(job.input), job.hash])
        if not rows:  # somebody else queued it between the two looks
            rows = await backends.rows(settings, BY_HASH, [job.hash])
    return _job(rows[0])


async def find(backends: Backends, settings: Settings, job_id: str) -> Job | None:
    """The job of an id (a UUID), or None."""
    rows = await backends.rows(settings, BY_ID, [job_id])
    return _job(rows[0]) if rows else None


def _job(row: DictRow) -> Job:
    return Job(str(row["id"]), row["status"], row["result"], row["error"])


def _one_of(body: Mapping[str, Any], key: str, known: set[str]) -> str:
    value = body.get(key)
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{key} must be one of {', '.join(sorted(known))}")
    return value
