#!/usr/bin/env bash
# Prometheus 2.42.0 of Debian 12: promtool passes a unit test of an alert that no rule defines.
#
# A test that expects an alert to stay quiet (exp_alerts: []) compares the alerts of that name which fire, none, with those
# expected, none. Whether there is a rule of the name is not asked. So the quiet half of an alert's tests goes on passing
# after the alert was renamed or deleted, or when the test misspells it; only a test that expects it to fire would fail.
#
# Seen: SUCCESS, exit status 0, for an alert "ServiceDwon" beside the rule "ServiceDown".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet "prometheus=2.42.0+ds-5+deb12u1" > apt.txt 2>&1 || { cat apt.txt >&2; exit 1; }
dpkg -x prometheus_*.deb .
cat > rules.yml <<'YAML'
groups:
- name: service
  rules: [{alert: ServiceDown, expr: up == 0}]
YAML
cat > tests.yml <<'YAML'
rule_files: [rules.yml]
tests:
- interval: 1m
  input_series: [{series: up, values: 0x10}]
  alert_rule_test: [{eval_time: 5m, alertname: ServiceDwon, exp_alerts: []}]
YAML
status=0
usr/bin/promtool test rules tests.yml > out.txt 2>&1 || status=$?
cat out.txt
echo "exit status $status"
grep -q SUCCESS out.txt
test "$status" = 0
