#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 of npm: of a histogram with labels it keeps one series, without labels, sum and count.
#
# Its README shows a histogram that has no label but "le", and that is read as it should be. With any further label the
# last series' buckets replace those before, nothing says whose they are, and `_sum` and `_count` are gone. So it is for
# a summary. Nothing is thrown. The request histogram of a service has labels for method and path, as a rule: 900 slow
# requests of one path are gone behind 5 fast ones of another.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > npm.txt
npm install --silent --no-fund --no-audit parse-prometheus-text-format@1.1.1 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
cat > read.js <<'JS'
const parse = require("parse-prometheus-text-format");
const show = text => console.log(JSON.stringify(parse(text)[0].metrics));
show(`# TYPE seconds histogram
seconds_bucket{le="1"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 3
seconds_count 2
`);
show(`# TYPE seconds histogram
seconds_bucket{path="/a",le="1"} 0
seconds_bucket{path="/a",le="+Inf"} 900
seconds_sum{path="/a"} 9000
seconds_count{path="/a"} 900
seconds_bucket{path="/b",le="1"} 5
seconds_bucket{path="/b",le="+Inf"} 5
seconds_sum{path="/b"} 1
seconds_count{path="/b"} 5
`);
show(`# TYPE seconds summary
seconds{path="/a",quantile="0.99"} 10
seconds_sum{path="/a"} 9000
seconds_count{path="/a"} 900
seconds{path="/b",quantile="0.99"} 0.2
seconds_sum{path="/b"} 1
seconds_count{path="/b"} 5
`);
JS
node read.js | tee seen.txt
diff - seen.txt <<'SEEN'
[{"buckets":{"1":"1","+Inf":"2"},"count":"2","sum":"3"}]
[{"buckets":{"1":"5","+Inf":"5"}}]
[{"quantiles":{"0.99":"0.2"}}]
SEEN
