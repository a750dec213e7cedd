#!/usr/bin/env bash
# kubernetes-resource-parser 0.1.0 of npm: memoryParser("1.5Gi") is 1 byte, and cpuParser("156340123n") is 156340123 cores.
#
# Its README asks for strings as the Kubernetes API gives them, and all of these are such. A number of memory ends at the
# first character that is no digit, and a unit counts right behind whole digits alone: "0.5Gi" is 0, "129e6" is 129.
# "128974848000m", an example of Kubernetes' own documentation, is NaN. CPU knows the suffix m and no other, while the
# metrics API gives nanocores. Nothing is thrown: a pod seems to use more cores than there are, and a limit of a
# gibibyte and a half seems to be below any use of memory.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > npm.txt
npm install --silent --no-fund --no-audit kubernetes-resource-parser@0.1.0 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
cat > read.js <<'JS'
const { cpuParser, memoryParser } = require("kubernetes-resource-parser");
for (const text of ["2Gi", "1.5Gi", "0.5Gi", "129e6", "128974848000m"]) console.log(`memory ${text}: ${memoryParser(text)}`);
for (const text of ["250m", "156340123n", "2500u"]) console.log(`cpu ${text}: ${cpuParser(text)}`);
JS
node read.js | tee seen.txt
diff - seen.txt <<'SEEN'
memory 2Gi: 2147483648
memory 1.5Gi: 1
memory 0.5Gi: 0
memory 129e6: 129
memory 128974848000m: NaN
cpu 250m: 0.25
cpu 156340123n: 156340123
cpu 2500u: 2500
SEEN
