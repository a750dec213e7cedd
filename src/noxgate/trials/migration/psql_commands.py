r"""psql's own commands, of which a script may have many: those that stay on the scratch server are run.

Others read or write files, run programs, ask whoever sits there, or connect elsewhere: what such a script
does cannot be tried here. A second backslash in a line begins a second command: `\echo done \! program`.
"""

import re

_STAYS = re.compile(
    r"""\\(?:
      d[A-Za-z]*\+? | z\S* | l\+? | list\+? | s[fv]\+? | dconfig\+? | conninfo | lo_list\+? | lo_unlink
    | set | unset | if | elif | else | endif | pset | timing | encoding | x | t | a | f | H | C | T | p
    | r | reset | echo | qecho | warn | restrict | unrestrict | errverbose | copyright | h | help | \?
    | gset | gexec | gdesc | crosstabview | (?:gx?)(?=\s*(?:\([^()]*\))?\s*\Z)
    )(?![\w+])""",
    re.VERBOSE,
)
# Quoted, a backslash and a backtick are text.
_PIECE = re.compile(r"""\\.[^\s'"`\\]*(?:[^'"`\\]|'(?:[^'\\]|\\.|'')*'|"[^"`]*")*""", re.DOTALL)
# Words as `Statement.words` has them: '' is a file's name, or a program's.
_COPIES_INSIDE = re.compile(
    r"""
    \\?copy\ (?:binary\ )?(?:\(.*\)|[^\ (]+(?:\ ?\([^()]*\))?)\ (?:from|to)
    \ (?:stdin|stdout)(?=[\ ;]|\Z)""",
    re.VERBOSE,
)


def stays_inside(text: str) -> bool:
    r"""Whether a line of psql's commands stays on the server that psql is connected to. `\copy` is apart."""
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None or not _STAYS.match(piece.group()):
            return False
        at = piece.end()
    return True


def copies_inside(words: str) -> bool:
    r"""Whether a `\copy`, or a COPY, is from or to psql itself."""
    return _COPIES_INSIDE.match(words) is not None
