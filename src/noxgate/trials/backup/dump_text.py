"""Where a line of a dump ends: in plain SQL, or inside a string, a quoted name, a body or a comment."""

import re

_OPENS = re.compile(
    rb"--|/\*|(?P<escaped>(?<![\w$])[eE]')|'|\"|(?P<body>(?<![\w$\x80-\xff])\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$)"
)
# After what each of them ends; a doubled quote ends it and begins another, which comes to the same.
_ENDS = {
    b"'": re.compile(rb"'"),
    b'"': re.compile(rb'"'),
    b"e'": re.compile(rb"(?:[^'\\]|\\.)*?'", re.DOTALL),
    b"/*": re.compile(rb"\*/"),
}


def after(line: bytes, within: bytes | None) -> bytes | None:
    """Within what the next line begins, None being plain SQL; `within` is that of this line."""
    place = 0
    while True:
        if within is None:
            opens = _OPENS.search(line, place)
            if opens is None or opens[0] == b"--":
                return None
            within = b"e'" if opens["escaped"] else opens[0]
            place = opens.end()
        ends = _ENDS.get(within)
        if ends is None:
            found = line.find(within, place)
            stop = -1 if found < 0 else found + len(within)
        else:
            match = ends.match(line, place) if within == b"e'" else ends.search(line, place)
            stop = -1 if match is None else match.end()
        if stop < 0:
            return within
        place, within = stop, None
