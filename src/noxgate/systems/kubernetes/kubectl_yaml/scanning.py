"""YAML's tokens as go-yaml v2 finds them, where PyYAML finds others: tabs, tags, escapes, colons."""

import re
from typing import Any, ClassVar

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import DirectiveToken, ScalarToken, TagToken, Token

_BREAKS = "\r\n\x85\u2028\u2029"
_ENDS = "\0 \t" + _BREAKS
_HANDLE = re.compile(r"![0-9A-Za-z_-]*!", re.ASCII)
_MOST = 100  # characters of a tag's handle that are looked at

DEEPEST = 1_000  # brackets within each other


class Events(Reader, Scanner, Parser):
    """The events of one document's text."""

    ESCAPE_REPLACEMENTS: ClassVar[dict[str, str]] = {  # type: ignore[misc]  # PyYAML looks it up here
        **{key: value for key, value in Scanner.ESCAPE_REPLACEMENTS.items() if key != "/"},
        "'": "'",
    }

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text.removeprefix("\ufeff"))
        Scanner.__init__(self)
        Parser.__init__(self)

    def fetch_flow_collection_start(self, token: type[Token]) -> None:
        """No deeper than what follows could go: PyYAML's time grows with the square of the depth."""
        if self.flow_level >= DEEPEST:
            raise RecursionError
        super().fetch_flow_collection_start(token)

    def scan_to_next_token(self) -> None:
        """Tabs may stand between tokens, but not where a key may begin."""
        while True:
            while self.peek() == " " or (
                self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)
            ):
                self.forward()
            if self.peek() == "#":
                self._to_end_of_line()
            if not self.scan_line_break():  # type: ignore[no-untyped-call]
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_directive(self) -> DirectiveToken:
        token = super().scan_directive()
        if token.name not in {"YAML", "TAG"}:
            said = f"expected one of the directives %YAML and %TAG, saw %{token.name}"
            raise ScannerError("while scanning a directive", None, said, token.start_mark)
        return token

    def scan_tag(self) -> TagToken:
        start = self.get_mark()
        handle: str | None = None
        if self.peek(1) == "<":
            self.forward(2)
            suffix = self.scan_tag_uri("tag", start)
            if self.peek() != ">":
                raise ScannerError("while scanning a tag", start, "expected '>'", self.get_mark())
            self.forward()
        elif found := _HANDLE.match(self.prefix(_MOST)):
            handle = found[0]
            self.forward(len(handle))
            suffix = self.scan_tag_uri("tag", start)
        elif self.peek(1) in _ENDS:
            suffix = "!"
            self.forward()
        else:
            handle = "!"
            self.forward()
            suffix = self.scan_tag_uri("tag", start)
        if self.peek() not in _ENDS:
            said = f"expected a space after the tag, saw {self.peek()!r}"
            raise ScannerError("while scanning a tag", start, said, self.get_mark())
        return TagToken((handle, suffix), start, self.get_mark())

    def scan_block_scalar_indicators(self, start_mark: Any) -> tuple[bool | None, int | None]:
        chomping: bool | None = None
        increment: int | None = None
        for _ in range(2):
            sign = self.peek()
            if chomping is None and sign in "+-":
                chomping = sign == "+"
            elif increment is None and sign in "0123456789":
                increment = int(sign)
                if increment == 0:
                    said = "expected an indentation from 1 to 9, saw 0"
                    raise ScannerError("while scanning a block scalar", start_mark, said, self.get_mark())
            else:
                break
            self.forward()
        return chomping, increment

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        while self.peek() in " \t":
            self.forward()
        if self.peek() == "#":
            self._to_end_of_line()
        if self.peek() not in "\0" + _BREAKS:
            said = f"expected a comment or a line break, saw {self.peek()!r}"
            raise ScannerError("while scanning a block scalar", start_mark, said, self.get_mark())
        self.scan_line_break()  # type: ignore[no-untyped-call]

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, Any]:
        found: tuple[list[str], int, Any] = super().scan_block_scalar_indentation()
        self._refuse_tab()
        return found

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], Any]:
        breaks, end = super().scan_block_scalar_breaks(indent)
        if self.column < indent:
            self._refuse_tab()
        return breaks, end

    def scan_flow_scalar(self, style: str) -> ScalarToken:
        token = super().scan_flow_scalar(style)
        if re.search("[\ud800-\udfff]", token.value):
            said = "expected an escape that is a character, saw half of one"
            raise ScannerError("while scanning a quoted scalar", token.start_mark, said, token.start_mark)
        return token

    def scan_plain(self) -> ScalarToken:
        """Text without quotes: in braces, too, a colon ends it only before a blank; tabs may be in it."""
        start = end = self.get_mark()
        indent = self.indent + 1
        text, gap = "", ""
        is_at_line = False
        while self.peek() != "#" and not self._is_at_marker():
            length = self._word()
            if length == 0:
                break
            text += gap + self.prefix(length)
            self.forward(length)
            end = self.get_mark()
            gap, is_at_line = self._gap(indent, start)
            if not gap and not is_at_line:
                break
            if not self.flow_level and self.column < indent:
                break
        self.allow_simple_key = is_at_line
        return ScalarToken(text, plain=True, start_mark=start, end_mark=end)

    def _word(self) -> int:
        length = 0
        while (sign := self.peek(length)) not in _ENDS:
            if sign == ":" and self.peek(length + 1) in _ENDS:
                break
            if self.flow_level and sign in ",?[]{}":
                break
            length += 1
        return length

    def _gap(self, indent: int, start: Any) -> tuple[str, bool]:
        """What stands for the blanks between two words, and whether a line ended there."""
        blanks = ""
        breaks: list[str] = []
        while (sign := self.peek()) in " \t" + _BREAKS:
            if sign in _BREAKS:
                breaks.append(self.scan_line_break())  # type: ignore[no-untyped-call]
                continue
            if breaks and sign == "\t" and self.column < indent:
                said = "expected spaces, saw a tab in the indentation"
                raise ScannerError("while scanning a plain scalar", start, said, self.get_mark())
            blanks += "" if breaks else sign
            self.forward()
        if not breaks:
            return blanks, False
        if breaks[0] == "\n":
            return "".join(breaks[1:]) or " ", True
        return "".join(breaks), True

    def _is_at_marker(self) -> bool:
        return self.column == 0 and self.prefix(3) in {"---", "..."} and self.peek(3) in _ENDS

    def _to_end_of_line(self) -> None:
        while self.peek() not in "\0" + _BREAKS:
            self.forward()

    def _refuse_tab(self) -> None:
        if self.peek() == "\t":
            said = "expected spaces, saw a tab in the indentation"
            raise ScannerError("while scanning a block scalar", None, said, self.get_mark())
