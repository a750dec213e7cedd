"""Computes queued jobs, one at a time: `python -m nox_rehearsal.science.worker`."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from nox_rehearsal.api.logs import log, start_logging
from nox_rehearsal.api.settings import Settings, SettingsError, from_environment
from nox_rehearsal.science import jobs
from nox_rehearsal.science.molecules import InputError
from nox_rehearsal.science.programs import ProgramError, run_psi4, run_xtb

LIMIT = 120.0  # seconds that one job may take
IDLE = 1.0  # seconds between looks without a notice of a job
AWAY = 1.0  # seconds before trying a database again that was away

Connection = psycopg.AsyncConnection[DictRow]


class Worker:
    """Takes the oldest queued job, computes it, writes what came of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._name = f"{settings.pod}/{os.getpid()}"

    async def work(self) -> None:
        """Until cancelled; a database that goes away is waited for."""
        while True:
            try:
                await self._session()
            except psycopg.OperationalError as error:
                log.warning("database away: %s", (str(error).splitlines() or ["?"])[0])
                await asyncio.sleep(AWAY)

    async def _session(self) -> None:
        async with await Connection.connect(
            self._settings.database_url, autocommit=True, row_factory=dict_row, connect_timeout=3
        ) as connection:
            await connection.execute(f"LISTEN {jobs.CHANNEL}")
            while True:
                job = await self._claim(connection)
                if job is not None:
                    await self._compute(connection, job)
                    continue
                async for _ in connection.notifies(timeout=IDLE, stop_after=1):
                    pass

    async def _claim(self, connection: Connection) -> DictRow | None:
        if self._settings.schema_is_8:
            cursor = await connection.execute(jobs.CLAIM_8, [self._name, 2 * LIMIT])
        else:
            cursor = await connection.execute(jobs.CLAIM_7, [2 * LIMIT])
        return await cursor.fetchone()

    async def _compute(self, connection: Connection, job: DictRow) -> None:
        try:
            result = await _result(job)
        except (ProgramError, InputError) as error:
            log.warning("job %s failed: %s", job["id"], error)
            await connection.execute(jobs.FAIL, [str(error), job["id"]])
        except asyncio.CancelledError:
            # stopped in the middle: the next worker shall not have to wait until this one is missed
            with suppress(psycopg.OperationalError):  # PostgreSQL may be ending too
                await connection.execute(jobs.GIVE_BACK, [job["id"]])
            raise
        else:
            complete = jobs.COMPLETE_8 if self._settings.schema_is_8 else jobs.COMPLETE_7
            await connection.execute(complete, [Jsonb(result), job["id"]])


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    work = asyncio.ensure_future(Worker(settings).work())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    log.info("started NOX worker %s", settings.version)
    await asyncio.wait([work])
    if work.cancelled():
        log.info("stopped NOX worker %s", settings.version)
        return
    await work  # raises what ended it


def main(_: list[str]) -> int:
    try:
        settings = from_environment(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"nox_rehearsal.science.worker: {error}\n")
        return 2
    start_logging(settings)
    asyncio.run(run(settings))
    return 0


async def _result(job: DictRow) -> dict[str, Any]:
    engines = {"xtb": run_xtb, "psi4": run_psi4}
    if job["engine"] not in engines:
        raise ProgramError(f"no program computes {job['engine']}")
    return await engines[job["engine"]](job["input"], LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
