#!/usr/bin/env bash
# prometheus_client 0.26.0: its parser of the text format gives a counter another name than was exposed.
#
# The text format asks for no suffix, and counters older than OpenMetrics have none, such as nginx_connections_accepted of
# nginx's exporter. The parser appends _total to the samples of a counter without it. So a check that reads /metrics with it and asks
# Prometheus for that name finds no series, and one that looks for the exposed name finds no sample.
#
# Seen: "# TYPE requests counter" and "requests 3" -> sample requests_total, family requests.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check prometheus-client==0.26.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" - > "$folder/out.txt" <<'PY'
from prometheus_client.parser import text_string_to_metric_families

(family,) = text_string_to_metric_families("# TYPE requests counter\nrequests 3\n")
print(f"sample {family.samples[0].name}, family {family.name}")
PY
cat "$folder/out.txt"
test "$(cat "$folder/out.txt")" = "sample requests_total, family requests"
