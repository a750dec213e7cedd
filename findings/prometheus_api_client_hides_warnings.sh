#!/usr/bin/env bash
# prometheus-api-client 0.7.2: an answer that is known to be incomplete is returned as a whole one.
#
# Thanos, Mimir and Prometheus with remote read answer with status success and a member `warnings` where a store did not
# take part ("partial response"). `custom_query` returns the result alone; nothing is raised, warned or logged.
# "No 5xx in the last hour" is then said of the stores that answered.
#
# Seen: [{'metric': {'pod': 'a'}, 'value': [1700000000, '0']}], 0 Python warnings, nothing logged.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check prometheus-api-client==0.7.2 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" - > "$folder/out.txt" 2> "$folder/log.txt" <<'PY'
import http.server
import json
import logging
import threading
import warnings

from prometheus_api_client import PrometheusConnect

ANSWER = {
    "status": "success",
    "warnings": ["partial response: no answer of store 10.0.0.7:10901"],
    "data": {"resultType": "vector", "result": [{"metric": {"pod": "a"}, "value": [1700000000, "0"]}]},
}


class Thanos(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


logging.basicConfig(level=logging.WARNING)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Thanos)
threading.Thread(target=server.serve_forever, daemon=True).start()
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    found = PrometheusConnect(url=f"http://127.0.0.1:{server.server_port}").custom_query("sum(rate(errors[1h]))")
print(found, f"{len(seen)} Python warnings")
PY
cat "$folder/out.txt" "$folder/log.txt"
test "$(cat "$folder/out.txt")" = "[{'metric': {'pod': 'a'}, 'value': [1700000000, '0']}] 0 Python warnings"
test ! -s "$folder/log.txt"
