"""The science that is asked: two requests that compute and store nothing, and what makes an answer right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from nox_service.api import Asks
from nox_service.faults import content, not_ok
from nox_service.plausible import BOILING_POINT, DETONATION, VELOCITY, Quantity
from nox_service.plausible import faults as implausible
from noxgate.look.http import Answer


@dataclass(frozen=True)
class Calculation:
    """A request, and what its result is made of."""

    path: str
    body: Mapping[str, Any]
    quantities: tuple[Quantity, ...]
    sent: tuple[str, ...] = ()  # names of numbers that come back as they were sent


def _of_rdx(velocity: float) -> bool:
    """8.75 km/s, give or take 40 %, or so many m/s."""
    return any(5 < kilometres < 13 for kilometres in (velocity, velocity / 1000))  # noqa: PLR2004


# Ethanol, in kelvin; RDX, C3H6N6O6, at 1.80 g/cm3.
EMPIRICAL = Calculation(
    "/empirical/v1",
    {"smiles": "CCO", "property": "boiling_point"},
    (Quantity(BOILING_POINT, lambda number: 100 < number < 1000),),  # noqa: PLR2004
)
PREDICT_CJ = Calculation(
    "/predict/cj/v1",
    {"composition": "C3H6N6O6", "density": 1.80},
    (
        Quantity(VELOCITY, _of_rdx),
        Quantity(DETONATION, lambda number: 0.1 < number < 1e12),  # noqa: PLR2004
    ),
    ("density",),
)
BOTH = (EMPIRICAL, PREDICT_CJ)
REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


def look(api: Asks, calculation: Calculation) -> list[str]:
    """Have it computed, as the user; what is wrong with the answer."""
    return computed(api.post(calculation.path, calculation.body, who="test_token"), calculation)


def each(api: Asks) -> dict[str, list[str]]:
    """The calculations with which something is wrong."""
    found = {calculation.path: look(api, calculation) for calculation in BOTH}
    return {path: wrong for path, wrong in found.items() if wrong}


def computed(answer: Answer, calculation: Calculation) -> list[str]:
    """Why it is neither 200 with a plausible result nor 202 with the id of a job."""
    document, said = content(answer, HTTPStatus.OK, HTTPStatus.ACCEPTED)
    if said:
        return said
    if not isinstance(document, dict):
        return [f"expected a JSON object, saw {document}"]
    if answer.status == HTTPStatus.ACCEPTED:
        job_id = document.get("job_id")
        is_id = (isinstance(job_id, str) and job_id.strip()) or (type(job_id) is int and job_id > 0)
        return [] if is_id else [f"expected the id of a job, saw {job_id!r}"]
    return implausible(document, calculation.quantities, calculation.sent)


def refused(answers: Sequence[Answer]) -> list[str]:
    """Why a bad body was not refused as the caller's fault: it was computed, or there was a crash."""
    return [
        f"a bad body: {not_ok(answer)}, expected 400 or 422"
        for answer in answers
        if answer.status not in REFUSED
    ]
