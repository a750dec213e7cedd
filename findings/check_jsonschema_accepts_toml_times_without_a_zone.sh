#!/usr/bin/env bash
# check-jsonschema 0.39.0: format "date-time" and "time" demand a zone of a TOML string and none of a TOML date or time.
#
# RFC 3339 wants a zone in both, and "2026-11-24T22:00:00" in quotation marks is refused for its lack. The same moment as
# TOML's own local date-time, without the marks, is accepted: the value is made a string for the schema, and a zone is
# added on the way. So a schedule whose hours have no zone is valid by a schema that says they must have one.
#
# Seen: local date-time: accepted, as a string: refused; local time: accepted, as a string: refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check check-jsonschema==0.39.0 jsonschema==4.26.0 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
cat > schema.json <<'JSON'
{"$schema": "https://json-schema.org/draft/2020-12/schema",
 "properties": {"at": {"type": "string", "format": "date-time"}, "hour": {"type": "string", "format": "time"}}}
JSON
while read -r line; do
    echo "$line" > file.toml
    if venv/bin/check-jsonschema --schemafile schema.json file.toml > out.txt 2>&1; then seen=accepted; else seen=refused; fi
    echo "$line: $seen"
done > seen.txt <<'TOML'
at = 2026-11-24T22:00:00
at = "2026-11-24T22:00:00"
hour = 22:00:00
hour = "22:00:00"
TOML
cat seen.txt
diff - seen.txt <<'SEEN'
at = 2026-11-24T22:00:00: accepted
at = "2026-11-24T22:00:00": refused
hour = 22:00:00: accepted
hour = "22:00:00": refused
SEEN
