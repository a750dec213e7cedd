#!/usr/bin/env bash
# kubernetes-validate 1.37.0: --strict ends with 0 for a Deployment that no API server takes, and for a List of broken ones.
#
# It holds each document against the JSON schema that Kubernetes publishes. Those schemas have types and required fields;
# what a quantity, a name or a port may be, the words of restartPolicy and protocol, and that a selector matches its
# template are rules in the server's code alone: memory "1GB" is any string. A kind without a schema is a warning and no
# failure, and v1 List is such a kind: what `kubectl get -o yaml` wrote passes, whatever stands in its items, while the same
# object as a document of its own is refused. A file of comments passes without a word.
#
# Seen: exit status 0 for each of the five rules broken at once, for the List and for no document; 1 for the List's item.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
cat > rules.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: nox}
spec:
  selector: {matchLabels: {app: nox}}
  template:
    metadata: {labels: {app: other}}
    spec:
      restartPolicy: always
      containers:
        - name: Nox_API
          image: nox
          resources: {limits: {memory: 1GB}}
          ports: [{containerPort: 99999, protocol: tcp}]
YAML
cat > item.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: nox}
spec: {replicas: three}
YAML
{
    echo 'apiVersion: v1'
    echo 'kind: List'
    echo 'items:'
    sed 's/^/  /; 1s/^  /- /' item.yaml
} > list.yaml
echo '# not now' > comments.yaml
for name in rules list item comments; do
    venv/bin/kubernetes-validate --strict -k 1.31 "$name.yaml" > out.txt 2>&1 && status=0 || status=$?
    said=$(sed "s/.*\.yaml //; s/ for kubernetes version.*//; s/ against version.*//" out.txt)
    echo "$name: exit status $status: ${said:-not a word}"
done > seen.txt
cat seen.txt
diff - seen.txt <<'SEEN'
rules: exit status 0: passed for resource deployment/nox
list: exit status 0: Couldn't find schema for kind List with api version v1
item: exit status 1: did not validate for resource deployment/nox
comments: exit status 0: not a word
SEEN
