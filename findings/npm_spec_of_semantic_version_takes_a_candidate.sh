#!/usr/bin/env bash
# semantic-version 2.10.0 of PyPI: NpmSpec("<2.0.0") has 2.0.0-rc.1 in it, and npm's own range has not.
#
# npm leaves a pre-release out unless a comparator names one of the same version. NpmSpec has the whole of npm's scheme, says
# its README, and agrees on ^1.2.3 and ">=1.0.0 <2.0.0". For an upper limit alone, "<2.0.0", "<2" or "<=2.0.0", it takes
# the candidate of that very version, though none of 1.5.0. So an advisory's "all below 2.0.0" covers the candidate of the
# version that mends it.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check semantic-version==2.10.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
npm init --yes > npm.txt
npm install --silent --no-fund --no-audit semver@7.7.3 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
cat > npm.js <<'JS'
const semver = require("semver");
console.log(String(semver.satisfies(process.argv[3], process.argv[2])));
JS
for range in "<2.0.0" "<2" "<=2.0.0" ">=1.0.0 <2.0.0" "^1.2.3"; do
    of_python=$(venv/bin/python -c '
import sys
from semantic_version import NpmSpec, Version
print(str(NpmSpec(sys.argv[1]).match(Version(sys.argv[2]))).lower())' "$range" 2.0.0-rc.1)
    echo "$range: NpmSpec $of_python, npm $(node npm.js "$range" 2.0.0-rc.1)"
done | tee seen.txt
diff - seen.txt <<'SEEN'
<2.0.0: NpmSpec true, npm false
<2: NpmSpec true, npm false
<=2.0.0: NpmSpec true, npm false
>=1.0.0 <2.0.0: NpmSpec false, npm false
^1.2.3: NpmSpec false, npm false
SEEN
