"""Science that is new on each hold: what is drawn, and what is right for it."""

import asyncio
import random
from itertools import pairwise
from pathlib import Path

import pytest
from load.answers import within
from load.drawn import Question, drawn, prepared
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula
from tests_self.simulated import ROOT

from nox_rehearsal.science.boiling import boiling_point
from nox_rehearsal.science.detonation import detonation
from nox_rehearsal.science.jobs import psi4_input, xtb_input
from nox_rehearsal.science.programs import run_psi4, run_xtb
from noxgate.slo import ramps

METHODS = ramps.read_ramps(ROOT)["full"].methods
DRAWS = 300


def draws(method: str) -> list[Question]:
    rng = random.Random(7)  # noqa: S311
    return [drawn(method, turn, rng) for turn in range(DRAWS)]


@pytest.mark.parametrize("method", METHODS)
def test_each_draw_is_another_one(method: str) -> None:
    questions = draws(method)

    assert {question.method for question in questions} == {method}
    assert len({question.text for question in questions}) == DRAWS


def test_database_has_none_of_them() -> None:
    """A job is known by its input, however it is written."""
    xtb = {xtb_input(question.body).hash for question in draws("/xtb/v1")}
    psi4 = {psi4_input(question.body).hash for question in draws("/psi4/v1")}
    smiles = {
        Chem.MolToSmiles(Chem.MolFromSmiles(question.body["smiles"])) for question in draws("/empirical/v1")
    }

    assert (len(xtb), len(psi4)) == (DRAWS, DRAWS)
    assert len(smiles) > 0.99 * DRAWS


def test_boiling_points_are_those_of_known_molecules() -> None:
    """RDKit reads each as one of five, but for its isotopes, and finds its boiling point."""
    formulas = set()
    for question in draws("/empirical/v1"):
        formulas.add(CalcMolFormula(Chem.MolFromSmiles(question.body["smiles"])))
        _, kelvin = boiling_point(question.body["smiles"])
        assert within({"value": kelvin}, question.bounds), question
    assert formulas == {"C6H14O", "C6H12O2", "C7H14O", "C7H8", "C8H10"}


def test_velocities_are_those_of_known_explosives() -> None:
    for question in draws("/predict/cj/v1"):
        found = detonation(question.body["composition"], question.body["density"])
        low, high = question.bounds
        assert low <= found.velocity <= high, question


def test_energies_are_those_of_the_real_programs() -> None:
    """Each molecule once, turned anyhow: far nearer than must be."""
    for turn in range(4):
        rng = random.Random(turn)  # noqa: S311
        by_xtb, by_psi4 = drawn("/xtb/v1", turn, rng), drawn("/psi4/v1", turn, rng)
        xtb = asyncio.run(run_xtb(xtb_input(by_xtb.body).input, 60))
        psi4 = asyncio.run(run_psi4(psi4_input(by_psi4.body).input, 60))
        for question, result in ((by_xtb, xtb), (by_psi4, psi4)):
            assert result["energy"] == pytest.approx(sum(question.bounds) / 2, abs=0.00002)
            assert within(result, question.bounds)


@pytest.mark.parametrize("method", ["/xtb/v1", "/psi4/v1"])
def test_no_energy_is_right_for_two_in_a_row(method: str) -> None:
    """So that a constant is found where a ramp asks twice."""
    for one, two in pairwise(draws(method)):
        assert one.bounds[1] < two.bounds[0] or two.bounds[1] < one.bounds[0]


@pytest.mark.parametrize("name", ["smoke", "quick", "full", "rate"])
def test_ramp_asks_each_method_on_each_hold(name: str) -> None:
    ramp = ramps.chosen(ROOT, name)

    found = prepared(ramp, random.Random(1))  # noqa: S311

    assert list(found) == [level.name(number) for number, level in enumerate(ramp.levels, 1)]
    for level, asked in zip(ramp.levels, found.values(), strict=True):
        assert [question.method for _, question in asked] == [*METHODS] * ramp.new_jobs
        assert [at for at, _ in asked] == sorted(at for at, _ in asked)
        assert asked[0][0] == 0
        assert asked[-1][0] < level.hold
    assert ramp.new_jobs >= 2


@pytest.mark.parametrize("count", ["0", "-1", "1.5", '"2"'])
def test_ramp_that_asks_for_nothing_new(count: str, tmp_path: Path) -> None:
    """Nor one that is not evidence."""
    (tmp_path / "load").mkdir()
    lines = ["[mine]", 'what = ""', "fall = 1", "window = 1", "lag_ms = 5", "cpu_percent = 70"]
    lines += ["levels = [{ users = 1, rise = 1, hold = 10 }]", "evidence = false", f"new_jobs = {count}"]
    (tmp_path / ramps.FILE).write_text("\n".join(lines))

    with pytest.raises(ramps.RampError, match=r"new_jobs( of 1 or more|: expected a whole number)"):
        ramps.read_ramps(tmp_path)
