#!/usr/bin/env bash
# lightkube 1.0.1 with lightkube-models 1.31.1.8: a manifest loses the fields that the installed models do not have.
#
# `codecs.load_all_yaml` makes typed objects; what they have no attribute for is dropped without a word. So a manifest of a
# newer Kubernetes is applied without its newer fields, and a misspelt one is gone before the server's strict validation
# could refuse it.
#
# Seen: hostnameOverride, of Kubernetes 1.34, is gone; nothing was printed, exit status 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightkube==1.0.1 lightkube-models==1.31.1.8 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" -W always - > "$folder/out.txt" 2> "$folder/log.txt" <<'PY'
from lightkube import codecs

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  hostnameOverride: api-1
  containers:
  - {name: api, image: api}
"""
(found,) = codecs.load_all_yaml(MANIFEST)
print(found.to_dict()["spec"])
PY
cat "$folder/out.txt" "$folder/log.txt"
test "$(cat "$folder/out.txt")" = "{'containers': [{'name': 'api', 'image': 'api'}]}"
test ! -s "$folder/log.txt"
