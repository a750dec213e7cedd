#!/usr/bin/env bash
# Allure 3.18.0 on Node.js 20: `generate` works, and `quality-gate` ends with a TypeError for every run, good or bad.
#
# It calls toArray of an iterator, which Node.js has from version 22 on; neither `allure` nor `@allurereport/core` names an
# engine, so that npm installs it without a warning. Its exit status 1 is also that of a gate that is closed.
#
# Seen: generate 0; quality-gate 1, "toArray is not a function", with one passed test.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes > npm.txt
npm install --silent --ignore-scripts --omit=optional --no-audit --no-fund allure@3.18.0 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
npm install --silent --no-audit --no-fund node@20.19.5 > npm.txt 2>&1 || { cat npm.txt >&2; exit 1; }
mkdir passed
echo '{"uuid": "t", "name": "t", "fullName": "t", "historyId": "t", "status": "passed", "stage": "finished", "start": 1700000000000, "stop": 1700000000100}' \
    > passed/t-result.json
for words in "generate passed" "quality-gate --success-rate 1 passed"; do
    status=0
    # shellcheck disable=SC2086
    node_modules/node/bin/node node_modules/.bin/allure $words > out.txt 2>&1 || status=$?
    echo "${words%% *} $status"
done | tee seen.txt
grep -o "toArray is not a function" out.txt
test "$(paste -sd, seen.txt)" = "generate 0,quality-gate 1"
! grep -q '"engines"' node_modules/allure/package.json node_modules/@allurereport/core/package.json
