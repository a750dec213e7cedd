#!/usr/bin/env bash
# tdigest 0.5.2.2 of PyPI: where many values are the same, percentiles far from the next value are drawn towards it.
#
# Equal values are one centroid, and a percentile lies on the line between the middles of two centroids. 990 requests took
# 0.1 s and 10 took 5 s, as times in whole tenths do: 99 of 100 took 0.1 s, and the p75 is 2.599 s, the p95 4.559 s.
# With noise of a microsecond on each all are 0.1 s. (Open since 2022: its issue 60.)
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tdigest==0.5.2.2 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W always - > "$folder/out.txt" 2>&1 <<'PY'
import random

from tdigest import TDigest

random.seed(1)
rounded = [0.1] * 990 + [5.0] * 10
for name, times in (("rounded", rounded), ("with noise", [time + random.random() / 1e6 for time in rounded])):
    digest = TDigest()
    digest.batch_update(times)
    percentiles = {f"p{number}": round(digest.percentile(number), 3) for number in (50, 75, 95)}
    print(f"{name}: {percentiles}, exactly: {round(sorted(times)[950], 3)}")
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
rounded: {'p50': 0.149, 'p75': 2.599, 'p95': 4.559}, exactly: 0.1
with noise: {'p50': 0.1, 'p75': 0.1, 'p95': 0.1}, exactly: 0.1
SEEN
