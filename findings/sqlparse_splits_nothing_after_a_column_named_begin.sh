#!/usr/bin/env bash
# sqlparse 0.6.1: after a column named begin, or declare, its split() finds no further end of a statement.
#
# PostgreSQL takes both as names of columns without quotes, and its own parser (pglast 8.8) finds all statements. So a
# look at each statement of a migration, by its first words, passes over what stands behind; nothing is raised. A column
# named "end", or any that is quoted, is split as it should be, and a BEGIN that opens a transaction, too.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlparse==0.6.1 pglast==8.8 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W always - > "$folder/out.txt" 2>&1 <<'PY'
import pglast
import sqlparse

BEHIND = "DROP TABLE old_runs; DROP TABLE old_jobs;"
for sql in (
    "CREATE TABLE runs (begin timestamptz, stop timestamptz);",
    "ALTER TABLE runs ADD COLUMN begin timestamptz;",
    "CREATE TABLE customs (declare numeric);",
    'CREATE TABLE runs ("begin" timestamptz, "end" timestamptz);',
    "CREATE TABLE runs (start timestamptz, stop timestamptz);",
    "BEGIN; ALTER TABLE runs ADD COLUMN stop timestamptz; COMMIT;",
):
    print(len(sqlparse.split(f"{sql} {BEHIND}")), len(pglast.split(f"{sql} {BEHIND}")), sql)
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
1 3 CREATE TABLE runs (begin timestamptz, stop timestamptz);
1 3 ALTER TABLE runs ADD COLUMN begin timestamptz;
1 3 CREATE TABLE customs (declare numeric);
3 3 CREATE TABLE runs ("begin" timestamptz, "end" timestamptz);
3 3 CREATE TABLE runs (start timestamptz, stop timestamptz);
5 5 BEGIN; ALTER TABLE runs ADD COLUMN stop timestamptz; COMMIT;
SEEN
