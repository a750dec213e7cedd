#!/usr/bin/env bash
# chemparse 0.3.2, chemicals 1.5.2, chempy 0.9.0 and chemformula 1.5.1 of PyPI make other molecules of a hydrate.
#
# CuSO4.5H2O (as it is written on a keyboard; in print the dot is in the middle) has 9 O, 10 H and 249.68 g/mol, says RDKit of
# its SMILES. Three of the four take the dot for a decimal's: 5.5 O. chemformula leaves it out: 45 O, and one more of the water. With
# the asterisk of databases chemparse drops the water, chemicals' nested parser counts 21 O, its simple one 5, and
# chemformula 46 again. Nothing is raised. chempy takes two dots or the dot in the middle, and refuses the asterisk.
#
# Seen: as below. Numbers are of O and H.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    chemparse==0.3.2 chemicals==1.5.2 chempy==0.9.0 chemformula==1.5.1 rdkit==2026.9.1 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W ignore - > "$folder/out.txt" <<'PY'
import chemparse
from chemformula import ChemFormula
from chemicals.elements import nested_formula_parser, simple_formula_parser
from chempy.util.parsing import formula_to_composition
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

hydrate = "[Cu+2].[O-]S(=O)(=O)[O-].O.O.O.O.O"
print("RDKit", CalcMolFormula(Chem.MolFromSmiles(hydrate)))
parsers = {
    "chemparse": chemparse.parse_formula,
    "chemicals, simple": simple_formula_parser,
    "chemicals, nested": nested_formula_parser,
    "chemformula": lambda formula: ChemFormula(formula).element,
    "chempy": lambda formula: {"OH"[number == 1]: many for number, many in formula_to_composition(formula).items() if number in {1, 8}},
}
for name, parse in parsers.items():
    said = []
    for formula in ("CuSO4.5H2O", "CuSO4*5H2O"):
        try:
            found = parse(formula)
            said.append(f"{found.get('O', 0):g} {found.get('H', 0):g}")
        except Exception as error:
            said.append(type(error).__name__)
    print(f"{name}: {said[0]}, with an asterisk {said[1]}")
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
RDKit H10CuO9S
chemparse: 5.5 2, with an asterisk 4 0
chemicals, simple: 5.5 2, with an asterisk 5 2
chemicals, nested: 5.5 2, with an asterisk 21 2
chemformula: 46 2, with an asterisk 46 2
chempy: 5.5 2, with an asterisk ParseException
SEEN
