#!/usr/bin/env bash
# squawk 2.70.0: VACUUM FULL, CLUSTER, SET TABLESPACE and SET LOGGED are no finding of the linter for safe migrations.
#
# Each copies the whole table under an ACCESS EXCLUSIVE lock, as a changed column type does, which is a finding. UPDATE of
# every row is none either. Who wants to know what a migration locks has to run it and read pg_locks.
#
# Seen: five statements, no finding, exit status 0; a changed type: changing-column-type, exit status 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check squawk-cli==2.70.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
cat > safe.sql <<'SQL'
SET lock_timeout = '1s';
SET statement_timeout = '5s';
VACUUM FULL jobs;
CLUSTER jobs USING jobs_pkey;
ALTER TABLE jobs SET TABLESPACE fast;
ALTER TABLE jobs SET LOGGED;
UPDATE jobs SET state = 'done';
SQL
sed '3,$d' safe.sql > changed.sql
echo "ALTER TABLE jobs ALTER COLUMN id TYPE bigint;" >> changed.sql
status=0
venv/bin/squawk --exclude=prefer-robust-stmts --reporter gcc safe.sql > safe.txt 2>&1 || status=$?
cat safe.txt
echo "rewrites: exit status $status"
test "$status" = 0
test ! -s safe.txt
status=0
venv/bin/squawk --exclude=prefer-robust-stmts --reporter gcc changed.sql > changed.txt 2>&1 || status=$?
cat changed.txt
echo "a changed type: exit status $status"
test "$status" = 1
grep -q changing-column-type changed.txt
