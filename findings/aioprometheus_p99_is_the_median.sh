#!/usr/bin/env bash
# aioprometheus 23.12.0 with quantile-python 1.1: the p99 of a Summary may be the median of its values.
#
# The Summary promises the p99 within a tenth of a percent of the ranks. Its estimator puts values into its list twice: 1 to
# 1000 have ranks up to 1999 there, and the quantile of rank 990 is then the 496. In another order it is 657. `_count` and
# `_sum` are right. A tenth of all requests takes 5 s, and the p99 says 0.1 s.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aioprometheus==23.12.0 quantile-python==1.1 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" - > "$folder/out.txt" <<'PY'
from aioprometheus import Summary


def show(name, values):
    summary = Summary(name, "Response times.")
    for value in values:
        summary.observe({}, value)
    seen = summary.get({})
    print(f"{name}: count {seen['count']}, p50 {seen[0.5]}, p90 {seen[0.9]}, p99 {seen[0.99]}")


show("one_to_100", range(1, 101))
show("one_to_1000", range(1, 1001))
show("in_another_order", (each * 7919 % 1000 + 1 for each in range(1000)))
show("last_tenth_is_slow", [0.1] * 900 + [5.0] * 100)
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
one_to_100: count 100, p50 27.0, p90 45.0, p99 51.0
one_to_1000: count 1000, p50 275.0, p90 454.0, p99 496.0
in_another_order: count 1000, p50 293.0, p90 604.0, p99 657.0
last_tenth_is_slow: count 1000, p50 0.1, p90 0.1, p99 0.1
SEEN
