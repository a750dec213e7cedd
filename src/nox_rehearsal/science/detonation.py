"""Detonation velocity and pressure of CHNO explosives by Kamlet and Jacobs."""

import math
import re
from dataclasses import dataclass

from nox_rehearsal.science.molecules import InputError

# Standard enthalpies of formation of the solids, kJ/mol: R. Meyer, J. Köhler, A. Homburg, Explosives,
# 6th ed., Wiley-VCH 2007 (+301.4, -295.3 and +253.3 kJ/kg).
HEATS_OF_FORMATION = {
    "C3H6N6O6": 66.9,  # RDX
    "C7H5N3O6": -67.1,  # TNT
    "C4H8N8O8": 75.0,  # HMX
}
MASSES = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999}  # g/mol
WATER, CARBON_DIOXIDE = 57.8, 94.05  # kcal/mol set free when the gas forms from its elements
KCAL = 4.184  # kJ
DENSITIES = (1.0, 2.5)  # g/cm³: the relation was fitted above 1; no CHNO explosive is denser than 2.5
MOST_ATOMS = 999  # of one element

_FORMULA = re.compile(r"(?:[CHNO]\d{0,3}){1,8}")


@dataclass(frozen=True)
class Detonation:
    """Velocity in km/s and pressure in GPa at the Chapman-Jouguet point."""

    composition: str
    density: float
    heat_of_formation: float
    velocity: float
    pressure: float


def detonation(composition: str, density: float, heat_of_formation: float | None = None) -> Detonation:
    """Of a formula at a density in g/cm³ and a heat of formation in kJ/mol (known for RDX, TNT and HMX).

    D = 1.01 φ^½ (1 + 1.30 d), P = 1.558 d² φ, φ = N M^½ Q^½, with N mol of gas per g, M its mean mass in
    g/mol, Q in cal/g: M. J. Kamlet and S. J. Jacobs, J. Chem. Phys. 48 (1968) 23-35. Oxygen makes H₂O
    first, then CO₂. RDX at 1.80: 8.79 km/s, 34.3 GPa (measured: about 8.75, 34.7). InputError outside of CHNO
    and of 1.0 to 2.5 g/cm³, and where no heat or no gas is set free.
    """
    atoms = _atoms(composition)
    spelled = "".join(f"{symbol}{count if count > 1 else ''}" for symbol, count in atoms.items() if count)
    if heat_of_formation is None:
        heat_of_formation = HEATS_OF_FORMATION.get(spelled)
        if heat_of_formation is None:
            raise InputError(f"heat_of_formation is required: none is known for {spelled}")
    if not math.isfinite(heat_of_formation) or abs(heat_of_formation) > 1e5:  # noqa: PLR2004
        raise InputError("heat_of_formation must be a finite number of kJ/mol")
    if not DENSITIES[0] <= density <= DENSITIES[1]:
        raise InputError(f"density must be from {DENSITIES[0]} to {DENSITIES[1]} g/cm³")
    water = min(atoms["H"] / 2, atoms["O"])
    carbon_dioxide = min(atoms["C"], (atoms["O"] - water) / 2)
    mass = sum(MASSES[symbol] * count for symbol, count in atoms.items())
    gas_mass = mass - MASSES["C"] * (atoms["C"] - carbon_dioxide)  # what is left of the carbon is soot
    oxygen = (atoms["O"] - water) / 2 - carbon_dioxide
    gas = water + carbon_dioxide + atoms["N"] / 2 + (atoms["H"] / 2 - water) + oxygen
    heat = 1000 * (WATER * water + CARBON_DIOXIDE * carbon_dioxide + heat_of_formation / KCAL) / mass
    if heat <= 0 or gas <= 0:
        raise InputError(f"{spelled} sets no heat free")
    phi = gas / mass * math.sqrt(gas_mass / gas) * math.sqrt(heat)
    return Detonation(
        composition=spelled,
        density=density,
        heat_of_formation=heat_of_formation,
        velocity=round(1.01 * math.sqrt(phi) * (1 + 1.30 * density), 3),
        pressure=round(1.558 * density**2 * phi, 2),
    )


def _atoms(composition: str) -> dict[str, int]:
    """How many of each of C, H, N, O."""
    if not _FORMULA.fullmatch(composition):
        raise InputError("composition must be a formula of C, H, N and O, such as C3H6N6O6")
    atoms = dict.fromkeys("CHNO", 0)
    for symbol, count in re.findall(r"([CHNO])(\d*)", composition):
        atoms[symbol] += int(count or 1)
    if not any(atoms.values()) or max(atoms.values()) > MOST_ATOMS:
        raise InputError("composition must be a formula of C, H, N and O, such as C3H6N6O6")
    return atoms
