"""Results that cannot be, and odd ones that can."""

from typing import Any

import pytest

from nox_service.calculations import EMPIRICAL, PREDICT_CJ
from nox_service.plausible import faults


@pytest.mark.parametrize(
    "document",
    [
        {"boiling_point": 351.5},
        {"boiling_point": {"value": 351.5, "unit": "K", "uncertainty": 0}},
        {"result": {"boiling_point_kelvin": 351.5}, "model_version": 3, "seconds": 0.0},
        {"value": 351.5, "confidence": 0.9},
        {"prediction": [351.5]},
        {"kelvin": 351.5, "atoms": 9},
        {"bp_k": 351.5, "warnings": None},
        {"boiling_point": 351.5, "error": None, "job_id": None, "uncertainty": None},
        {"boiling_point": 351.5, "boiling_point_std": 4.2, "boilingPointError": 0},
        {"boiling_point_k": 351.5, "boiling_point_c": 78.4, "boilingPointF": 173.1},
        {"boiling_point": {"value": 351.5, "ci": [340, 360], "n": 0}},
        {"boiling_point": {"kelvin": 351.5, "celsius": 78.4}},
        {"prediction": {"mean": 351.5, "std": 0}},
        {"T": 351.5, "elapsed_ms": 3},
    ],
)
def test_boiling_point_that_can_be(document: Any) -> None:
    assert faults(document, EMPIRICAL.quantities) == []


@pytest.mark.parametrize(
    ("document", "which"),
    [
        ({"boiling_point": 0}, "boiling_point 0.0"),
        ({"boiling_point": None, "molar_mass": 460.7}, "boiling_point None"),
        ({"boiling_point": {"value": 0, "reference": 373.15}}, "boiling_point 0.0"),
        ({"value": 0, "confidence": 150}, "value 0.0"),
        (
            {"results": [{"boiling_point": 351.5}, {"boiling_point": 0}]},
            "boiling_point 0.0",
        ),
        ({"boiling_point": float("nan")}, "boiling_point nan"),
        ({"atoms": 9}, "in [9.0]"),
        ({"boiling_point": True}, "in []"),
        ({"prediction": {"mean": 0, "std": 120}}, "prediction 0.0"),
        ({"predictions": [0], "n": 150}, "predictions 0.0"),
        ({"results": [], "elapsed_ms": 150}, "in [150.0]"),
        ({"T": 0, "elapsedMs": 150, "molar_mass": 460.7}, "in [0.0, 150.0, 460.7]"),
        ({"value": None, "boiling_point_std": 120}, "value None"),
    ],
)
def test_boiling_point_that_cannot_be(document: Any, which: str) -> None:
    (said,) = faults(document, EMPIRICAL.quantities)
    assert said.removeprefix("no plausible result").lstrip(": ") == which


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"detonation_velocity": 8750, "pressure_gpa": 34.7, "density": 1.8}, []),
        ({"d_cj": 8.75, "p_cj": 34.7, "gamma": 0}, []),
        ({"detonation_velocity": 0, "pressure_gpa": 34.7}, ["no plausible result: detonation_velocity 0.0"]),
        ({"velocity": 8750, "pressure": None}, ["no plausible result: pressure None"]),
        ({"density": 1.8}, ["no plausible result in []"]),
        ({"detonation": {"velocity": 8750, "pressure_gpa": 34.7, "temperature": 4200}}, []),
        ({"detonationVelocity": 8.75, "velocity_error": 0.0, "pressure_uncertainty": 0}, []),
        ({"d": 8750, "P_cj": 34.7e9}, []),
        ({"velocity": 0.001, "pressure": 34.7}, ["no plausible result: velocity 0.001"]),
        ({"velocity": 1e-300}, ["no plausible result: velocity 1e-300"]),
        ({"velocity": 1}, ["no plausible result: velocity 1.0"]),
        ({"velocity": 1e9}, ["no plausible result: velocity 1000000000.0"]),
        ({"vcj": 0, "atoms": 21}, ["no plausible result: vcj 0.0"]),
        ({"velocity": -8750}, ["no plausible result: velocity -8750.0"]),
    ],
)
def test_detonation(document: Any, found: list[str]) -> None:
    assert faults(document, PREDICT_CJ.quantities, PREDICT_CJ.sent) == found
