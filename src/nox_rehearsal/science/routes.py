"""The science: two answers at once, two through jobs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nox_rehearsal.api.answers import answer, error, json_object
from nox_rehearsal.api.fresh import Fresh
from nox_rehearsal.api.nox import Nox
from nox_rehearsal.science import jobs
from nox_rehearsal.science.boiling import boiling_point
from nox_rehearsal.science.detonation import detonation
from nox_rehearsal.science.jobs import Job, JobInput
from nox_rehearsal.science.molecules import InputError


class ScienceEndpoints:
    """`/empirical/v1`, `/predict/cj/v1`, `/xtb/v1`, `/psi4/v1` and `/api/jobs/…`."""

    def __init__(self, nox: Nox) -> None:
        self._nox = nox
        # what is finished does not change; what is not is looked up each time
        self._jobs: Fresh[Job | None] = Fresh(seconds=2, keep=_is_completed)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/empirical/v1", self.empirical, methods=["POST"]),
            Route("/predict/cj/v1", self.chapman_jouguet, methods=["POST"]),
            Route("/xtb/v1", self.xtb, methods=["POST"]),
            Route("/psi4/v1", self.psi4, methods=["POST"]),
            Route("/api/jobs/{job_id}", self.job),
        ]

    async def empirical(self, request: Request) -> Response:
        """`{"smiles", "property": "boiling_point"}`: the normal boiling point in K."""
        body = await self._body(request)
        if jobs.text(body, "property") != "boiling_point":
            raise InputError("property must be boiling_point")
        smiles, kelvin = boiling_point(jobs.text(body, "smiles"))
        return answer(
            {"smiles": smiles, "property": "boiling_point", "value": kelvin, "unit": "K", "method": "Joback"}
        )

    async def chapman_jouguet(self, request: Request) -> Response:
        """`{"composition", "density", "heat_of_formation"?}` in g/cm³ and kJ/mol."""
        body = await self._body(request)
        density = _number(body, "density")
        if density is None:
            raise InputError("density is required, as a number")
        found = detonation(jobs.text(body, "composition"), density, _number(body, "heat_of_formation"))
        units = {
            "density": "g/cm3",
            "heat_of_formation": "kJ/mol",
            "velocity": "km/s",
            "pressure": "GPa",
        }
        return answer({**asdict(found), "units": units, "method": "Kamlet-Jacobs"})

    async def xtb(self, request: Request) -> Response:
        return await self._submit(request, jobs.xtb_input)

    async def psi4(self, request: Request) -> Response:
        return await self._submit(request, jobs.psi4_input)

    async def job(self, request: Request) -> Response:
        """One job as it is now; 404 for an unknown id."""
        nox, job_id = self._nox, request.path_params["job_id"]
        try:
            job_id = str(UUID(job_id))
        except ValueError:
            return error(404, "no such job")
        found = await self._jobs.get(
            (nox.settings.database_url, job_id), lambda: jobs.find(nox.backends, nox.settings, job_id)
        )
        return error(404, "no such job") if found is None else answer(_shown(found))

    async def _submit(self, request: Request, read: Callable[[Mapping[str, Any]], JobInput]) -> Response:
        """200 with the result when this input is finished, else 202 and where to look."""
        nox, settings = self._nox, self._nox.settings
        job_input = read(await self._body(request))
        caller = nox.caller_if_any(request)
        user_id = caller.user_id if caller else None
        job = await self._jobs.get(
            (settings.database_url, job_input.hash),
            lambda: jobs.submit(nox.backends, settings, job_input, user_id),
        )
        assert job is not None
        return answer(_shown(job), 200 if job.status == "completed" else 202)

    async def _body(self, request: Request) -> dict[str, Any]:
        """The body of a request whose token, if it has one, is valid."""
        self._nox.caller_if_any(request)
        return await json_object(request)


def _shown(job: Job) -> dict[str, Any]:
    shown: dict[str, Any] = {"job_id": job.id, "status": job.status, "url": f"/api/jobs/{job.id}"}
    if job.status == "completed":
        shown["result"] = job.result
    if job.status == "failed":
        shown["error"] = job.error
    return shown


def _is_completed(job: Job | None) -> bool:
    return job is not None and job.status == "completed"


def _number(body: Mapping[str, Any], key: str) -> float | None:
    """A finite number of the body, or None if it does not exist."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{key} must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{key} must be a finite number")
    return number
