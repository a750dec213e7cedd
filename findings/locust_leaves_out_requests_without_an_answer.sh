#!/usr/bin/env bash
# Locust 2.47.0: a target that stops answering in the middle of the test has no failure, and Locust ends with 0.
#
# A request is counted when it has ended. HttpUser waits without a limit, FastHttpUser 60 s for data; when the run time is
# over Locust ends the users where they stand (--stop-timeout gives them that long), and what was under way is in no count:
# neither sent, nor failed, nor in a percentile. Of a target that hung for the last 5 of 6 seconds the summary shows the
# first second: some hundred requests, a p99 of some milliseconds, no failure. From the number of requests alone one sees
# that anything is missing.
#
# Seen, of a target that answers 100 requests and no further one, by 5 users in 6 s: 100 requests, 0 failures, exit status 0;
# with --stop-timeout 2 and with FastHttpUser the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2> "$folder/kill.txt" || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check locust==2.47.0 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/server.py" <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERED = 100
lock, asked = threading.Lock(), {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with lock:
            asked[self.path] = asked.get(self.path, 0) + 1
            is_last = asked[self.path] > ANSWERED
        if is_last:
            threading.Event().wait()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
PY
cat > "$folder/locustfile.py" <<'PY'
import os

from locust import FastHttpUser, HttpUser, constant, task

PATH = os.environ["ASKED"]


class Usual(HttpUser):
    wait_time = constant(0.01)

    @task
    def ask(self):
        self.client.get(PATH)


class Fast(FastHttpUser):
    wait_time = constant(0.01)

    @task
    def ask(self):
        self.client.get(PATH)
PY
cd "$folder"
venv/bin/python server.py > port.txt &
server=$!
until [ -s port.txt ]; do sleep 0.1; done
run() { # a path that was not asked before, then what Locust is given
    export ASKED=$1
    venv/bin/locust --headless -u 5 -r 5 -t 6s --host "http://127.0.0.1:$(cat port.txt)" --json "${@:2}" \
        > out.json 2> log.txt && status=0 || status=$?
    venv/bin/python - "$status" "${@:2}" >> seen.txt <<'PY'
import json
import sys

(one,) = json.load(open("out.json"))
print(*sys.argv[2:], f"{one['num_requests']} requests, {one['num_failures']} failures, exit status {sys.argv[1]}")
PY
}
run /a Usual
run /b Usual --stop-timeout 2
run /c Fast
cat seen.txt
diff - seen.txt <<'SEEN'
Usual 100 requests, 0 failures, exit status 0
Usual --stop-timeout 2 100 requests, 0 failures, exit status 0
Fast 100 requests, 0 failures, exit status 0
SEEN
