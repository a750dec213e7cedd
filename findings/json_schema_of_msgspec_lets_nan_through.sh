#!/usr/bin/env bash
# msgspec 0.23.0 with check-jsonschema 0.39.0: a TOML file that the type refuses is valid by the schema made of that type.
#
# TOML has nan. msgspec refuses it for a number that must be greater than 0; JSON Schema only says what is too small
# or too large, nan is neither, and JSON itself has no nan, so nobody decided. Editor and pipeline, which go by the
# schema, say "ok" to a limit with which no comparison is ever true. inf is refused by both.
#
# Seen: nan: msgspec refuses, check-jsonschema accepts; inf: both refuse; 250.0: both accept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.23.0 check-jsonschema==0.39.0 jsonschema==4.26.0 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/limits.py" <<'PY'
import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import msgspec


class Limits(msgspec.Struct):
    p95_ms: Annotated[float, msgspec.Meta(gt=0, lt=300)]


folder = Path(sys.argv[1])
(folder / "schema.json").write_text(json.dumps(msgspec.json.schema(Limits)))
for value in ("nan", "inf", "250.0"):
    (folder / "limits.toml").write_text(f"p95_ms = {value}\n")
    try:
        msgspec.toml.decode((folder / "limits.toml").read_bytes(), type=Limits)
        typed = "accepts"
    except msgspec.ValidationError:
        typed = "refuses"
    checked = subprocess.run(
        [folder / "venv/bin/check-jsonschema", "--schemafile", folder / "schema.json", folder / "limits.toml"], capture_output=True
    )
    print(f"{value}: msgspec {typed}, check-jsonschema {'refuses' if checked.returncode else 'accepts'}")
PY
"$folder/venv/bin/python" "$folder/limits.py" "$folder" > "$folder/seen.txt"
cat "$folder/seen.txt"
diff - "$folder/seen.txt" <<'SEEN'
nan: msgspec refuses, check-jsonschema accepts
inf: msgspec refuses, check-jsonschema refuses
250.0: msgspec accepts, check-jsonschema accepts
SEEN
