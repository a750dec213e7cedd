#!/usr/bin/env bash
# packageurl-python 0.17.6 and packageurl-js 2.0.1: a package URL cannot name an npm package that has a capital in its name.
#
# npm forbids capitals in new names and keeps the old ones: JSONStream and jsonstream are two packages of the registry,
# each with versions of its own. Both libraries write an npm name in small letters, whether it was given as parts or as a
# whole URL, and say nothing. So an SBOM with JSONStream 1.3.5 names jsonstream 1.3.5, which was never published: a
# look-up of that URL finds nothing, or what is known of the other package.
#
# Seen: JSONStream has 1.3.5, jsonstream has none; both libraries: pkg:npm/jsonstream@1.3.5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check packageurl-python==0.17.6 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
npm init --yes > npm.txt
npm install --silent --no-fund --no-audit packageurl-js@2.0.1 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
{
    echo "JSONStream 1.3.5: $(npm view JSONStream@1.3.5 name)"
    echo "jsonstream 1.3.5: $(npm view jsonstream@1.3.5 name 2> none.txt || true)"
    echo "jsonstream 1.0.3: $(npm view jsonstream@1.0.3 name)"
    venv/bin/python -c 'from packageurl import PackageURL
print("Python, of parts:", PackageURL("npm", None, "JSONStream", "1.3.5"))
print("Python, of a URL:", PackageURL.from_string("pkg:npm/JSONStream@1.3.5"))'
    node -e 'const {PackageURL} = require("packageurl-js")
console.log("JavaScript, of parts:", new PackageURL("npm", null, "JSONStream", "1.3.5").toString())
console.log("JavaScript, of a URL:", PackageURL.fromString("pkg:npm/JSONStream@1.3.5").toString())'
} | tee seen.txt
diff - seen.txt <<'SEEN'
JSONStream 1.3.5: JSONStream
jsonstream 1.3.5: 
jsonstream 1.0.3: jsonstream
Python, of parts: pkg:npm/jsonstream@1.3.5
Python, of a URL: pkg:npm/jsonstream@1.3.5
JavaScript, of parts: pkg:npm/jsonstream@1.3.5
JavaScript, of a URL: pkg:npm/jsonstream@1.3.5
SEEN
