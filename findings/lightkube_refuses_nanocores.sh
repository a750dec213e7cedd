#!/usr/bin/env bash
# lightkube 1.0.1: its parse_quantity refuses what metrics-server says of a pod's CPU, and takes units that Kubernetes has not.
#
# The metrics API gives CPU in nanocores ("156340123n") or microcores. Both suffixes are in the quantity format that the
# docstring of parse_quantity points to, as is an exponent with a capital E; all three are a ValueError. On the other side
# Z, Y, Zi and Yi are read, which an API server refuses. The client of the Kubernetes project, kubernetes 37.0.2, reads
# the nanocores; so whoever moves a check of CPU from one to the other meets the error with the first real pod.
#
# Seen: 156340123n, 2500u and 1E3: lightkube ValueError, kubernetes 0.156340123, 0.002500 and 1000; 1Zi: lightkube a number,
# kubernetes ValueError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightkube==1.0.1 kubernetes==37.0.2 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
venv/bin/python > seen.txt <<'PY'
from kubernetes.utils.quantity import parse_quantity as of_kubernetes
from lightkube.utils.quantity import parse_quantity as of_lightkube


def read(parse, text):
    try:
        return f"{parse(text):f}"
    except ValueError:
        return "ValueError"


for text in ("250m", "156340123n", "2500u", "1E3", "1Zi"):
    print(f"{text}: lightkube {read(of_lightkube, text)}, kubernetes {read(of_kubernetes, text)}")
PY
cat seen.txt
diff - seen.txt <<'SEEN'
250m: lightkube 0.250, kubernetes 0.250
156340123n: lightkube ValueError, kubernetes 0.156340123
2500u: lightkube ValueError, kubernetes 0.002500
1E3: lightkube ValueError, kubernetes 1000
1Zi: lightkube 1180591620717411303424.000, kubernetes ValueError
SEEN
