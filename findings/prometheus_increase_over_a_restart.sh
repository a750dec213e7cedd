#!/usr/bin/env bash
# Prometheus 2.42.0 of Debian 12: increase() sees no burst that fills a counter up to where its process left it.
#
# A process counts 200 errors and ends. Its series ends too: a stale marker, then minutes of scrapes without it. The new
# process has a burst of 200 errors, and the series is back. increase() and resets() look at values alone, and not at the
# marker or at the time between: 200 is not less than 200, so nothing was reset, and nothing grew. Of 201 it is 1.
# (That the very first value of a series counts for nothing is better known: the third series.)
#
# Seen: 200, gone, 200: increase 0, resets 0; 200, gone, 201: increase 1, resets 0; nothing, then 200: increase 0, resets 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get download --quiet "prometheus=2.42.0+ds-5+deb12u1" > apt.txt 2>&1 || { cat apt.txt >&2; exit 1; }
    dpkg -x prometheus_*.deb .)

cat > "$folder/tests.yml" <<'YAML'
rule_files: []
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'errors_total{run="as-much"}', values: '200x3 stale _x5 200x3'}
      - {series: 'errors_total{run="one-more"}', values: '200x3 stale _x5 201x3'}
      - {series: 'errors_total{run="first"}', values: '_x10 200x3'}
    promql_expr_test:
      - expr: count by (run) (errors_total)
        eval_time: 105s                                         # in between: there is no series
        exp_samples: []
      - expr: round(sum by (run) (increase(errors_total[4m])))
        eval_time: 210s
        exp_samples:
          - {labels: '{run="as-much"}', value: 0}
          - {labels: '{run="one-more"}', value: 1}
          - {labels: '{run="first"}', value: 0}
      - expr: resets(errors_total[4m])
        eval_time: 210s
        exp_samples:
          - {labels: '{run="as-much"}', value: 0}
          - {labels: '{run="one-more"}', value: 0}
          - {labels: '{run="first"}', value: 0}
YAML
"$folder/usr/bin/promtool" test rules "$folder/tests.yml"
