#!/usr/bin/env bash
# sarif-tools 3.0.5: `sarif --check` ends with 0 for a scan that says of itself that it failed, and for no scan at all.
#
# SARIF has `invocations[].executionSuccessful` for that (section 3.20.14), and scanners that break off write it beside an empty list
# of results. The command counts results alone; so does it with `"runs": []`.
#
# Seen: failed scan: exit status 0; no run: exit status 0; one result of level note: exit status 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sarif-tools==3.0.5 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
run='"tool": {"driver": {"name": "scanner"}}, "results": '
result='[{"ruleId": "CVE-1", "level": "note", "message": {"text": "old"}}]'
echo "{\"version\": \"2.1.0\", \"runs\": [{$run [], \"invocations\": [{\"executionSuccessful\": false}]}]}" > failed.sarif
echo '{"version": "2.1.0", "runs": []}' > none.sarif
echo "{\"version\": \"2.1.0\", \"runs\": [{$run $result}]}" > found.sarif
for name in failed none found; do
    status=0
    venv/bin/sarif --check note summary "$name.sarif" > "$name.txt" 2>&1 || status=$?
    echo "$name: exit status $status"
done | tee seen.txt
test "$(paste -sd, seen.txt)" = "failed: exit status 0,none: exit status 0,found: exit status 1"
