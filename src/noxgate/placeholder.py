"""Telling a template's filler from a real value."""

import re

_WORDS = (
    "change me|changeme|replace me|replaceme|fill me|fill in|fixme|todo|tbd|tba|placeholder|dummy|sample"
    "|example|none|null|undefined|nil|n a|xxx+|secret|password|passwd|token|api key|apikey|test|foo|bar"
    "|foobar|default"
)
# Whole values only: a random token may well contain such a word.
_FILLER = re.compile(
    rf"(?:{_WORDS})(?: (?:{_WORDS}|here|please|now|value|string|key|\d+))*"
    r"|(?:your|my|insert|enter|put|set|replace|add|the|some)(?: [a-z0-9]+){1,5}"
    r"|(?:[a-z0-9]+ ){1,4}(?:here|placeholder|goes here|changeme|change me)",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\$\{[^{}]*\}|\{\{.*\}\}|\$\([^()]*\)|%[A-Z_]+%|__[A-Z_]+__")


def is_placeholder(text: str) -> bool:
    """Whether a value only stands in for one: changeme, your-api-key, [on-call name], ${TOKEN}."""
    plain = text.strip().strip("\"'")
    if not plain:
        return False
    if _BRACKETS.fullmatch(plain) or set(plain) <= set(".*…-_?#"):
        return True
    words = re.sub(r"[\s_\-./!:]+", " ", plain).strip()
    return _FILLER.fullmatch(words) is not None
