#!/usr/bin/env bash
# logfmt 0.4 of PyPI: a value in quotes with \n, \t or \\ in it is lost, and so is every field behind it.
#
# Loggers write a line break, a tab or a backslash so (Go's strconv.Quote, logfmter of Python). The parser remembers a
# backslash until the next quotation mark, wherever that is: the mark that ends the value counts as part of it, and the
# line ends within the value. Its key has the value True, as a key without a value would. Nothing is raised. A check that
# looks for level=error in such lines does not find those with a traceback.
#
# Seen: as below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check logfmt==0.4 logfmter==0.0.12 2> "$folder/pip.txt" \
    || { cat "$folder/pip.txt" >&2; exit 1; }
"$folder/venv/bin/python" - > "$folder/out.txt" <<'PY'
import io
import logging

import logfmt
import logfmter

for message in ("disk is full", 'disk "a" is full', "disk\nis full", "disk C:\\ is full"):
    record = logging.makeLogRecord({"msg": {"msg": message, "code": "E7"}, "levelname": "ERROR"})
    written = logfmter.Logfmter().format(record)
    print(written, *logfmt.parse(io.StringIO(written)))
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
at=ERROR msg="disk is full" code=E7 {'at': 'ERROR', 'msg': 'disk is full', 'code': 'E7'}
at=ERROR msg="disk \"a\" is full" code=E7 {'at': 'ERROR', 'msg': 'disk "a" is full', 'code': 'E7'}
at=ERROR msg="disk\nis full" code=E7 {'at': 'ERROR', 'msg': True}
at=ERROR msg="disk C:\\ is full" code=E7 {'at': 'ERROR', 'msg': True}
SEEN
