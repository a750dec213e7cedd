"""The level that a line of plain text says: in a form of its own, at its head, or as a key with a value."""

import re
from collections.abc import Callable, Iterator

from noxgate.systems.kubernetes.logs import levels
from noxgate.systems.kubernetes.logs.levels import LETTERS, WEAK, WEIGHTS, Weight

# With the escape as it is, as others write it out, or lost on the way.
COLOUR = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z])"
    r"|(?:#033|\^\[|\\x1b|\\u001b|\\033)\[[\d;]*m|\[(?:\d{1,3};)*\d{1,3}m(?!\])"
)
MOMENT = re.compile(
    r"[\[(<]?(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/.](?:\d\d|[A-Z][a-z]{2})[-/.]\d{2,4}|\d\d:\d\d:\d\d"
    r"|\d{10,}[. ]|(?:[A-Z][a-z]{2},? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d[ ,])"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Not words of a message, though they are letters alone: what a moment is written with.
_OF_A_MOMENT = _words(
    "Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    " UTC GMT CET CEST EST EDT PST PDT AM PM am pm stdout stderr"
)
_HEAD = 240  # characters at whose head a level is looked for
_LEAST_OF_A_MOMENT = 6  # digits
_HIGHEST = 191  # of 24 facilities with 8 severities
_WORDS = 2  # such as a host's and a program's name: behind more of them it is the message that speaks
_KEYS = _words(
    "level lvl loglevel log_level log.level levelname level_name @level"
    " severity severity_text severitytext sev"
)
_OF_A_SETTING = _words("loglevel log_level")  # beside another of them
_PAIR = re.compile(r'(?:^|(?<=[\s,;{(|]))([\w.@-]+)=("(?:[^"\\]|\\.)*"|\'[^\']*\'|[^\s,;})|]*)')
_FIELD = re.compile(r'[{,]\s*["\']([\w.@-]+)["\']\s*:\s*("(?:[^"\\]|\\.)*"|\'[^\']*\'|[\w.]+)')
_WORDED = re.compile(r"(?:^|[\s,;(])(?:log ?)?(?:level|lvl|severity)\s*:\s*\"?([A-Za-z]+)\b", re.IGNORECASE)
_TOKEN = re.compile(
    r"\[(?P<square>[^\[\]]*)\]|<(?P<angle>[^<>]*)>|\((?P<round>[^()]*)\)|\|\s*(?P<piped>[A-Za-z]+)\s*(?=\|)"
    r"|(?P<quote>[\"'])|(?P<word>[^\s\[\]<>()|\"']+)|."
)
_UPPER = re.compile(r"(?:^|(?<=[:;,.]))([A-Z]{3,11}\d?)(?=$|[:;/,!-]|\+\d)")
_COLON = re.compile(r"\s*:(?=\s|$)|\s+-\s")
_NOTHING = re.compile(r"\w+:\s*(?:0|null|none|nil|<nil>|false)\b(?!\.)", re.IGNORECASE)  # error: null


def _letter(found: re.Match[str]) -> Weight | None:
    return LETTERS.get(found[1])


def _priority(found: re.Match[str]) -> Weight | None:
    """RFC 5424, and what systemd reads: the facility times eight, and the severity."""
    number = int(found[1])
    return levels.of_syslog(number % 8) if number <= _HIGHEST else None


def _warning(_: re.Match[str]) -> Weight | None:
    return Weight.WARNING


def _less(_: re.Match[str]) -> Weight | None:
    return Weight.LESS


def _name(found: re.Match[str]) -> Weight | None:
    return levels.of_name(found[1])


_FORMS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Weight | None]]] = [
    # glog, klog, Abseil; also behind what a collector has put before it
    (re.compile(r"([IWEF])(?:\d{4}|\d{8}) \d\d:\d\d:\d\d"), _letter),
    (re.compile(r".{0,120}?\s([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+:\d+\] "), _letter),
    (re.compile(r"([DIWEFAU]), \[\d{4}-"), _letter),  # Ruby
    (re.compile(r"\[([DIWEC]) \d"), _letter),  # Tornado
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ([CEWNIDT]) \| "), _letter),  # etcd
    (re.compile(r"\d{4}-\d\d-\d\dT\S+ ([FEWID])\d? +[A-Z][A-Z_]+ +\["), _letter),  # MongoDB before 4.4
    (re.compile(r"\[\S+ \S+ \w+\] [0-9a-f]{8} \S+ +([FEWAI]) "), _letter),  # WebSphere, Liberty
    (re.compile(r"<(\d{1,3})>"), _priority),
    (re.compile(r"(TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[\d+\]"), _name),  # logrus on a terminal
    (re.compile(r"(?:\S+:\d+: |\(node:\d+\) (?:\[\w+\] )?|PHP )(?!Unhandled)\w*Warning: "), _warning),
    (re.compile(r"\d+:[XCSM] \d\d \w{3} \d{4} [\d:.]+ ([.*-]) "), _less),  # Redis; its # may be anything
    (re.compile(r"\[\d{4}-[^\]]+\] [^\s/]+/([A-Z]+)/\S+: "), _name),  # Locust
    # PostgreSQL's csvlog: the severity, and its code
    (re.compile(r'\d{4}-\d\d-\d\d [\d:.]+ \w+,(?:"[^"]*"|[^"])*?,([A-Z]+\d?),[0-9A-Z]{5},'), _name),
    (re.compile(r"\d{4}-\d\d-\d\dT\S+ ([EWID])! "), _letter),  # Telegraf
    (re.compile(r"npm (ERR!|\w+)(?= )", re.IGNORECASE), _name),
]


def bare(line: str) -> str:
    """The line without colours and other orders to a terminal, and without a mark of its byte order."""
    line = line.removeprefix("\ufeff")
    return COLOUR.sub("", line) if "\x1b" in line or ("m" in line and "[" in line) else line


def own_level(line: str) -> Weight | None:
    """What the level weighs that a line says of itself; None if it says none. Without colours."""
    for form, weight_of in _FORMS:
        if (found := form.match(line)) is not None and (weight := weight_of(found)) is not None:
            return weight
    return _at_the_head(line) or _as_a_field(line) or _as_a_pair(line) or _as_a_word(line)


def is_block(line: str) -> bool:
    """Whether all that is indented below a line is its message: .NET's console writes it so."""
    return _BLOCK.fullmatch(line) is not None


def opens_an_object(line: str) -> bool:
    """Whether a key of a message begins here, over several lines: pino-pretty's `err: {`."""
    return _OBJECT.fullmatch(line) is not None


_OBJECT = re.compile(r"\s+\"?[\w.-]+\"?: [{\[]\s*")
_BLOCK = re.compile(r"(?:trce|dbug|info|warn|fail|crit): \S+\[-?\d+\]\s*")


def _at_the_head(line: str) -> Weight | None:
    words, before = 0, ""
    for token in _TOKEN.finditer(line, 0, _HEAD):
        if token["quote"] or "=" in (token["word"] or "") or words > _WORDS:
            return None
        if token[0].isspace():
            continue
        weight = _of_token(line, token, words=words, before=before)
        if weight is not None:
            return weight
        name = (token["word"] or "").rstrip(":,")
        words += len(name) > 1 and name.isalpha() and name not in _OF_A_MOMENT
        before = token[0]
    return None


def _of_token(line: str, token: re.Match[str], *, words: int, before: str) -> Weight | None:
    if token["word"]:
        return (
            None if _NOTHING.match(line, token.start()) else _of_word(line, token, words=words, before=before)
        )
    if inside := token["square"] or token["angle"] or token["round"]:
        return _in_brackets(inside)
    return levels.of_name(token["piped"]) if token["piped"] else None


def _in_brackets(inside: str) -> Weight | None:
    """[error], [core:error], [ERROR/MainProcess], [2026-11-24T22:00:01Z ERROR nox]."""
    name = inside.strip()
    if len(name) == 1:
        return LETTERS.get(name)
    if " " in name:
        if not name[0].isdigit():
            return None
        found = (_UPPER.match(word) for word in name.split())
        return next((w for each in found if each and (w := WEIGHTS.get(each[1].lower())) is not None), None)
    return levels.of_name(name.rpartition(":")[2].partition("/")[0])


def _of_word(line: str, token: re.Match[str], *, words: int, before: str) -> Weight | None:
    """A level in capitals; or in any letters right behind a moment, or before a colon."""
    text = token["word"]
    is_count = before.isdecimal() and len(before) < _LEAST_OF_A_MOMENT  # 12 error codes
    is_behind_a_moment = (
        words == 0 and before[-1:].isalnum() and any(each.isdigit() for each in before) and not is_count
    )
    if (upper := _UPPER.search(text)) is not None:
        name = upper[1].lower()
        is_named = text[upper.end() : upper.end() + 1] == ":" or (words == 0 and before != "")
        return WEIGHTS.get(name) if is_named or name not in WEAK else None
    name = text.rstrip(":").lower()
    is_before_a_colon = _COLON.match(line, token.end() - text.endswith(":")) is not None
    is_head = is_before_a_colon and (words == 0 or before.endswith(":"))
    if is_head or is_behind_a_moment:
        return WEIGHTS.get(name) if name not in WEAK or (name == "fail" and is_before_a_colon) else None
    return None


def _as_a_field(line: str) -> Weight | None:
    """Zap's console and its like: between tabs, in small letters, too."""
    if "\t" not in line:
        return None
    fields = (field.strip() for field in line.split("\t", 4)[:4])
    return next((w for field in fields if field.isalpha() and (w := levels.of_name(field)) is not None), None)


def _as_a_pair(line: str) -> Weight | None:
    """logfmt's, and what is left of a JSON document that was cut off: its begin, or its end."""
    if "=" not in line and not _is_of_a_document(line):
        return None
    pairs = [(key, value) for key, value in _pairs(line) if key in _KEYS]
    pairs.sort(key=lambda pair: pair[0] in _OF_A_SETTING)
    found = (_value(value) for _, value in pairs)
    return next((weight for weight in found if weight is not None), None)


def _as_a_word(line: str) -> Weight | None:
    found = _WORDED.search(line, 0, _HEAD)
    return levels.of_name(found[1]) if found else None


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    for found in (_FIELD if _is_of_a_document(line) else _PAIR).finditer(line):
        yield found[1].lower(), found[2].strip("\"'")


def _is_of_a_document(line: str) -> bool:
    """Whether a document begins here, or ends that began before what can be read."""
    text = line.strip()
    return text.startswith("{") or (text.endswith("}") and text.count("}") > text.count("{"))


def _value(value: str) -> Weight | None:
    return levels.of_number("level", float(value), {}) if value.isdecimal() else levels.of_name(value)
