"""Molecules as callers write them (a formula we know, SMILES, XYZ text), made canonical by RDKit."""

import re
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem, rdBase
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdForceFieldHelpers import MMFFHasAllMoleculeParams, MMFFOptimizeMolecule

LONGEST_SMILES = 300  # characters
LONGEST_XYZ = 10_000
SEED = 20_260_101  # one seed, so that one SMILES has one geometry

# Formulas that are not SMILES, for callers who name a molecule by them.
NAMED = {"H2O": "O", "water": "O", "NH3": "N", "CH4": "C"}

# O-H 0.96 Å, H-O-H 104.5°: the geometry that published energies of water usually are for.
WATER = "O 0.000000 0.000000 0.000000\nH 0.759061 0.000000 0.587735\nH -0.759061 0.000000 0.587735"

_ATOM = re.compile(r"([A-Z][a-z]?)((?:\s+[-+]?\d{1,3}(?:\.\d{1,12})?){3})")

rdBase.DisableLog("rdApp.*")  # a caller's bad SMILES is an answer, not a log line


class InputError(ValueError):
    """An input that cannot be computed; the message may be shown to the caller."""


@dataclass(frozen=True)
class Geometry:
    """Atoms one a line, `symbol x y z` in Å, and their number of electrons when neutral."""

    lines: str
    atoms: int
    electrons: int
    heaviest: int


def molecule(smiles: str) -> Chem.Mol:
    """RDKit's molecule. Raises InputError for anything but the SMILES of one molecule."""
    if len(smiles) > LONGEST_SMILES:
        raise InputError(f"SMILES longer than {LONGEST_SMILES} characters")
    if not smiles.isascii() or not smiles.isprintable():
        raise InputError("invalid SMILES")
    found = Chem.MolFromSmiles(smiles)
    if found is None or found.GetNumAtoms() == 0:
        raise InputError("invalid SMILES")
    if len(Chem.GetMolFrags(found)) > 1:
        raise InputError("one molecule at a time")
    return found


@lru_cache(maxsize=1000)
def canonical(text: str, most_atoms: int, heaviest: int) -> str:
    """The one spelling of a neutral, closed-shell molecule: canonical SMILES or XYZ lines of 6 decimals.

    Raises InputError if the text is neither, has more atoms (with hydrogen) than `most_atoms`, or an element
    heavier than `heaviest`.
    """
    if "\n" in text:
        geometry = parsed_xyz(text)
        _check(geometry.atoms, geometry.electrons, geometry.heaviest, most_atoms, heaviest)
        return geometry.lines
    with_hydrogen = Chem.AddHs(molecule(NAMED.get(text, text)))
    numbers = [atom.GetAtomicNum() for atom in with_hydrogen.GetAtoms()]
    if Chem.GetFormalCharge(with_hydrogen) or any(
        atom.GetNumRadicalElectrons() for atom in with_hydrogen.GetAtoms()
    ):
        raise InputError("only neutral, closed-shell molecules")
    _check(len(numbers), sum(numbers), max(numbers), most_atoms, heaviest)
    return str(Chem.MolToSmiles(Chem.RemoveHs(with_hydrogen)))


def geometry(canonical_text: str) -> str:
    """XYZ lines in Å of what `canonical` gave; SMILES are embedded by ETKDG and relaxed by MMFF94.

    Raises InputError if RDKit finds no geometry.
    """
    if "\n" in canonical_text:
        return canonical_text
    if canonical_text == "O":
        return WATER
    with_hydrogen = Chem.AddHs(molecule(canonical_text))
    if EmbedMolecule(with_hydrogen, randomSeed=SEED) != 0:
        raise InputError("no geometry found for this SMILES")
    if MMFFHasAllMoleculeParams(with_hydrogen):
        MMFFOptimizeMolecule(with_hydrogen, maxIters=2000)
    positions = with_hydrogen.GetConformer().GetPositions()
    return "\n".join(
        f"{atom.GetSymbol()} {x:.6f} {y:.6f} {z:.6f}"
        for atom, (x, y, z) in zip(with_hydrogen.GetAtoms(), positions, strict=True)
    )


def parsed_xyz(text: str) -> Geometry:
    """XYZ text, with or without its first two lines (number of atoms, comment)."""
    if len(text) > LONGEST_XYZ:
        raise InputError(f"XYZ text longer than {LONGEST_XYZ} characters")
    lines = text.strip().splitlines()
    if lines and lines[0].strip().isdecimal():
        count, lines = lines[0].strip(), lines[2:]
        if str(len(lines)) != count.lstrip("0"):
            raise InputError("XYZ text with another number of atoms than it says")
    table = Chem.GetPeriodicTable()
    spelled, numbers = [], []
    for line in lines:
        match = _ATOM.fullmatch(line.strip())
        number = table.GetAtomicNumber(match[1]) if match and _is_element(match[1]) else 0
        if match is None or number < 1:
            raise InputError("invalid XYZ text: each line is a symbol and three coordinates in Å")
        x, y, z = (float(value) for value in match[2].split())
        spelled.append(f"{match[1]} {x:.6f} {y:.6f} {z:.6f}".replace("-0.000000", "0.000000"))
        numbers.append(number)
    if not numbers:
        raise InputError("invalid XYZ text: no atoms")
    # a single atom keeps its line break: that is how XYZ lines are told from SMILES
    return Geometry("\n".join([*spelled, ""]), len(numbers), sum(numbers), max(numbers))


def _is_element(symbol: str) -> bool:
    try:
        Chem.Atom(symbol)
    except RuntimeError:
        return False
    return True


def _check(atoms: int, electrons: int, found: int, most_atoms: int, heaviest: int) -> None:
    if atoms > most_atoms:
        raise InputError(f"at most {most_atoms} atoms")
    if found > heaviest:
        raise InputError(f"no element beyond number {heaviest}")
    if electrons % 2:
        raise InputError("only neutral, closed-shell molecules")
