#!/usr/bin/env bash
# RDKit 2026.9.1: an empty SMILES is a molecule, and it passes the usual tests for a drug-like one.
#
# MolFromSmiles returns None for what it cannot read, and that is what is tested for. For "" it returns a molecule without
# atoms: weight 0.0, no donor, QED 0.339. Only InChI has none. An API whose field "smiles" came back
# empty passes "it parses", "weight <= 500" and "QED > 0.3".
#
# Seen: None: False, atoms 0, weight 0.0, donors 0, QED 0.339, InChI ''.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" - > "$folder/out.txt" 2> "$folder/log.txt" <<'PY'
from rdkit import Chem
from rdkit.Chem import QED, Descriptors, Lipinski

found = Chem.MolFromSmiles("")
print(
    f"None: {found is None}, atoms {found.GetNumAtoms()}, weight {Descriptors.MolWt(found)}, donors {Lipinski.NumHDonors(found)},"
    f" QED {QED.qed(found):.3f}, InChI {Chem.MolToInchi(found)!r}"
)
PY
cat "$folder/out.txt"
test "$(cat "$folder/out.txt")" = "None: False, atoms 0, weight 0.0, donors 0, QED 0.339, InChI ''"
