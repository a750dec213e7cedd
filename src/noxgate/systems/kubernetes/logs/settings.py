"""What a line says of the level from which on a service logs: a setting of it, and not the line's level."""

import re

# Log level: ERROR, --log-level error. Before another name with a value it is the line's.
_IN_WORDS = re.compile(
    r"(?:(?<![A-Za-z])log(?:ging)? level(?: is| set)?(?: to|:|=| is) ?|--log-level[ =])[\"']?"
    r"(?:error|critical|fatal|panic)\b[\"']?(?!\s*[:\]|]|\s+\w+\s?[:=])",
    re.IGNORECASE,
)
# LOG_LEVEL=ERROR, 'log_level': 'error', logging.level.root=ERROR; log.level is ECS' own
_NAMED = re.compile(
    r"(?<![\w.-])(?P<name>[\"']?(?!log\.level\b)(?:[\w.-]*[._-])?"
    r"(?:log(?:ging|ger)?[._-]?level(?:\.[\w.]+)?|rust_log|verbosity)[\"']?)"
    r"\s*[=:]\s*[\"']?(?:error|critical|fatal|panic)\b[\"']?",
    re.IGNORECASE,
)
_MESSAGE = re.compile(
    r"[\"']?\b(?:msg|\w{0,30}message|event|err|error|exception)[\"']?\s*[=:]", re.IGNORECASE
)
_OTHERS = re.compile(
    r"(?<![\w.-])[\w.-]+=(?:\"[^\"]*\"|'[^']*'|[^\s,;(){}]*)"
    r"|([\"'])[\w. -]+\1\s*:\s*(?:\"[^\"]*\"|'[^']*'|[^\s,;{}]+)"
)
_AROUND = 1000  # characters that are looked at to each side
_PROSE = re.compile(r"[A-Za-z]{2,}")
_BEFORE = re.compile(  # what is said of settings
    r"(?:with|set|setting|using|export|default|(?:settings|config\w*|options|env\w*|arg\w*)\W*)\s+$",
    re.IGNORECASE,
)


def without_settings(line: str) -> str:
    """The line without what it says of the level from which on a service logs."""
    lower = line.lower()
    if "level" in lower or "rust_log" in lower or "verbosity" in lower:
        line = _IN_WORDS.sub("", line)
        line = _NAMED.sub(lambda found: found[0] if _is_the_lines(found) else "", line)
    return line


def _is_the_lines(found: re.Match[str]) -> bool:
    """Whether it is how grave the line is: a message stands beside it, or words do behind it."""
    start, end = found.span()
    before, behind = found.string[max(0, start - _AROUND) : start], found.string[end : end + _AROUND]
    if _MESSAGE.search(before) or _MESSAGE.search(behind):
        return True
    is_told = _BEFORE.search(before) is not None or (found["name"].isupper() and _PROSE.search(before))
    return not is_told and _PROSE.search(_OTHERS.sub("", behind)) is not None
