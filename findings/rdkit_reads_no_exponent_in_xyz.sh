#!/usr/bin/env bash
# RDKit 2026.9.1: MolFromXYZBlock reads no coordinate in exponent notation, and returns None for the whole molecule.
#
# Python writes a coordinate near zero so: f"{0.00001}" is 1e-05. A planar molecule whose optimizer left 1e-05 Å out of the
# plane cannot be read, while the same file with 0.00001 can.
#
# Seen: 0.00001 -> 2 atoms, 1e-05 -> None, 7.4e-1 -> None; "Cannot convert '1e-05' to double on line 3" in the log.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" - > "$folder/out.txt" 2> "$folder/log.txt" <<'PY'
from rdkit import Chem

for z in (f"{0.00001:.5f}", f"{0.00001}", "7.4e-1"):
    found = Chem.MolFromXYZBlock(f"2\n\nH 0 0 0.74\nH 0 0 {z}\n")
    print(f"{z} -> {found and found.GetNumAtoms()}")
PY
cat "$folder/out.txt"
grep "Cannot convert" "$folder/log.txt"
test "$(paste -sd, "$folder/out.txt")" = "0.00001 -> 2,1e-05 -> None,7.4e-1 -> None"
grep -q "Cannot convert '1e-05' to double" "$folder/log.txt"
