#!/usr/bin/env bash
# pykube-ng 23.6.0: Deployment.ready is True when not one of its pods is ready, and so is that of a failed rollout.
#
# It asks whether the status is of this generation and whether updatedReplicas is the wanted count. Updated says that a pod
# was made of the new template, not that it runs: readyReplicas, availableReplicas and conditions are not looked at.
# So in a first rollout whose pods all crash or lack their image it is True as soon as the pods are made. For the same object
# `kubectl rollout status` waits, and then is an error.
#
# Seen: none of 3 ready, Progressing False: ready True; 1 of 3 updated, 3 ready: ready False.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pykube-ng==23.6.0 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" - > "$folder/out.txt" <<'PY'
from pykube import Deployment


def ready(updated, ready, **more):
    status = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": updated, "unavailableReplicas": 3 - ready, **more}
    status |= {"readyReplicas": ready, "availableReplicas": ready} if ready else {}
    return Deployment(None, {"metadata": {"name": "api", "generation": 2}, "spec": {"replicas": 3}, "status": status}).ready


gave_up = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
no_pods = {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}
print("none of 3 ready, Progressing False:", ready(3, 0, conditions=[gave_up, no_pods]))
print("1 of 3 updated, 3 ready:", ready(1, 3))
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
none of 3 ready, Progressing False: True
1 of 3 updated, 3 ready: False
SEEN
