#!/usr/bin/env bash
# Prometheus 2.42.0 of Debian 12: a blank before a sample's name loses the whole scrape; promtool finds nothing wrong.
#
# The text format says that leading blanks of a line are ignored, client libraries read such a line, and `promtool check
# metrics` of the same version ends with 0 and no word. The scrape takes the blanks into the metric's name, finds the name
# invalid, and keeps none of the target's samples, those before the line neither.
#
# Seen: promtool: 0; scrape: down, invalid metric name or label names: {__name__="  indented", ...}; samples: 0.
set -euo pipefail
folder=$(mktemp -d)
servers=()
stop() { for each in "${servers[@]}"; do kill "$each" && wait "$each" || true; done; servers=(); }
trap 'stop; rm -rf "$folder"' EXIT
(cd "$folder" && apt-get download --quiet "prometheus=2.42.0+ds-5+deb12u1" > apt.txt 2>&1 || { cat apt.txt >&2; exit 1; }
    dpkg -x prometheus_*.deb .)
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free) pages=$(free)

mkdir "$folder/pages"
printf '# HELP first A gauge.\n# TYPE first gauge\nfirst 1\n# HELP indented A gauge.\n# TYPE indented gauge\n  indented 2\n' \
    > "$folder/pages/metrics"
checked=0
said=$("$folder/usr/bin/promtool" check metrics < "$folder/pages/metrics" 2>&1) || checked=$?
echo "promtool: $checked${said:+, $said}"

python3 -m http.server --bind 127.0.0.1 --directory "$folder/pages" "$pages" > "$folder/pages.txt" 2>&1 &
servers+=($!)
printf 'scrape_configs: [{job_name: a, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: ["127.0.0.1:%s"]}]}]\n' \
    "$pages" > "$folder/prometheus.yml"
"$folder/usr/bin/prometheus" --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" \
    --web.listen-address="127.0.0.1:$port" > "$folder/log.txt" 2>&1 &
servers+=($!)
asked() { curl -s --get "http://127.0.0.1:$port/api/v1/$1" "${@:2}" || true; }
for _ in $(seq 300); do
    target=$(asked targets)
    grep -q '"health":"\(up\|down\)"' <<< "$target" && ! grep -q refused <<< "$target" && break
    sleep 0.1
done
health=$(grep -o '"health":"[a-z]*"' <<< "$target" | cut -d'"' -f4)
why=$(grep -o 'invalid metric name or label names: {__name__=[^,]*' <<< "$target" | tr -d '\\' || true)
samples=$(asked query --data-urlencode 'query={__name__=~"first|indented"}' | { grep -o '"__name__"' || true; } | wc -l)
echo "scrape: $health, $why, ...}; samples: $samples"
test "$checked" = 0
test "$health" = down
test "$why" = 'invalid metric name or label names: {__name__="  indented"'
test "$samples" = 0
