#!/usr/bin/env bash
# pytest 9.2.0 with allure-pytest 2.16.2 and pytest-json-ctrf 0.6.1: a test file with an import error leaves a green report.
#
# pytest cannot collect the file, says "1 error" and ends with 1 (2, without --continue-on-collection-errors). Both plugins
# listen to reports of tests; that of a collector is another hook, which neither has. So Allure has one passed result,
# and the CTRF file, which dashboards and pull request comments are made of, says tests 1, passed 1, failed 0, other 0.
# The summary of pytest-json-report 1.5.0 is {"passed": 1}, too: the error stands in another part of its file, "collectors".
# junit.xml has the error.
#
# Seen, with one good file and one that cannot be imported: exit status 1; Allure: 1 result, passed; CTRF: tests 1, passed 1,
# failed 0, other 0; pytest-json-report: passed 1, total 1; junit.xml: errors="1" tests="2".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0 allure-pytest==2.16.2 \
    pytest-json-ctrf==0.6.1 pytest-json-report==1.5.0 2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
mkdir "$folder/tests"
echo 'import a_client_that_is_not_installed' > "$folder/tests/test_migration.py"
printf 'def test_health():\n    pass\n' > "$folder/tests/test_health.py"
cd "$folder"
venv/bin/pytest -q -p no:cacheprovider --continue-on-collection-errors --alluredir=allure --ctrf=ctrf.json --json-report \
    --json-report-file=report.json --junitxml=junit.xml tests > out.txt && status=0 || status=$?
{
    echo "exit status $status"
    venv/bin/python - <<'PY'
import json
import re
from pathlib import Path

print("allure:", [json.loads(each.read_text())["status"] for each in Path("allure").glob("*-result.json")])
summary = json.loads(Path("ctrf.json").read_text())["results"]["summary"]
print("ctrf:", {name: summary[name] for name in ("tests", "passed", "failed", "other")})
summary = json.loads(Path("report.json").read_text())["summary"]
print("json:", {name: summary.get(name) for name in ("passed", "failed", "error", "total")})
print("junit:", *re.findall(r'(?:errors|tests)="\d+"', Path("junit.xml").read_text()))
PY
} > seen.txt
cat seen.txt
diff - seen.txt <<'SEEN'
exit status 1
allure: ['passed']
ctrf: {'tests': 1, 'passed': 1, 'failed': 0, 'other': 0}
json: {'passed': 1, 'failed': None, 'error': None, 'total': 1}
junit: errors="1" tests="2"
SEEN
