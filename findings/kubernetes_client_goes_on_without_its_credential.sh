#!/usr/bin/env bash
# kubernetes 37.0.2 (Python): a kubeconfig whose credential plugin fails is loaded, and each request is sent without one.
#
# `exec` in a kubeconfig names the program that prints a token (aws, gke-gcloud-auth-plugin, kubelogin). kubectl ends with
# an error when it fails. The Python client logs a line and returns from load_kube_config as if all was well; the API
# server then sees an anonymous user, so what ought to be "the login has expired" arrives as 401 or as 403 "forbidden: User
# system:anonymous", and people look for a missing role. A missing tokenFile of the same kubeconfig is raised.
#
# Seen: exec ends with 3: loaded, requests have no Authorization; tokenFile is absent: FileNotFoundError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes==37.0.2 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/look.py" <<'PY'
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from kubernetes import client, config

sent = []


class Api(BaseHTTPRequestHandler):
    """Keeps what each request says of itself."""

    def do_GET(self):
        sent.append(self.headers["Authorization"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"major": "1", "minor": "33"}')

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
Thread(target=server.serve_forever, daemon=True).start()
plugin = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "command": "sh",
    "args": ["-c", "echo the login has expired >&2; exit 3"],
    "interactiveMode": "Never",
}
folder = Path(sys.argv[1])
for name, user in {"exec ends with 3": {"exec": plugin}, "tokenFile is absent": {"tokenFile": str(folder / "absent")}}.items():
    file = folder / "kubeconfig"
    one = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "one", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "one", "user": user}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "current-context": "one",
    }
    file.write_text(json.dumps(one))
    try:
        api = config.new_client_from_config(str(file))
    except Exception as error:
        print(f"{name}: {type(error).__name__}")
        continue
    client.VersionApi(api).get_code(_preload_content=False)
    print(f"{name}: loaded, Authorization {sent[-1]}")
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/out.txt" 2> "$folder/log.txt" || { cat "$folder/log.txt" >&2; exit 1; }
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
exec ends with 3: loaded, Authorization None
tokenFile is absent: FileNotFoundError
SEEN
