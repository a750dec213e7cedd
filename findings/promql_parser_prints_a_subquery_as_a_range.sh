#!/usr/bin/env bash
# promql-parser 0.12.0: str() of a parsed subquery without a step is a range of samples, or nothing that can be parsed.
#
# `max_over_time(x[1h:])` asks each minute or so, `max_over_time(x[1h])` takes every sample: str() makes the second of the
# first. prettify() keeps the colon, and so does str() with a step. Who writes rules from what he has parsed changes them.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check promql-parser==0.12.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W always - > "$folder/out.txt" 2>&1 <<'PY'
import promql_parser

for query in ("max_over_time(x[1h:])", "max_over_time(x[1h:1m])", "max_over_time(rate(x[5m])[1h:])"):
    found = promql_parser.parse(query)
    try:
        again = str(promql_parser.parse(str(found)))
    except ValueError as error:
        again = f"ValueError: {error}"
    print(f"{query}: str {found}, prettify {found.prettify()}, parsed again: {again}")
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
max_over_time(x[1h:]): str max_over_time(x{}[1h]), prettify max_over_time(x[1h:]), parsed again: max_over_time(x{}[1h])
max_over_time(x[1h:1m]): str max_over_time(x{}[1h:1m]), prettify max_over_time(x[1h:1m]), parsed again: max_over_time(x{}[1h:1m])
max_over_time(rate(x[5m])[1h:]): str max_over_time(rate(x{}[5m])[1h]), prettify max_over_time(rate(x[5m])[1h:]), parsed again: ValueError: ranges only allowed for vector selectors
SEEN
