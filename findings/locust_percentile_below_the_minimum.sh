#!/usr/bin/env bash
# Locust 2.47.0: every answer took 304 ms, and all percentiles, that of 100 % too, are 300.
#
# Locust keeps times above 100 ms with two digits and those above 1000 ms in hundreds, and takes percentiles from these;
# average, minimum and maximum are of the exact times. So the table has a 100th percentile below its own minimum, a limit of
# "p95 <= 300 ms" holds for a service that never answers within it, and 1,449 ms counts as 1,400.
#
# Seen: 304: minimum 304, p50 300, p95 300, p100 300; 1449: minimum 1449, p50 1400, p95 1400, p100 1400.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check locust==2.47.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/locustfile.py" <<'PY'
from locust import User, constant, task


class Exact(User):
    wait_time = constant(0.01)

    @task
    def answers(self):
        for took in (304, 1449):
            self.environment.events.request.fire(
                request_type="GET", name=str(took), response_time=float(took), response_length=0, exception=None, context={}
            )
PY
cd "$folder"
venv/bin/locust -f locustfile.py --headless -u 1 -t 2s --only-summary --csv seen > out.txt 2>&1 || { cat out.txt >&2; exit 1; }
venv/bin/python - > seen.txt <<'PY'
import csv

for row in csv.DictReader(open("seen_stats.csv")):
    if row["Name"] != "Aggregated":
        print(f"{row['Name']}: minimum {float(row['Min Response Time']):.0f}, p50 {row['50%']}, p95 {row['95%']}, p100 {row['100%']}")
PY
cat seen.txt
diff - <(sort -n seen.txt) <<'SEEN'
304: minimum 304, p50 300, p95 300, p100 300
1449: minimum 1449, p50 1400, p95 1400, p100 1400
SEEN
