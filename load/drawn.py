"""Science that was not asked for before: each input is drawn, another one with the same known result.

What every user asks for is answered from the database from the second test on, also where nothing is computed
any more. All of it is drawn before the first request.

- A molecule turned in space, and its energy is the same: xtb and Psi4.
- One of other isotopes, whose boiling point is the same within a kelvin: groups of atoms are what counts.
- An explosive of another density, within 1 %: its velocity goes with 1 + 1.3 d (Kamlet and Jacobs).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from random import Random
from typing import Any

from load.answers import Bounds

from noxgate.slo.ramps import Ramp

Atoms = tuple[tuple[str, float, float, float], ...]


@dataclass(frozen=True)
class Question:
    """A request, and what the result of its job must be between."""

    method: str  # its path
    body: Mapping[str, Any]
    bounds: Bounds

    @property
    def text(self) -> str:
        return json.dumps(self.body)


# Å. The energies are those of exactly these atoms, in Eh: xtb 6.5.1, GFN2-xTB; Psi4 1.3.2, HF/cc-pVDZ,
# density fitted (without, they differ by 0.00002 at the most).
_WATER: Atoms = (("O", 0, 0, 0), ("H", 0.759061, 0, 0.587735), ("H", -0.759061, 0, 0.587735))
_AMMONIA: Atoms = (
    ("N", 0, 0, 0),
    ("H", 0.937530, 0, -0.381028),
    ("H", -0.468765, 0.811924, -0.381028),
    ("H", -0.468765, -0.811924, -0.381028),
)
_METHANE: Atoms = (
    ("C", 0, 0, 0),
    ("H", 0.627580, 0.627580, 0.627580),
    ("H", 0.627580, -0.627580, -0.627580),
    ("H", -0.627580, 0.627580, -0.627580),
    ("H", -0.627580, -0.627580, 0.627580),
)
_FLUORIDE: Atoms = (("F", 0, 0, 0), ("H", 0, 0, 0.9168))
_BY_XTB = ((_WATER, -5.070386), (_AMMONIA, -4.426177), (_METHANE, -4.175158), (_FLUORIDE, -5.222639))
_BY_PSI4 = ((_WATER, -76.026633), (_AMMONIA, -56.195617), (_METHANE, -40.198679), (_FLUORIDE, -100.019408))
_NEAR = 0.002  # Eh: also where the program is a newer one, or lets the atoms come to rest first

# normal boiling points, K (NIST WebBook), as group contributions find them: 8 %
_BOILING = (
    ("[CH3][CH2][CH2][CH2][CH2][CH2][OH]", 430.2),
    ("[CH3][CH2][CH2][CH2][O][C](=[O])[CH3]", 399.2),
    ("[CH3][CH2][CH2][CH2][CH2][C](=[O])[CH3]", 424.2),
    ("[CH3][c]1[cH][cH][cH][cH][cH]1", 383.8),
    ("[CH3][CH2][c]1[cH][cH][cH][cH][cH]1", 409.3),
)
_BOILING_NEAR = 0.08
_ISOTOPES = {"C": ("", "12", "13", "14"), "O": ("", "16", "17", "18")}
_ATOM = re.compile(r"\[(?=([CcO]))")

# composition, density in g/cm³, velocity in km/s there: R. Meyer, Explosives, 6th ed.; 5 %
_DETONATION = (("C3H6N6O6", 1.80, 8.75), ("C7H5N3O6", 1.65, 6.93), ("C4H8N8O8", 1.91, 9.11))
_DETONATION_NEAR = 0.05
_DENSER = 0.01  # share that it may be more or less


def prepared(ramp: Ramp, rng: Random) -> dict[str, list[tuple[float, Question]]]:
    """For each hold of a ramp, by its name: what is asked, and how many seconds after its start."""
    first = rng.randrange(60)
    found: dict[str, list[tuple[float, Question]]] = {}
    for number, level in enumerate(ramp.levels, 1):
        found[level.name(number)] = [
            (level.hold * turn / ramp.new_jobs, drawn(method, first + number + turn, rng))
            for turn in range(ramp.new_jobs)
            for method in ramp.methods
        ]
    return found


def drawn(method: str, turn: int, rng: Random) -> Question:
    """One that is new; known molecules take turns, so that no one answer is right for two in a row."""
    return _DRAW[method](turn, rng)


def _turned(known: tuple[tuple[Atoms, float], ...], turn: int, rng: Random) -> tuple[list[str], Bounds]:
    """A molecule's lines, symbol and coordinates, anyhow in space; and what its energy is between."""
    atoms, energy = known[turn % len(known)]
    rows = _rotation(rng)
    lines = []
    for symbol, *place in atoms:
        x, y, z = (sum(a * b for a, b in zip(row, place, strict=True)) for row in rows)
        lines.append(f"{symbol} {x:.6f} {y:.6f} {z:.6f}")
    return lines, (energy - _NEAR, energy + _NEAR)


def _by_xtb(turn: int, rng: Random) -> Question:
    lines, bounds = _turned(_BY_XTB, turn, rng)
    molecule = "\n".join([str(len(lines)), "turned", *lines])  # the XYZ format, its two first lines with it
    body = {"molecule": molecule, "method": "GFN2-xTB", "properties": ["energy", "forces"]}
    return Question("/xtb/v1", body, bounds)


def _by_psi4(turn: int, rng: Random) -> Question:
    lines, bounds = _turned(_BY_PSI4, turn, rng)
    return Question("/psi4/v1", {"geometry": "\n".join(lines), "method": "HF", "basis": "cc-pVDZ"}, bounds)


def _boiling(turn: int, rng: Random) -> Question:
    smiles, kelvin = _BOILING[turn % len(_BOILING)]

    def labelled(atom: re.Match[str]) -> str:
        return f"[{rng.choice(_ISOTOPES[atom[1].upper()])}"

    body = {"smiles": _ATOM.sub(labelled, smiles), "property": "boiling_point"}
    return Question("/empirical/v1", body, _around(kelvin, _BOILING_NEAR))


def _detonation(turn: int, rng: Random) -> Question:
    composition, known, velocity = _DETONATION[turn % len(_DETONATION)]
    density = round(known * rng.uniform(1 - _DENSER, 1 + _DENSER), 6)
    velocity *= (1 + 1.3 * density) / (1 + 1.3 * known)
    body = {"composition": composition, "density": density}
    return Question("/predict/cj/v1", body, _around(velocity, _DETONATION_NEAR))


_DRAW: Mapping[str, Callable[[int, Random], Question]] = {
    "/xtb/v1": _by_xtb,
    "/psi4/v1": _by_psi4,
    "/empirical/v1": _boiling,
    "/predict/cj/v1": _detonation,
}


def _around(value: float, share: float) -> Bounds:
    return value * (1 - share), value * (1 + share)


def _rotation(rng: Random) -> tuple[tuple[float, float, float], ...]:
    """Any, evenly: K. Shoemake, Graphics Gems III (1992), 124."""
    share, one, two = rng.random(), 2 * pi * rng.random(), 2 * pi * rng.random()
    x, y = sqrt(1 - share) * sin(one), sqrt(1 - share) * cos(one)
    z, w = sqrt(share) * sin(two), sqrt(share) * cos(two)
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
