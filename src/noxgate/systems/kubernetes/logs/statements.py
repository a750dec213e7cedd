"""Statements of SQL that are logged over several lines: SQLAlchemy's echo breaks them before each clause."""

import re

_STATEMENT = re.compile(
    r"(?:^|[\s:|\])-])(?:SELECT|INSERT INTO|UPDATE \S+ SET|DELETE FROM|MERGE INTO|WITH (?:RECURSIVE )?\S+|"
    r"CREATE (?:TABLE|TYPE|VIEW|(?:UNIQUE )?INDEX)|ALTER (?:TABLE|TYPE)|DROP (?:TABLE|TYPE|INDEX))\b"
)
_OPEN = re.compile(r"\bsqlalchemy\.engine[\w.]*\]?\s*[:|-]?\s*$")  # its statement begins with an empty line
_CLAUSE = re.compile(
    r"(?:FROM|WHERE|AND|OR|ON|(?:ORDER|GROUP) BY|HAVING|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT|SET|VALUES|USING"
    r"|RETURNING|WINDOW|WHEN|THEN|ELSE|END|FOR (?:UPDATE|SHARE)"
    r"|(?:(?:LEFT|RIGHT|FULL|INNER|CROSS) )?(?:OUTER )?JOIN)\b|\)"
)


def begins(line: str) -> bool:
    """Whether a statement begins in a line of a logger, or right below it."""
    return _STATEMENT.search(line) is not None or _OPEN.search(line) is not None


def goes_on(line: str) -> bool:
    """Whether a line is a further part of a statement."""
    return _CLAUSE.match(line) is not None or _STATEMENT.match(line) is not None
