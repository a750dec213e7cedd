"""A script for psql, cut into its statements where psql cuts it: at a `;` that is not inside of anything."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

# Strings before words: an E'…' begins with a letter. A word may hold a $, so that a$$b quotes nothing.
_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* )
    | (?P<block> /\* )
    | (?P<string> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' )
    | (?P<name> "(?:[^"]|"")*" )
    | (?P<dollar> \$(?:[^\W\d]\w*)?\$ )
    | (?P<join> \\; )
    | (?P<backslash> \\[^\n]* )
    | (?P<end> ; )
    | (?P<open> [(\[] )
    | (?P<close> [)\]] )
    | (?P<word> \w[\w$]* )
    | (?P<other> \s+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r'"([a-z_][a-z0-9_$]*)"')
_TAKES_DATA = re.compile(r"\\?copy\b.*\bfrom stdin\b")
_COPY_END = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)
_BEGIN = re.compile(r"(begin\b(?! atomic)|start transaction\b)")
_END = re.compile(
    r"((commit|end|rollback|abort)\b(?! prepared\b)(?!.* to )(?!.*\band chain\b)|prepare transaction\b)"
)


@dataclass(frozen=True)
class Statement:
    """One statement: from line `line` to `last_line` of its file, and from `start` to `stop` of its text.

    `words` are what decides about it: lower case, single spaces, no comments, and '' for each string, so that
    the body of a function is not taken for what is done now. `begun` is the line of the BEGIN that it is in.
    """

    line: int
    last_line: int
    start: int
    stop: int
    words: str
    begun: int | None = None
    joined: bool = False

    @property
    def begins(self) -> bool:
        return _BEGIN.match(self.words) is not None

    @property
    def ends(self) -> bool:
        """Whether it ends a transaction block, for good or not."""
        return _END.match(self.words) is not None


@dataclass(frozen=True)
class Command:
    """A command of psql itself: a backslash and a word, with its arguments."""

    line: int
    text: str


@dataclass(frozen=True)
class Script:
    """A whole script. `sql` is its text with what only psql understands blanked out, line for line."""

    text: str = field(repr=False)
    sql: str = field(repr=False)
    statements: tuple[Statement, ...]
    commands: tuple[Command, ...]

    def at(self, line: int) -> Statement | None:
        """The statement that this line belongs to."""
        for statement in self.statements:
            if statement.line <= line <= statement.last_line:
                return statement
        return None


def read_script(text: str) -> Script:
    """Cut a script into its statements and psql's own commands."""
    return _Reader(text).script()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._ends_of_lines = [match.start() for match in re.finditer("\n", text)]
        self._statements: list[Statement] = []
        self._commands: list[Command] = []
        self._blank: list[tuple[int, int]] = []
        self._begun: int | None = None
        self._joined: int | None = None  # the line of the first of those that are sent together
        self._forget()

    def script(self) -> Script:
        at = 0
        while at < len(self._text):
            token = _TOKEN.match(self._text, at)
            assert token is not None
            at = self._take(str(token.lastgroup), token)
        self._finish(at)
        return Script(self._text, self._without_blanks(), tuple(self._statements), tuple(self._commands))

    def _without_blanks(self) -> str:
        parts: list[str] = []
        kept = 0
        for start, stop in self._blank:
            parts += self._text[kept:start], re.sub(r"[^\n]", " ", self._text[start:stop])
            kept = stop
        return "".join([*parts, self._text[kept:]])

    def _forget(self) -> None:
        self._start: int | None = None
        self._words: list[str] = []
        self._depth = 0  # of brackets
        self._body = 0  # of BEGIN ATOMIC … END

    def _take(self, kind: str, token: re.Match[str]) -> int:
        """Take one token; where the next one starts."""
        at, stop, text = token.start(), token.end(), token.group()
        if kind == "join":
            return self._finish(stop, joins=True)
        if kind == "backslash":
            return self._take_command(at, stop, text)
        if kind in {"comment", "block"}:
            self._words.append(" ")
            return stop if kind == "comment" else self._end_of_comment(stop)
        if kind == "end" and self._depth == 0 and self._body == 0:
            return self._finish(stop)
        if self._start is None and not text.isspace():
            self._start = at
        if kind == "dollar":
            closing = self._text.find(text, stop)
            stop = len(self._text) if closing < 0 else closing + len(text)
        if kind == "open":
            self._depth += 1
        elif kind == "close":
            self._depth = max(0, self._depth - 1)
        elif kind == "word":
            self._count_body(text.lower())
        self._words.append(_said(kind, text))
        return stop

    def _take_command(self, at: int, stop: int, text: str) -> int:
        self._blank.append((at, stop))
        self._commands.append(Command(self._line(at), text.strip()))
        if text.startswith(("\\g", "\\crosstabview", "\\watch")):  # they send what stands before them
            self._finish(at)
        return self._skip_data(stop) if _TAKES_DATA.match(text.lower()) else stop

    def _count_body(self, word: str) -> None:
        if word == "atomic" and "".join(self._words).rstrip().endswith("begin"):
            self._body = 1
        elif self._body and word == "case":
            self._body += 1
        elif self._body and word == "end":
            self._body -= 1

    def _end_of_comment(self, at: int) -> int:
        """Comments nest."""
        depth = 1
        for token in re.compile(r"/\*|\*/").finditer(self._text, at):
            depth += 1 if token.group() == "/*" else -1
            if depth == 0:
                return token.end()
        return len(self._text)

    def _finish(self, stop: int, *, joins: bool = False) -> int:
        """End the statement that was begun; where to go on: after its data, if it is a COPY FROM STDIN."""
        start, words = self._start, " ".join("".join(self._words).split())
        self._forget()
        if start is None:
            return stop
        line, is_joined = self._line(start), joins or self._joined is not None
        if is_joined and self._joined is None:
            self._joined = line
        begun = self._joined if self._begun is None else self._begun
        statement = Statement(line, self._line(max(start, stop - 1)), start, stop, words, begun, is_joined)
        if not joins:
            self._joined = None
        self._statements.append(statement)
        if statement.ends:
            self._begun = None
        elif statement.begins and self._begun is None:
            self._begun = statement.line
        if _TAKES_DATA.match(words):
            return self._skip_data(stop)
        return stop

    def _skip_data(self, stop: int) -> int:
        """The lines that follow, up to one that is a backslash and a dot."""
        newline = self._text.find("\n", stop)
        if newline < 0:
            return stop
        end = _COPY_END.search(self._text, newline)
        after = end.end() if end else len(self._text)
        self._blank.append((newline + 1, after))
        return after

    def _line(self, at: int) -> int:
        return bisect_right(self._ends_of_lines, at - 1) + 1


def _said(kind: str, text: str) -> str:
    if kind in {"string", "dollar"}:
        return "''"
    if kind == "word":
        return text.lower()
    plain = _PLAIN_NAME.fullmatch(text) if kind == "name" else None
    return plain[1] if plain else text
