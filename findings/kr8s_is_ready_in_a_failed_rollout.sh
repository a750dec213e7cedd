#!/usr/bin/env bash
# kr8s 0.20.15: Deployment.ready() is True while one new pod of three is up and the rollout has failed.
#
# ready() compares the count of ready pods with the wanted one and looks at no updatedReplicas and no condition. In a rolling
# update the old pods are counted, so it is True from the first moment on, and stays so after Kubernetes has given up
# (Progressing is False, ProgressDeadlineExceeded). For the same object `kubectl rollout status` is an error. A deploy
# script that waits for ready() goes on with the old version.
#
# Seen: ready() is True; updatedReplicas 1 of 3, Progressing False.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kr8s==0.20.15 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/look.py" <<'PY'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import kr8s
from kr8s.objects import Deployment

STATUS = {
    "observedGeneration": 2,
    "replicas": 4,
    "updatedReplicas": 1,
    "readyReplicas": 3,
    "availableReplicas": 3,
    "unavailableReplicas": 1,
    "conditions": [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
    ],
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api", "namespace": "blue", "generation": 2},
    "spec": {"replicas": 3},
    "status": STATUS,
}
ANSWERS = {
    "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.1"},
    "/apis/apps/v1/namespaces/blue/deployments": {"apiVersion": "apps/v1", "kind": "DeploymentList", "items": [DEPLOYMENT]},
    "/apis/apps/v1/namespaces/blue/deployments/api": DEPLOYMENT,
}


class Api(BaseHTTPRequestHandler):
    """As much of an API server as kr8s asks for here."""

    def do_GET(self):
        body = json.dumps(ANSWERS[self.path.partition("?")[0].rstrip("/")]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()
config = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "one", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
    "users": [{"name": "one", "user": {}}],
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one", "namespace": "blue"}}],
    "current-context": "one",
}
with open(sys.argv[1], "w") as file:
    json.dump(config, file)
found = Deployment.get("api", namespace="blue", api=kr8s.api(kubeconfig=sys.argv[1]))
progressing = next(one.status for one in found.status.conditions if one.type == "Progressing")
print(f"ready() is {found.ready()}; updatedReplicas {found.status.updatedReplicas} of {found.replicas}, Progressing {progressing}")
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder/config" > "$folder/out.txt"
cat "$folder/out.txt"
test "$(cat "$folder/out.txt")" = "ready() is True; updatedReplicas 1 of 3, Progressing False"
