"""Normal boiling points by the group contributions of Joback and Reid."""

from functools import lru_cache
from typing import NamedTuple

from rdkit import Chem

from nox_rehearsal.science.molecules import InputError, molecule

BASE = 198.2  # K


class Group(NamedTuple):
    """A SMARTS pattern, all of whose atoms belong to the group, and the group's part in K."""

    smarts: str
    kelvin: float


# An atom belongs to the first group that takes it, so whole functions come before their parts.
GROUPS = [
    Group("[$([CX3][#6])](=O)[OX2H1]", 169.09),  # -COOH
    Group("[$([CX3][#6])](=O)[OX2H0]", 81.10),  # -COO-
    Group("[NX3+](=O)[O-]", 152.54),  # -NO2
    Group("[NX1]#[CX2]", 125.66),  # -CN
    Group("[$([CX3H1][#6])]=O", 72.24),  # O=CH-
    Group("[#6X3H0;R]=O", 94.97),  # >C=O in a ring
    Group("[CX3H0;!R]=O", 76.75),  # >C=O
    Group("[CX4H3]", 23.58),  # -CH3
    Group("[CX4H2;!R]", 22.88),  # -CH2-
    Group("[CX4H1;!R]", 21.74),  # >CH-
    Group("[CX4H0;!R]", 18.25),  # >C<
    Group("[CX4H2;R]", 27.15),  # the same three in a ring
    Group("[CX4H1;R]", 21.78),
    Group("[CX4H0;R]", 21.32),
    Group("[CX3H2;!$(C=O)]", 18.18),  # =CH2
    Group("[CX3H1;!R;!$(C=O)]", 24.96),  # =CH-
    Group("[CX3H0;!R]", 24.14),  # =C<
    Group("[$([CX2H0](=*)=*)]", 26.15),  # =C=
    Group("[$([CX2H1]#C)]", 9.20),  # ≡CH
    Group("[$([CX2H0]#C)]", 27.38),  # ≡C-
    Group("[#6X3H1;R]", 26.73),  # =CH- in a ring
    Group("[#6X3H0;R]", 31.01),  # =C< in a ring
    Group("[FX1]", -0.03),
    Group("[ClX1]", 38.13),
    Group("[BrX1]", 66.86),
    Group("[IX1]", 93.84),
    Group("[OX2H1;$(Oc)]", 76.34),  # -OH of a phenol
    Group("[OX2H1;$(O[#6]);!$(OC=[O,S,N])]", 92.88),  # -OH of an alcohol
    Group("[OX2H0;!R]", 22.42),  # -O-
    Group("[#8X2H0;R]", 31.22),  # -O- in a ring
    Group("[OX1;$(O=*)]", -10.50),  # =O elsewhere
    Group("[NX3H2]", 73.23),  # -NH2
    Group("[NX3H1;!R]", 50.17),  # >NH
    Group("[#7X3H1;R]", 52.82),  # >NH in a ring
    Group("[NX3H0;!R;+0]", 11.74),  # >N-
    Group("[NX2H0;!R]", 74.60),  # -N=
    Group("[#7X2H0;R;+0]", 57.55),  # -N= in a ring
    Group("[NX2H1]", 83.08),  # =NH
    Group("[SX2H1]", 63.56),  # -SH
    Group("[SX2H0;!R]", 68.78),  # -S-
    Group("[#16X2H0;R]", 52.10),  # -S- in a ring
]

_PATTERNS = [(Chem.MolFromSmarts(group.smarts), group.kelvin) for group in GROUPS]


@lru_cache(maxsize=1000)
def boiling_point(smiles: str) -> tuple[str, float]:
    """The canonical SMILES and the normal boiling point in K.

    198.2 K and the contribution of each group (ethanol: 337.5 K, measured 351.4 K): K. G. Joback and
    R. C. Reid, Chem. Eng. Commun. 57 (1987) 233-243, table 3. Raises InputError if the SMILES is not
    valid, or if an atom does not belong to a group.
    """
    found = molecule(smiles)
    free = {atom.GetIdx() for atom in found.GetAtoms()}
    kelvin = BASE
    for pattern, contribution in _PATTERNS:
        for match in found.GetSubstructMatches(pattern):
            if free.issuperset(match):
                free.difference_update(match)
                kelvin += contribution
    if free:
        symbols = sorted({found.GetAtomWithIdx(index).GetSymbol() for index in free})
        raise InputError(f"Joback's groups do not cover this molecule's {', '.join(symbols)}")
    return Chem.MolToSmiles(found), round(kelvin, 2)
