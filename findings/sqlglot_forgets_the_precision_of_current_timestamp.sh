#!/usr/bin/env bash
# sqlglot 30.31.0: from PostgreSQL to PostgreSQL, CURRENT_TIMESTAMP(3) loses its precision; LOCALTIMESTAMP(3) keeps it.
#
# Both are read and written in the same dialect, without a warning: a default of whole milliseconds has microseconds.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.31.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W always - > "$folder/out.txt" 2>&1 <<'PY'
import sqlglot

for sql in (
    "ALTER TABLE jobs ALTER COLUMN ended SET DEFAULT CURRENT_TIMESTAMP(3)",
    "SELECT CURRENT_TIMESTAMP(0), CURRENT_TIME(0), LOCALTIMESTAMP(0)",
    "CREATE TABLE jobs (ended TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP(0))",
):
    print(*sqlglot.transpile(sql, read="postgres", write="postgres"), sep="; ")
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
ALTER TABLE jobs ALTER COLUMN ended SET DEFAULT CURRENT_TIMESTAMP
SELECT CURRENT_TIMESTAMP, CURRENT_TIME(0), LOCALTIMESTAMP(0)
CREATE TABLE jobs (ended TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP)
SEEN
