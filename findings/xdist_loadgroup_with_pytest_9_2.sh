#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0: --dist=loadgroup no longer groups, and says nothing.
#
# xdist tells its scheduler of a group by writing `item._nodeid = "ID@GROUP"`. pytest 9.2 keeps the id elsewhere and
# derives `nodeid` from that, so the suffix is lost: tests of one xdist_group are spread over the workers like all others.
# Exit status and output look as ever; only tests that rest on a shared server or file notice. With pytest 9.1.1 and the
# same xdist they stay together.
#
# Seen: pytest 9.1.1: workers 1, ids with @one 8; pytest 9.2.0: workers 2, ids with @one 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/test_group.py" <<'PY'
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_of_one_group(number):
    time.sleep(0.2)
PY

seen() {  # VERSION-OF-PYTEST: how many workers ran the eight tests of one group, and how many ids have its name
    python3 -m venv "$folder/venv-$1"
    "$folder/venv-$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0 execnet==2.1.2 \
        2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
    (cd "$folder" && "venv-$1/bin/pytest" -v -n 2 --dist=loadgroup -p no:cacheprovider test_group.py > "out-$1.txt")
    workers=$(grep -oE '^\[gw[0-9]\]' "$folder/out-$1.txt" | sort -u | wc -l)
    named=$(grep -cE '^\[gw.*PASSED .*@one' "$folder/out-$1.txt" || true)
    echo "pytest $1: workers $workers, ids with @one $named"
}

before=$(seen 9.1.1)
now=$(seen 9.2.0)
printf '%s\n%s\n' "$before" "$now"
test "$before" = "pytest 9.1.1: workers 1, ids with @one 8"
test "$now" = "pytest 9.2.0: workers 2, ids with @one 0"
