#!/usr/bin/env bash
# httpx 0.28.1, httpcore 1.0.9: max_keepalive_connections=0 gives each request a connection of its own over HTTP/1.1 alone.
#
# With that limit a client keeps no connection, so that requests which are to reach every server behind a load balancer
# each open one of their own. Over HTTP/2 requests that overlap share one all the same: a connection is held to be usable
# by the next request before it is known what the server speaks. So a check that counts replicas sees one of them.
#
# Seen, of 8 requests at once: over HTTP/1.1 8 connections; over HTTP/2 one; with a client for each request 8 again.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    httpx==0.28.1 httpcore==1.0.9 h2==4.3.0 hypercorn==0.17.3 trustme==1.2.1 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
venv/bin/python -m trustme --quiet --identities localhost
cat > app.py <<'PY'
import asyncio


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.3)  # so that all are under way at once
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(scope["client"][1]).encode()})
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/hypercorn --bind "127.0.0.1:$port" --certfile server.pem --keyfile server.key app:app > server.log 2>&1 &
server=$!
cat > look.py <<'PY'
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

URL = f"https://localhost:{sys.argv[1]}/"
SETTINGS = {"verify": ssl.create_default_context(cafile="client.pem"), "trust_env": False}


def connections(http2, one_each):
    """How many connections the server had, of 8 requests at once."""
    limits = httpx.Limits(max_keepalive_connections=0)
    shared = httpx.Client(http2=http2, limits=limits, **SETTINGS)

    def ask(_):
        client = httpx.Client(http2=http2, limits=limits, **SETTINGS) if one_each else shared
        return client.get(URL).text

    with ThreadPoolExecutor(8) as pool:
        return len(set(pool.map(ask, range(8))))


for _ in range(50):
    try:
        httpx.get(URL, **SETTINGS)
        break
    except httpx.TransportError:
        time.sleep(0.1)
print("HTTP/1.1, one client:", connections(False, False))
print("HTTP/2, one client:", connections(True, False))
print("HTTP/2, a client for each:", connections(True, True))
PY
venv/bin/python look.py "$port" > out.txt
cat out.txt
diff - out.txt <<'SEEN'
HTTP/1.1, one client: 8
HTTP/2, one client: 1
HTTP/2, a client for each: 8
SEEN
