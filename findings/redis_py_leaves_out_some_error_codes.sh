#!/usr/bin/env bash
# redis-py 8.1.0: an error's code is in the text of some errors and not in that of others.
#
# Redis begins each error with a code, as MISCONF or MASTERDOWN. redis-py has an exception of its own for some codes and
# takes the code off their text; any other error is a plain ResponseError that still begins with it. So a log, an alert or
# a check that looks for "MASTERDOWN" or "READONLY" in what the client says finds nothing, while "MISCONF" is found there.
#
# Seen: MISCONF and NOREPLICAS: ResponseError, with its code; MASTERDOWN, READONLY, LOADING, OOM and CLUSTERDOWN: an
# exception of its own, without its code.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/look.py" <<'PY'
import socket
import threading

import redis

ANSWERS = (
    "MISCONF Errors writing to the AOF file: No space left on device",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "READONLY You can't write against a read only replica.",
    "LOADING Redis is loading the dataset in memory",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "NOREPLICAS Not enough good replicas to write.",
    "CLUSTERDOWN The cluster is down",
)


def serve(answer):
    """A server that answers each command so; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk():
        connection, _ = listener.accept()
        with connection:
            while connection.recv(4096):
                connection.sendall(f"-{answer}\r\n".encode())

    threading.Thread(target=talk, daemon=True).start()
    return listener.getsockname()[1]


for answer in ANSWERS:
    client = redis.Redis(port=serve(answer), retry=None, protocol=2, driver_info=None)
    code = answer.partition(" ")[0]
    try:
        client.execute_command("PING")
    except redis.RedisError as error:
        print(f"{code}: {type(error).__name__}, {'with' if code in str(error) else 'without'} its code")
PY
"$folder/venv/bin/python" "$folder/look.py" > "$folder/out.txt"
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
MISCONF: ResponseError, with its code
MASTERDOWN: MasterDownError, without its code
READONLY: ReadOnlyError, without its code
LOADING: BusyLoadingError, without its code
OOM: OutOfMemoryError, without its code
NOREPLICAS: ResponseError, with its code
CLUSTERDOWN: ClusterDownError, without its code
SEEN
