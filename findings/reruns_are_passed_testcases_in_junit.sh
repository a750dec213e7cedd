#!/usr/bin/env bash
# pytest-rerunfailures 16.7 with pytest 9.2.0: a try that failed is a <testcase> without a <failure> in junit.xml.
#
# A failed try that is to be made again has the outcome "rerun". The JUnit writer of pytest makes a testcase for each try and
# knows no such outcome, so the element stays empty, which in JUnit means passed. The suite's own attribute counts tests,
# not tries. A test that failed twice and then passed is three passed testcases, and nothing in the file tells that it
# failed; one that failed three times is two passed testcases and a failed one. Who counts flaky or passed tests by
# testcase is told the opposite of what happened.
#
# Seen, with --reruns 2: tests="2" above 6 testcases; of test_passes_at_last 3 and none failed, of test_never_passes 3, of
# which 1 failed; pytest itself: 1 failed, 1 passed, 4 rerun.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0 pytest-rerunfailures==16.7 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cat > "$folder/test_tries.py" <<'PY'
TRIES = []


def test_passes_at_last():
    TRIES.append(1)
    assert len(TRIES) == 3


def test_never_passes():
    assert False
PY
cd "$folder"
venv/bin/pytest -q -p no:cacheprovider --reruns 2 --junitxml=junit.xml test_tries.py > out.txt && exit 1
{
    grep -oE '^[0-9]+ failed, [0-9]+ passed, [0-9]+ rerun' out.txt
    venv/bin/python - <<'PY'
import xml.etree.ElementTree as ElementTree

suite = ElementTree.parse("junit.xml").getroot()[0]
print(f"junit: tests={suite.get('tests')}, {len(suite)} testcases")
for name in ("test_passes_at_last", "test_never_passes"):
    cases = [case for case in suite if case.get("name") == name]
    empty = sum(len(case) == 0 for case in cases)
    print(f"{name}: {len(cases)} testcases, {empty} of them empty")
PY
} > seen.txt
cat seen.txt
diff - seen.txt <<'SEEN'
1 failed, 1 passed, 4 rerun
junit: tests=2, 6 testcases
test_passes_at_last: 3 testcases, 3 of them empty
test_never_passes: 3 testcases, 2 of them empty
SEEN
