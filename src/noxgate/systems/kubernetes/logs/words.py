"""Lines without a level: a whole word of prose that means an error, outside of addresses and names."""

import re

# Not inside addresses, paths, queries, names with dots or hyphens: /docs/error-codes, nox.error, ?error=x.
_WORD = re.compile(
    r"(?<![\w./\\?&%$@#-])(?<!::)(?:error|critical|fatal|panic)(?![\w/\\]|-\w|\.\w|::|\(\))"
    r"|\b(?:unhandled|uncaught) (?:\w+ )?(?:exception|error|rejection)\b(?! handler)"
    r"|\bsegmentation fault\b|\bsegfault\b|\bcore dumped\b|\bout of memory\b|\bcannot allocate memory\b"
    r"|\bOOMKilled\b|\babnormal termination\b|Traceback \(most recent call last\)",
    re.IGNORECASE,
)
_ADDRESS = r"(?<!\S)(?:/|\S*?(?:://|\?\w++=))\S*+"
_BAD = r"(?:error|critical|fatal)"
# What names an error and says that it is absent: "0 errors" does not, by whole words.
_NONE = re.compile(
    rf"{_ADDRESS}"
    r"|\b(?:no|0|zero|without(?: any| an| a)?)\s+"
    rf"(?:(?:fatal|critical|serious|such|new|other|known|further|more|unexpected|single)\s+)?{_BAD}\b"
    rf"|\b{_BAD}(?:s|[ _]count|[ _]total)?[\"']?\s*[=:]\s*"
    r"(?:0|0\.0+|null|none|nil|<nil>|\"<nil>\"|false|\"\"|''|\[\]|\{\})(?![\w.])"
    r"|\berror (?:budget|rate|handler|log|page|bar|function|(?:handling )?middleware)s?\b"
    r"|\b\d+ error (?:codes|types|classes)\b"
    r"|\berror (?:reporting|tracking|monitoring)(?: is)?"
    r" (?:enabled|disabled|on|off|ready|active|configured|started|initiali[sz]ed)\b"
    r"|\b(?:margin of|trial and) error\b"
    # how far a number is from another
    r"|\berror\s*[=:]?\s*[+-]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[+-]?\d+)?(?!\w|\.\d)"
    r"|\b(?:standard|mean|absolute|squared?|relative|rms|rounding|truncation) error\b"
    r"|\bcritical (?:section|path|point|micelle)s?\b",
    re.IGNORECASE,
)
_LIKELY = re.compile(
    r"error|critical|fatal|panic|unhandled|uncaught|seg|core d|memory|abnormal|traceback", re.IGNORECASE
)


def name_an_error(text: str) -> bool:
    """Whether a text without a level reports an error, by its words."""
    return _LIKELY.search(text) is not None and _WORD.search(_NONE.sub(" ", text)) is not None
