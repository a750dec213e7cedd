"""The words of the two text formats of /metrics, as the lexers of Prometheus 2.42 take them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from noxgate.errors import NoxgateError
from noxgate.look.observation import shortened

NAME = rb"[a-zA-Z_:][a-zA-Z_:0-9]*"
_LABEL = rb"[a-zA-Z_][a-zA-Z_0-9]*"

# By state: what may come next, what it is called, and the state after it. The longest wins, then the first.
Rules = Mapping[str, Sequence[tuple[re.Pattern[bytes], str, str]]]


def _rules(*rows: tuple[str, bytes, str, str]) -> Rules:
    compiled = [(state, (re.compile(pattern, re.DOTALL), *rest)) for state, pattern, *rest in rows]
    return {state: [rule for _, rule in each] for state, each in groupby(compiled, lambda row: row[0])}  # type: ignore[misc]


# No class takes a NUL, but a label's value and what is said of a metric do.
PLAIN = _rules(
    ("line", rb"\0", "end", "line"),
    ("line", rb"\n", "line feed", "line"),
    ("line", rb"[ \t]+", "blank", "line"),
    ("line", rb"#[ \t]+", "#", "remark"),
    ("line", rb"#", "comment", "line"),
    ("line", NAME, "name", "value"),
    ("remark", rb"HELP[ \t]+", "HELP", "of"),
    ("remark", rb"TYPE[ \t]+", "TYPE", "of"),
    ("of", rb"[ \t]+", "blank", "of"),
    ("of", NAME, "name", "text"),
    ("text", rb"[^\n]*", "text", "line"),
    ("value", rb"[ \t]+", "blank", "value"),
    ("value", rb"\{", "{", "labels"),
    ("value", rb"[^{ \t\n\0]+", "value", "time"),
    ("labels", rb"[ \t]+", "blank", "labels"),
    ("labels", _LABEL, "label name", "labels"),
    ("labels", rb"\}", "}", "value"),
    ("labels", rb"=", "=", "label"),
    ("labels", rb",", ",", "labels"),
    ("label", rb"[ \t]+", "blank", "label"),
    ("label", rb'"(?:\\[^\n]|[^\\"])*"', "label value", "labels"),
    ("time", rb"[ \t]+", "blank", "time"),
    ("time", rb"[0-9]+", "time", "time"),
    ("time", rb"\n", "line feed", "line"),
)
OPEN = _rules(
    ("line", rb"# ", "#", "remark"),
    ("line", NAME, "name", "value"),
    ("remark", rb"HELP ", "HELP", "of"),
    ("remark", rb"TYPE ", "TYPE", "of"),
    ("remark", rb"UNIT ", "UNIT", "of"),
    ("remark", rb"EOF\n?", "# EOF", "line"),
    ("of", NAME, "name", "text"),
    ("text", rb" [^\n]*\n", "text", "line"),
    ("value", rb"\{", "{", "labels"),
    ("value", rb" [^ \n\0]+", "value", "time"),
    ("labels", _LABEL, "label name", "labels"),
    ("labels", rb"\}", "}", "value"),
    ("labels", rb"=", "=", "label"),
    ("labels", rb",", ",", "labels"),
    ("label", rb'"(?:\\[^\n]|[^\\"\n])*"', "label value", "labels"),
    ("time", rb" [^ \n\0]+", "time", "time"),
    ("time", rb"\n", "line feed", "line"),
    ("time", rb" # \{", "exemplar", "exemplar"),
    ("exemplar", _LABEL, "label name", "exemplar"),
    ("exemplar", rb"\}", "}", "of exemplar"),
    ("exemplar", rb"=", "=", "of exemplar"),
    ("exemplar", rb",", ",", "exemplar"),
    ("of exemplar", rb'"(?:\\[^\n]|[^\\"\n])*"', "label value", "exemplar"),
    ("of exemplar", rb" [^ \n\0]+", "value", "time of exemplar"),
    ("time of exemplar", rb" [^ \n\0]+", "time", "time of exemplar"),
    ("time of exemplar", rb"\n", "line feed", "line"),
)


class LostError(NoxgateError, AssertionError):
    """Prometheus loses the whole scrape by what stands at a place."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at


@dataclass
class Words:
    """What stands there, word by word; `start` and `end` are those of the last one."""

    content: bytes
    rules: Rules
    state: str = "line"
    start: int = 0
    end: int = 0

    @property
    def seen(self) -> bytes:
        return self.content[self.start : self.end]

    def next(self) -> str:
        """The name of the next word; "end", or "something else" that no rule takes."""
        while True:
            self.start = self.end
            if self.start >= len(self.content):
                return "end"
            word, self.state, self.end = self._longest()
            if word == "comment" or (word == "something else" and self._is_remark()):
                return self._rest_of_comment()
            if word not in {"blank", "#"}:
                return word

    def expect(self, word: str, after: str) -> None:
        """Take this word. Raises LostError if another comes."""
        seen = self.next()
        if seen != word:
            raise LostError(self.start, f"expected {word} after {after}, saw {self.shown(seen)}")

    def shown(self, word: str) -> str:
        """A word as people read it."""
        if word == "end":
            return "the end"
        return repr(shortened(self.content[self.start : self.start + 40].decode("utf-8", "replace"), 40))

    def _longest(self) -> tuple[str, str, int]:
        found = ("something else", self.state, self.start)
        for pattern, word, state in self.rules[self.state]:
            match = pattern.match(self.content, self.start)
            if match and (match.end() > found[2] or (found[0] == "something else" and word == "text")):
                found = (word, state, match.end())
        return found

    def _is_remark(self) -> bool:
        """Whether a # began, of no kind that is known: in text/plain, a comment."""
        return self.state == "remark" and self.rules is PLAIN

    def _rest_of_comment(self) -> str:
        end = self.content.find(b"\n", self.start)
        nul = self.content.find(b"\0", self.start, end) if self.state == "line" else -1
        if nul >= 0:  # after a # without a blank, the text ends there for Prometheus
            self.end = len(self.content)
            return "end"
        self.end, self.state = end, "line"
        return "comment"
