#!/usr/bin/env bash
# univers 32.0.1: npm's ^1.2.3 has 2.0.0-rc.1 in it, and 1.x has, too: ranges of advisories reach into the next major version.
#
# npm itself leaves every pre-release of 2.0.0 out of both (`semver.satisfies("2.0.0-rc.1", "^1.2.3")` is false), and those of
# 1.3.0 as well. The range becomes >=1.2.3|<2.0.0, and by SemVer's order 2.0.0-rc.1 is below 2.0.0.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check univers==32.0.1 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W always - > "$folder/out.txt" 2>&1 <<'PY'
from univers.version_range import NpmVersionRange
from univers.versions import SemverVersion

for native in ("^1.2.3", "1.x"):
    found = NpmVersionRange.from_native(native)
    within = {text: SemverVersion(text) in found for text in ("1.9.0", "2.0.0-rc.1", "2.0.0")}
    print(f"{native} is {found}: {within}")
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
^1.2.3 is vers:npm/>=1.2.3|<2.0.0: {'1.9.0': True, '2.0.0-rc.1': True, '2.0.0': False}
1.x is vers:npm/>=1.0.0|<2.0.0: {'1.9.0': True, '2.0.0-rc.1': True, '2.0.0': False}
SEEN
