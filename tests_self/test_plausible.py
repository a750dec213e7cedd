"""Results that cannot be, and odd ones that can."""

from typing import Any

import pytest

from nox_service.plausible import BOILING_POINT, DETONATION, faults


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
    ],
)
def test_boiling_point_that_can_be(document: Any) -> None:
    assert faults(document, BOILING_POINT, lambda kelvin: 100 < kelvin < 1000) == []


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
    ],
)
def test_boiling_point_that_cannot_be(document: Any, which: str) -> None:
    (said,) = faults(document, BOILING_POINT, lambda kelvin: 100 < kelvin < 1000)
    assert said.removeprefix("no plausible result").lstrip(": ") == which


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"detonation_velocity": 8750, "pressure_gpa": 34.7, "density": 1.8}, []),
        ({"d_cj": 8.75, "p_cj": 34.7, "gamma": 0}, []),
        ({"detonation_velocity": 0, "pressure_gpa": 34.7}, ["no plausible result: detonation_velocity 0.0"]),
        ({"velocity": 8750, "pressure": None}, ["no plausible result: pressure None"]),
        ({"density": 1.8}, ["no plausible result in []"]),
    ],
)
def test_detonation(document: Any, found: list[str]) -> None:
    assert faults(document, DETONATION, lambda number: number > 0, ("density",)) == found
