"""The reference API's science against published values."""

import pytest

from nox_rehearsal.science.boiling import boiling_point
from nox_rehearsal.science.detonation import detonation
from nox_rehearsal.science.jobs import psi4_input, xtb_input
from nox_rehearsal.science.molecules import InputError, canonical, geometry

XTB = (100, 86)


@pytest.mark.parametrize(
    ("smiles", "kelvin"),
    [
        ("CCO", 337.54),
        ("CC", 245.36),
        ("CCCCCC", 336.88),
        ("CC(C)=O", 322.11),
        ("CC(=O)O", 390.87),
        ("CCOC(C)=O", 349.34),
        ("CC=O", 294.02),
        ("CC#N", 347.44),
        ("c1ccccc1", 358.58),
        ("Oc1ccccc1", 439.20),
        ("c1ccncc1", 389.40),
        ("C1CCCCC1", 361.10),
        ("C[N+](=O)[O-]", 374.32),
        ("CCN(CC)CC", 349.32),
        ("ClC(Cl)Cl", 334.33),
        ("C=CC=C", 284.48),
    ],
)
def test_boiling_points_are_the_sums_of_the_published_groups(smiles: str, kelvin: float) -> None:
    assert boiling_point(smiles)[1] == pytest.approx(kelvin, abs=0.005)


def test_a_boiling_point_does_not_depend_on_the_spelling() -> None:
    assert boiling_point("OCC") == boiling_point("C(O)C") == ("CCO", 337.54)


@pytest.mark.parametrize("smiles", ["C", "O", "C=O", "O=CO", "CS(C)=O", "C[Si](C)(C)C", "[H][H]", "[Na+]"])
def test_a_molecule_beyond_the_groups_has_no_boiling_point(smiles: str) -> None:
    with pytest.raises(InputError, match="do not cover"):
        boiling_point(smiles)


@pytest.mark.parametrize("smiles", ["", "c1cc", "C(", "not a molecule", "C\x00C", "é", "\ud800", "C" * 301])
def test_what_is_no_smiles_is_refused(smiles: str) -> None:
    with pytest.raises(InputError):
        boiling_point(smiles)


@pytest.mark.parametrize(
    ("composition", "density", "velocity", "pressure"),
    [
        # measured values as handbooks give them, at about these densities
        ("C3H6N6O6", 1.80, 8.75, 34.7),
        ("C7H5N3O6", 1.65, 6.93, 20.7),
        ("C4H8N8O8", 1.89, 9.11, 39.0),
    ],
)
def test_detonation_is_near_what_was_measured(
    composition: str, density: float, velocity: float, pressure: float
) -> None:
    found = detonation(composition, density)

    assert found.velocity == pytest.approx(velocity, rel=0.02)
    assert found.pressure == pytest.approx(pressure, rel=0.04)


def test_detonation_is_the_published_relation() -> None:
    # RDX by hand: N = 30/4/222.12 mol/g, M = 27.2 g/mol,
    # Q = (6 · 28.9 + 1.5 · 94.05 + 66.9/4.184)/222.12 kcal/g
    found = detonation("C3H6N6O6", 1.80)

    assert found.velocity == pytest.approx(8.793, abs=0.003)
    assert found.pressure == pytest.approx(34.30, abs=0.03)


def test_a_given_heat_of_formation_counts() -> None:
    cold, warm = detonation("C3H6N6O6", 1.80, 0.0), detonation("C3H6N6O6", 1.80, 200.0)

    assert cold.velocity < detonation("C3H6N6O6", 1.80).velocity < warm.velocity


def test_a_formula_may_be_spelled_in_any_order() -> None:
    assert detonation("N6O6C3H6", 1.80) == detonation("C3H6N6O6", 1.80)


@pytest.mark.parametrize(
    ("composition", "density", "heat"),
    [
        ("C3H6N6O6", 0.0, None),
        ("C3H6N6O6", -1.8, None),
        ("C3H6N6O6", 18.0, None),
        ("C3H6N6O6", float("nan"), None),
        ("C3H6N6O6", 1.8, float("inf")),
        ("C3H6N6O6", 1.8, 1e300),
        ("C2H4N4O4", 1.8, None),
        ("RDX", 1.8, 70.0),
        ("C6Cl6", 1.8, 70.0),
        ("C0", 1.8, 70.0),
        ("", 1.8, 70.0),
        ("C9999", 1.8, 70.0),
        ("C10", 1.8, -10.0),
        ("C10", 1.8, 10.0),
        ("H2O", 1.8, -285.8),
    ],
)
def test_what_cannot_detonate_is_refused(composition: str, density: float, heat: float | None) -> None:
    with pytest.raises(InputError):
        detonation(composition, density, heat)


def test_one_molecule_has_one_spelling() -> None:
    assert canonical("H2O", *XTB) == canonical("O", *XTB) == canonical("[H]O[H]", *XTB) == "O"
    assert canonical("2\ncomment\nH 0 0 0\nH 0 0 .74\n".replace(" .74", " 0.74"), *XTB) == canonical(
        "H 0.0 -0.0 0.0\nH 0.0 0.0 0.74", *XTB
    )


def test_a_geometry_is_the_same_every_time() -> None:
    assert geometry("CCO") == geometry("CCO")
    assert len(geometry("CCO").splitlines()) == 9


@pytest.mark.parametrize(
    "text",
    [
        "[OH-]",
        "[CH3]",
        "[Na+].[Cl-]",
        "C" * 60,
        "Og 0 0 0\nOg 0 0 3",
        "H 0 0 0\n",
        "He 0 0\n",
        "Xx 0 0 0\n",
        "3\n\nHe 0 0 0\n",
        "He 0 0 0\nmemory 1 GB\n",
        "He 0 0 0; x\n",
        "He 1e3 0 0\n",
        "\n",
        "1\n\n",
    ],
)
def test_what_xtb_cannot_compute_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        canonical(text, *XTB)


def test_the_same_job_has_the_same_hash_and_another_has_another() -> None:
    body = {"molecule": "OCC", "method": "GFN2-xTB", "properties": ["forces", "energy", "energy"]}
    same = {"molecule": "CCO", "method": "GFN2-xTB", "properties": ["energy", "forces"]}

    assert xtb_input(body).hash == xtb_input(same).hash
    assert xtb_input(body).hash != xtb_input(same | {"properties": ["energy"]}).hash
    assert xtb_input(body).hash != xtb_input(same | {"method": "GFN1-xTB"}).hash
    water = {"geometry": "H2O", "method": "HF", "basis": "cc-pVDZ"}
    assert psi4_input(water).hash != psi4_input(water | {"basis": "STO-3G"}).hash
