#!/usr/bin/env bash
# crossplane 0.5.8 (nginx' own parser and writer for Python): an argument that begins with # is written without its quotes.
#
# build() quotes an argument that is empty or has blanks, braces, semicolons or quotes in it. A # is none of these, and inside
# a word nginx takes it for itself; at a word's start it begins a comment. So `return 302 "#/login";`, which nginx takes,
# comes back as `return 302 #/login;`: the rest of the line is gone, its semicolon too, and the next directive becomes an
# argument of this one. parse() reads what build() wrote without an error. Who edits an nginx file by parse and build changes
# lines that were not touched.
#
# Seen: 3 directives in, 2 out: `return` with the arguments 302, add_header, X-Color, red; no error from parse().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check crossplane==0.5.8 \
    2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
cd "$folder"
cat > before.conf <<'NGINX'
add_header X-Part "a#b";
return 302 "#/login";
add_header X-Color red;
NGINX
venv/bin/python > seen.txt <<'PY'
from pathlib import Path

import crossplane


def read(name):
    payload = crossplane.parse(name, check_ctx=False, check_args=False)
    return payload["status"], payload["config"][0]["parsed"]


status, before = read("before.conf")
Path("after.conf").write_text(crossplane.build(before))
print(status, [[each["directive"], *each["args"]] for each in before])
print(Path("after.conf").read_text())
status, after = read("after.conf")
print(status, [[each["directive"], *each["args"]] for each in after if each["directive"] != "#"])
PY
cat seen.txt
diff - seen.txt <<'SEEN'
ok [['add_header', 'X-Part', 'a#b'], ['return', '302', '#/login'], ['add_header', 'X-Color', 'red']]
add_header X-Part a#b;
return 302 #/login;
add_header X-Color red;
ok [['add_header', 'X-Part', 'a#b'], ['return', '302', 'add_header', 'X-Color', 'red']]
SEEN
