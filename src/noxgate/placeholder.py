"""Telling a template's filler from a real value."""

import re

_WORDS = (
    "change ?me|change ?this|replace ?me|replace ?this|fill ?me|fill in|fill me in|fix ?me|to ?do|tbd|tba|tbc"
    "|place ?holder|dummy|sample|example|none|null|undefined|nil|n a|x{3,}|secret|password|passwd|token"
    "|api ?key|test|foo|bar|foobar|default"
)
# What a template asks for: your-api-key, but not the-quick-brown-fox.
_NOUNS = (
    "key|secret|password|passwd|token|value|string|name|user|username|email|phone|number|id|url|uri|host"
    "|hostname|domain|company|org|organi[sz]ation|project|region|link|channel|database|db|account|address"
    "|version|date"
)
# Whole values only: a random token may well contain such a word.
_FILLER = re.compile(
    rf"(?:{_WORDS})(?: (?:{_WORDS}|{_NOUNS}|here|please|now|later|before|in|production|\d{{1,4}}))*\d{{0,4}}"
    rf"|(?:your|insert|enter|put|replace)(?: [a-z]+){{1,5}}(?: \d{{1,4}})?"
    rf"|your(?:{_NOUNS})(?: (?:com|net|org|example|here))?"
    rf"|(?:my|set|add|the|some|a|an)(?: (?:your|my|the|a|an|{_WORDS}|{_NOUNS})){{1,4}}(?: here)?"
    rf"|(?:(?:{_WORDS}|{_NOUNS}|[a-z]+) ){{1,4}}(?:goes here|placeholder|change ?me|replace ?me)"
    rf"|(?:(?:{_WORDS}|{_NOUNS}|your|my|the|goes) ){{1,4}}here",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\$\{[^{}]*\}|\{\{.*\}\}|\$\([^()]*\)|%[A-Z_]+%|__[A-Z_]+__")


def is_placeholder(text: str) -> bool:
    """Whether a value only stands in for one: changeme, your-api-key, [on-call name], ${TOKEN}."""
    plain = text.strip().strip("\"'").strip()
    if not plain:
        return False
    if _BRACKETS.fullmatch(plain) or set(plain) <= set(".*…-_?#"):
        return True
    words = re.sub(r"[\s_\-./!:]+", " ", plain).strip()
    return _FILLER.fullmatch(words) is not None
