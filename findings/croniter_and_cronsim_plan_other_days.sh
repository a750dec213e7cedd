#!/usr/bin/env bash
# croniter 7.0.0 and cronsim 2.8 plan other days and hours from the same five fields.
#
# `0 0 */2 * 1`: every second day or Monday for croniter, an odd day that is a Monday for cronsim (as for Debian's cron, says its
# README: a field that begins with * is no choice of its own). `30 2 * * *` in the night when clocks go back: croniter plans
# it twice, cronsim once.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check croniter==7.0.0 cronsim==2.8 tzdata==2026.6 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W always - > "$folder/out.txt" 2>&1 <<'PY'
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

berlin = ZoneInfo("Europe/Berlin")
for fields, start in (
    ("0 0 */2 * 1", datetime(2026, 12, 1, 12, tzinfo=berlin)),
    ("30 2 * * *", datetime(2026, 10, 25, tzinfo=berlin)),
):
    one, other = croniter(fields, start), CronSim(fields, start)
    print(f"{fields}: croniter", *(one.get_next(datetime).isoformat("T", "minutes") for _ in range(3)))
    print(f"{fields}: cronsim", *(next(other).isoformat("T", "minutes") for _ in range(3)))
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
0 0 */2 * 1: croniter 2026-12-03T00:00+01:00 2026-12-05T00:00+01:00 2026-12-07T00:00+01:00
0 0 */2 * 1: cronsim 2026-12-07T00:00+01:00 2026-12-21T00:00+01:00 2027-01-11T00:00+01:00
30 2 * * *: croniter 2026-10-25T02:30+02:00 2026-10-25T02:30+01:00 2026-10-26T02:30+01:00
30 2 * * *: cronsim 2026-10-25T02:30+02:00 2026-10-26T02:30+01:00 2026-10-27T02:30+01:00
SEEN
