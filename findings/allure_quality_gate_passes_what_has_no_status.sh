#!/usr/bin/env bash
# Allure 3.18.0: `allure quality-gate` with maxFailures 0 lets a run through of which nothing is known.
#
# The rule counts tests that are failed or broken. A result of status unknown, one of Allure's five, is neither; so is a
# skipped one, and a folder without any result passes as well. Only a rule of successRate 1 holds all of these back.
#
# Seen with maxFailures 0: unknown 0, skipped 0, nothing 0, broken 1; with --success-rate 1: unknown 1, nothing 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > npm.txt
npm install --silent --ignore-scripts --omit=optional --no-audit --no-fund allure@3.18.0 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
npm install --silent --no-audit --no-fund node@22.23.3 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
echo 'export default { qualityGate: { rules: [{ maxFailures: 0 }] } };' > rules.mjs
mkdir nothing
for status in unknown skipped broken; do
    mkdir "$status"
    printf '{"uuid": "%s", "name": "t", "fullName": "t", "historyId": "t", "status": "%s", "stage": "finished", "start": 1700000000000, "stop": 1700000000100}' \
        "$status" "$status" > "$status/$status-result.json"
done
ended() {
    local name="$1" status=0
    shift
    node_modules/node/bin/node node_modules/.bin/allure quality-gate "$@" "$name" > out.txt 2>&1 || status=$?
    echo "$name $status"
}
{
    for name in unknown skipped nothing broken; do ended "$name" --config rules.mjs; done
    for name in unknown nothing; do ended "$name" --success-rate 1; done
} | tee seen.txt
test "$(paste -sd, seen.txt)" = "unknown 0,skipped 0,nothing 0,broken 1,unknown 1,nothing 1"
