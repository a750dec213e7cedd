#!/usr/bin/env bash
# cvss 3.6 (Red Hat's library): as_json() says "CRITICAL" of a CVSS 3.1 vector and "Critical" of a CVSS 4.0 one.
#
# FIRST's JSON schemas for CVSS 3.1 and 4.0 have the severities in capitals, the version "4.0", and names like
# attackRequirements and vulnConfidentialityImpact. What as_json() makes of a 3.1 vector is so; what it makes of a 4.0
# vector has the version "4", severities with one capital, attackRequirement and
# vulnerableSystemImpactConfidentiality. A gate that counts baseSeverity == "CRITICAL" counts no CVSS 4.0 finding at all.
# And baseScore is no base score there: a threat metric of the vector is in it (E:U, 8.1 in place of 9.3), while that of
# 3.1 leaves it out (9.8 with and without).
#
# Seen: 3.1 "CRITICAL" 9.8, and 9.8 with E:U; 4.0, version "4": "Critical" 9.3, and "High" 8.1 with E:U.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cvss==3.6 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
venv/bin/python > seen.txt <<'PY'
from cvss import CVSS3, CVSS4

THREE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
FOUR = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
for kind, vector in ((CVSS3, THREE), (CVSS3, THREE + "/E:U"), (CVSS4, FOUR), (CVSS4, FOUR + "/E:U")):
    said = kind(vector).as_json()
    names = [name for name in said if name.startswith("attackReq")]
    print(vector.rpartition("/")[2], said["version"], said["baseSeverity"], said["baseScore"], *names)
PY
cat seen.txt
diff - seen.txt <<'SEEN'
A:H 3.1 CRITICAL 9.8
E:U 3.1 CRITICAL 9.8
SA:N 4 Critical 9.3 attackRequirement
E:U 4 High 8.1 attackRequirement
SEEN
