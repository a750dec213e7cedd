#!/usr/bin/env bash
# Alertmanager 0.25.0 of Debian 12: `amtool config routes test` names a pager that is muted at every hour.
#
# The command follows the routes' matchers: mute_time_intervals and active_time_intervals are not applied, and no option
# does. So the usual proof that "a critical alert reaches the pager" holds for a route whose
# mute interval was forgotten there after maintenance.
#
# Seen: pager, exit status 0, with a mute interval of all days.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet "prometheus-alertmanager=0.25.0-1+b4" > apt.txt 2>&1 || { cat apt.txt >&2; exit 1; }
dpkg -x prometheus-alertmanager_*.deb .
cat > alertmanager.yml <<'YAML'
route:
  receiver: nobody
  routes:
  - matchers: [severity="critical"]
    receiver: pager
    mute_time_intervals: [always]
receivers: [{name: nobody}, {name: pager}]
time_intervals:
- name: always
  time_intervals: [{weekdays: ["sunday:saturday"]}]
YAML
status=0
usr/bin/amtool config routes test --config.file=alertmanager.yml --verify.receivers=pager severity=critical \
    > out.txt 2> errors.txt || status=$?
echo "$(cat out.txt), exit status $status" | tee seen.txt
test "$(cat seen.txt)" = "pager, exit status 0"
