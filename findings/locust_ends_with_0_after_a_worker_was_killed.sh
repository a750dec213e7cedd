#!/usr/bin/env bash
# Locust 2.47.0: one of two workers is killed in the middle of the test, and the master ends with 0.
#
# The master was told to expect two workers. After some seconds it logs that one "failed to send heartbeat" and gives its
# users to nobody: half of the load is gone for the rest of the test. Neither the tables nor the exit status say so; as
# delivered, only failed requests and exceptions do. A load gate that goes by exit status and percentiles judges half the
# load that it asked for.
#
# Seen: missing workers said in the log: 1; said in the tables: 0; exit status of the master: 0.
set -euo pipefail
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2> /dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check locust==2.47.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/locustfile.py" <<'PY'
from locust import User, constant, task


class Steady(User):
    wait_time = constant(0.05)

    @task
    def answers(self):
        self.environment.events.request.fire(
            request_type="GET", name="x", response_time=10.0, response_length=0, exception=None, context={}
        )
PY
cd "$folder"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/locust -f locustfile.py --master --headless -u 4 -r 4 -t 14s --expect-workers 2 --only-summary \
    --master-bind-host 127.0.0.1 --master-bind-port "$port" > tables.txt 2> log.txt &
master=$!
for worker in 1 2; do
    venv/bin/locust -f locustfile.py --worker --master-host 127.0.0.1 --master-port "$port" > "worker-$worker.txt" 2>&1 &
    pids+=($!)
done
for _ in $(seq 200); do grep -q "All users spawned" log.txt && break; sleep 0.1; done
grep -q "All users spawned" log.txt
sleep 2
kill -KILL "${pids[0]}"
status=0
wait "$master" || status=$?
{
    echo "missing in the log: $(grep -c 'failed to send heartbeat' log.txt || true)"
    echo "missing in the tables: $(grep -ciE 'worker|heartbeat|missing' tables.txt || true)"
    echo "exit status $status"
} > seen.txt
cat seen.txt
diff - seen.txt <<'SEEN'
missing in the log: 1
missing in the tables: 0
exit status 0
SEEN
