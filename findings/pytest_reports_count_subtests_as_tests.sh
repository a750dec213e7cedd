#!/usr/bin/env bash
# pytest 9.2.0 with pytest-html 4.2.0 and pytest-json-report 1.5.0: three tests with subtests are 12, 4 or 3 tests, and the
# test that failed is also listed as passed.
#
# Each subtest makes a report of its own under its test's name. junit.xml counts reports: tests="12" above three testcases,
# one of which has three <skipped> and one two <failure>. pytest-html keeps one row for each name and outcome: test_fails
# and test_skips are a passed row each, besides the one that says what they are. pytest-json-report takes the outcome's
# name from the terminal's word for it: a test whose subtests all passed is "subtests passed", and none is "passed". So a
# gate that asks whether a test has a passed row finds one for the failed test, and one that counts passed tests counts 0.
#
# Seen: junit.xml: 12 tests, 3 testcases, 2 failures in 1 of them; html: test_all_pass Passed, test_fails Failed and Passed,
# test_skips Passed and Skipped; json: test_all_pass "subtests passed", test_fails "failed", test_skips "skipped".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0 pytest-html==4.2.0 \
    pytest-json-report==1.5.0 2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/test_pods.py" <<'PY'
import pytest


def test_all_pass(subtests):
    for pod in range(3):
        with subtests.test(pod=pod):
            pass


def test_skips(subtests):
    for pod in range(3):
        with subtests.test(pod=pod):
            pytest.skip("no such pod")


def test_fails(subtests):
    for pod in range(3):
        with subtests.test(pod=pod):
            assert pod != 1
PY
cd "$folder"
venv/bin/pytest -q -p no:cacheprovider --junitxml=junit.xml --html=page.html --self-contained-html --json-report \
    --json-report-file=report.json test_pods.py > out.txt && exit 1
venv/bin/python > seen.txt <<'PY'
import html
import json
import re
import xml.etree.ElementTree as ElementTree

suite = ElementTree.parse("junit.xml").getroot()[0]
failed = [case for case in suite if case.find("failure") is not None]
print(f"junit: {suite.get('tests')} tests, {len(suite)} testcases, {suite.get('failures')} failures in {len(failed)}")
page = open("page.html", encoding="utf-8").read()
rows = json.loads(html.unescape(re.search('data-jsonblob="([^"]*)"', page)[1]))["tests"]
for name, each in sorted(rows.items()):
    print("html:", name.split("::")[1], sorted(row["result"] for row in each))
for test in sorted(json.load(open("report.json"))["tests"], key=lambda test: test["nodeid"]):
    print("json:", test["nodeid"].split("::")[1], test["outcome"])
PY
cat seen.txt
diff - seen.txt <<'SEEN'
junit: 12 tests, 3 testcases, 2 failures in 1
html: test_all_pass ['Passed']
html: test_fails ['Failed', 'Passed']
html: test_skips ['Passed', 'Skipped']
json: test_all_pass subtests passed
json: test_fails failed
json: test_skips skipped
SEEN
