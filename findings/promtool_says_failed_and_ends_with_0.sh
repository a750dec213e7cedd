#!/usr/bin/env bash
# Prometheus 2.42.0 of Debian 12: `promtool check rules` prints FAILED and ends with 0.
#
# Two recording rules of one name and labels are a lint error: promtool prints "FAILED:" and the rules, but a lint error
# only counts with --lint-fatal. A pipeline that goes by the exit status ships the file; one that greps for FAILED
# stops. `promtool check config` of a server with that file says SUCCESS and FAILED, and ends with 0 too.
#
# Seen: check rules: FAILED, exit status 0; with --lint-fatal: FAILED, exit status 3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet "prometheus=2.42.0+ds-5+deb12u1" > apt.txt 2>&1 || { cat apt.txt >&2; exit 1; }
dpkg -x prometheus_*.deb .
cat > rules.yml <<'YAML'
groups:
- name: service
  rules: [{record: "job:up:sum", expr: sum(up)}, {record: "job:up:sum", expr: count(up)}]
YAML
for options in "" --lint-fatal; do
    status=0
    # shellcheck disable=SC2086
    usr/bin/promtool check rules $options rules.yml > out.txt 2>&1 || status=$?
    echo "check rules ${options:-alone}: $(grep -oE 'FAILED|SUCCESS' out.txt | sort -u), exit status $status"
done > seen.txt
cat seen.txt
diff - seen.txt <<'SEEN'
check rules alone: FAILED, exit status 0
check rules --lint-fatal: FAILED, exit status 3
SEEN
