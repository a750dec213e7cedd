#!/usr/bin/env bash
# kubernetes 37.0.2 (Python): a kubeconfig's tokenFile is read when it is loaded, and not again.
#
# A tokenFile is for tokens that are replaced, as the kubelet does with a ServiceAccount's. client-go and kubectl read the
# file again after a minute at the latest. The Python client takes the text once, though it has a hook that is called before
# each request: a process that lives longer than the token gets 401 from then on, until it is started again.
#
# Seen: the second request, 70 seconds after the file was replaced, has the first token.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes==37.0.2 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/look.py" <<'PY'
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from kubernetes import client, config

sent = []


class Api(BaseHTTPRequestHandler):
    """Keeps what each request says of itself."""

    def do_GET(self):
        sent.append(self.headers["Authorization"].removeprefix("Bearer "))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
folder = Path(sys.argv[1])
token = folder / "token"
token.write_text("first")
file = folder / "kubeconfig"
one = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "one", "cluster": {"server": address}}],
    "users": [{"name": "one", "user": {"tokenFile": str(token)}}],
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
    "current-context": "one",
}
file.write_text(json.dumps(one))
api = config.new_client_from_config(str(file))
client.VersionApi(api).get_code(_preload_content=False)
token.write_text("second")
time.sleep(70)
client.VersionApi(api).get_code(_preload_content=False)
print(f"at once: {sent[0]}, 70 s after the file was replaced: {sent[1]}")
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/out.txt"
cat "$folder/out.txt"
test "$(cat "$folder/out.txt")" = "at once: first, 70 s after the file was replaced: first"
