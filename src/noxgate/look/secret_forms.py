"""What a secret of unknown value looks like: one table, for everything that is kept.

A form hides its group `value` (`quoted` or `bare`), or all of it, so that a reader still sees whose password
it was. Texts come quoted in JSON, in HTML and in URLs, and they come cut: no form asks for a secret's end.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from noxgate.look.secret_names import (
    BROKEN,
    IS,
    MORE,
    NAME,
    NAMES,
    QUOTE,
    SPACE,
    START,
    VALUE,
    is_filled,
    is_harmless,
    is_random,
    is_word,
)
from noxgate.look.secret_search import REDACTED, Form, Hides, Span, hidden, hints, lowered, unless, whole
from noxgate.look.secret_tokens import TOKENS
from noxgate.look.written.errors import A_NAME, ERRORS

_SPACE = rf"(?:{SPACE}|%20|\+)++"
_TAB = r"(?:\t|\\+t)"
_COOKIE = r"[\w.!#$%^|~-]+=\"?(?P<value>[^;\s\"',\\<>&]+)"
_MORE_COOKIES = r"(?:;\s*[\w-]+(?:=[^;\s\"'<>\\&]*)?)*"
_PAIR = re.compile(
    r"(?<![\w-])(?!(?:path|domain|expires|max-age|samesite|priority|version)=)" + _COOKIE, re.IGNORECASE
)
_PARAMETERS = (
    "code sig signature token key auth ticket jwt otp pin hmac assertion client_assertion device_code sid"
    " samlresponse session_state x-amz-signature x-amz-credential x-amz-security-token x-goog-signature"
    " x-goog-credential"
)


def _named(match: re.Match[str]) -> Iterator[Span]:
    before = re.search(r"/?[\w.-]*$", match.string[max(0, match.start() - 40) : match.start()])
    name = (before[0] if before else "") + match["name"]
    start, end = hidden(match)
    if not is_harmless(name, match["said"], match.string[start:end], match.string[end : end + 1]):
        yield start, end


def _cookies(match: re.Match[str]) -> Iterator[Span]:
    for pair in _PAIR.finditer(match.string, match.start("pairs"), match.end("pairs")):
        if not is_filled(pair["value"]):
            yield pair.span("value")


def _is_word_or_short(value: str) -> bool:
    return is_word(value) or not is_random(value, 8)


def _is_part(value: str) -> bool:
    """Digests are hexadecimal, and the keys of caches and of objects are words."""
    return (
        not is_random(value, 20)
        or re.fullmatch(r"[0-9a-f:-]+|[a-z0-9]+(?:[-_.:/][a-z0-9]+)*", value) is not None
    )


def _is_empty(value: str) -> bool:
    """`-----BEGIN PRIVATE KEY-----` in a sentence is not followed by a key."""
    return re.search(r"[A-Za-z0-9+/=]{16}", value[:200]) is None


def _form(name: str, near: str | Mapping[str, int], pattern: str, hides: Hides = whole) -> Form:
    return Form(name, hints(near) if isinstance(near, str) else near, pattern, hides)


_GAP = rf"(?:{SPACE}|{QUOTE}|%20|\+)"
_KEY_BLOCK = (
    rf"-----BEGIN(?:(?!PRIVATE)[A-Z0-9]|{_GAP}){{0,200}}+PRIVATE{_GAP}++KEY(?:{_GAP}++BLOCK)?-----"
    r"(?P<value>(?s:.*?))(?=-----END|\Z)"
)

FORMS: tuple[Form, ...] = (
    _form("a private key", "-----begin", _KEY_BLOCK, unless(_is_empty)),
    _form("a private key", "private-lines", r"Private-Lines: \d+(?P<value>(?s:.+?))(?=Private-MAC|\Z)"),
    *TOKENS,
    # ------------------------------------------------ in a URL
    _form(
        "a password in a URL",
        hints("://", 1),
        r"\w://[^/\s:@\[\"'<>]{0,200}:(?!\d{1,5}[/?#,\s])(?P<value>[^\s\"'<>@]{1,400}(?:@[^\s\"'<>@/]{0,99}){0,9}?)@(?![^\s\"'<>@/,]{0,99}@)",
        unless(is_filled),
    ),
    _form(
        "a password in a URL",
        "redis",
        rf"{START}rediss?://(?P<value>[^/\s:@\"'<>]{{1,400}})@",
        unless(is_filled),
    ),
    _form(
        "a token in a URL",
        hints("://", 1),
        r"\w://(?P<value>[^/\s:@\"'<>]{20,400})(?::[^@\s/]{0,400})?@",
        unless(is_word),
    ),
    _form(  # cut before its end
        "a password in a URL",
        hints("://", 1),
        r"\w(?<!http)(?<!https)://[\w.+-]*:(?!\d{1,5}(?:\D|$))(?P<value>[^@\s\"'/?,;<>&\\]{3,})(?=[…\s\"'<&,;\\]|$)",
        unless(is_word),
    ),
    _form("a password for Oracle", "thin:", rf"{START}thin:[^/\s@]+/(?P<value>[^@\s]+)@"),
    _form(
        "a value in a query",
        hints(_PARAMETERS.replace(" ", "= ") + "= " + _PARAMETERS.replace(" ", "%3d ") + "%3d", 30),
        rf"(?:[?&;]|\\u0026|%3F|%26)(?:{_PARAMETERS.replace(' ', '|')})(?:=|%3D)"
        r"(?P<value>(?:(?!%2[026C])[^\s\"'&;<>\\#])+)",
        unless(is_word),
    ),
    # ------------------------------------------------ in a header
    _form(
        "an Authorization header",
        "authorization",
        rf"authorization(?:{QUOTE}|\))*\s*(?:[:=,]|%3A)\s*(?:b?{QUOTE})?"
        rf"(?:(?:bearer|basic|token|negotiate|api-?key|ntlm|key|hawk|bot|oauth){_SPACE})?"
        r"(?!(?:bearer|basic|token|digest|aws4)\b)(?P<value>[^\s\"'\\&<>,;]+)",
        unless(is_filled),
    ),
    _form("a Bearer token", "bearer", rf"{START}bearer{_SPACE}(?P<value>[\w.~+/=-]+)", unless(is_word)),
    _form(
        "a password of HTTP Basic",
        "basic",
        rf"{START}basic{_SPACE}(?P<value>[\w+/-]{{6,}}=*)",
        unless(is_word),
    ),
    _form("a signature", "signature", rf"{START}signature=(?:{QUOTE})?(?P<value>[0-9a-f]{{32,}})"),
    _form("an answer to a challenge", "response=", rf"{START}response=(?:{QUOTE})?(?P<value>[0-9a-f]{{32}})"),
    _form(
        "a cookie",
        "cookie",
        rf"cookie(?:{QUOTE}|\))*\s*(?:[:=,]|%3A)\s*\[?(?:b?{QUOTE})?(?P<pairs>{_COOKIE}{_MORE_COOKIES})",
        _cookies,
    ),
    _form("a cookie", hints("cookie", 10), rf"(?:<|&(?:amp;)*lt;)Cookie (?P<pairs>{_COOKIE})", _cookies),
    _form(
        "a cookie",
        hints("-b --cookie", 1),
        rf"\s(?:-b|--cookie)\s+{QUOTE}?(?P<pairs>{_COOKIE}{_MORE_COOKIES})",
        _cookies,
    ),
    _form(
        "a cookie",
        hints("true false", 3),
        rf"{_TAB}(?:TRUE|FALSE){_TAB}\d+{_TAB}[^\s\\]+{_TAB}{BROKEN}(?P<value>[^\s\"'\\]+)",
    ),
    # ------------------------------------------------ beside a name
    _form(A_NAME, NAMES, rf"(?P<name>{NAME})(?P<said>{IS}){VALUE}", _named),
    _form(  # "name": "DB_PASSWORD", "value": "…", and <add key="ApiKey" value="…"/>
        A_NAME,
        NAMES,
        rf"(?P<name>{NAME})(?P<said>(?:{QUOTE}|{SPACE}|[,+])++value{IS}){VALUE}",
        _named,
    ),
    _form(  # ("x-api-key", "…")
        A_NAME,
        NAMES,
        rf"{NAME}{QUOTE},\s*b?(?P<q>{QUOTE})(?P<value>(?:(?!(?P=q)).)+)(?P=q)\s*\)",
        unless(is_word),
    ),
    _form(
        A_NAME, "--", rf"(?<![\w-])--(?!no-)[\w-]{{0,40}}?(?P<name>{NAME})(?P<said>\s+)(?!-){VALUE}", _named
    ),
    _form(
        A_NAME,
        NAMES,
        rf"{NAME} (?:is|was)(?: now| set to| changed to)?:? {VALUE}",
        unless(_is_word_or_short),
    ),
    _form("a registry's login", "auth", rf"(?<![\w-])auth{QUOTE}{IS}{VALUE}", unless(_is_part)),
    _form("a key", "key", rf"(?<![\w-])key{IS}{VALUE}", unless(_is_part)),
    # ------------------------------------------------ in commands and settings
    _form(
        "an OTLP header",
        "otlp_",
        rf"otlp_(?:[a-z]+_)?headers(?:{QUOTE})?[=:] ?(?:{QUOTE})?(?P<value>[^\s\"'\\&<]+)",
    ),
    _form(  # PagerDuty's; a message queue's are words
        "a key",
        "routing integration",
        rf"(?:routing|integration)_?key{IS}(?:{QUOTE})?(?P<value>[0-9a-f]{{32}})\b",
    ),
    _form(  # Fluent Bit's settings have no sign between name and value
        "a password",
        hints("_passwd", 1),
        rf"\w_passwd{SPACE}+(?:{QUOTE})?(?P<value>[^\s\"'\\&<]+)",
        unless(is_word),
    ),
    _form(
        "a secret of AWS",
        "secret",
        rf"{START}secret (?P<value>[a-z0-9/+]{{40}})(?![\w/+=])",
        unless(_is_part),
    ),
    _form(
        "a password in SQL",
        "password identified",
        rf"{START}(?:password|identified by(?: password)?)\s+(?P<q>{QUOTE})(?P<value>(?:(?!(?P=q)).)+)",
        unless(is_filled),
    ),
    _form("a password in .netrc", "login", rf"{START}login\s+\S+\s+password\s+(?P<value>[^\s\"'\\&<]+)"),
    _form(
        "a password in .pgpass",
        ":5432: :6432: :5433: :*:",
        r"(?<=[\w*-]):(?:5432|5433|6432|\*):[\w.*-]+:[\w.*-]+:(?P<value>[^\s\"'\\]+)",
        unless(is_filled),
    ),
    _form(
        "a password of Redis",
        hints("requirepass masterauth auth", 12),
        rf"(?:{START}(?:requirepass|masterauth)\s+|{QUOTE}AUTH{QUOTE}\s+(?![}}\]),]))"
        rf"(?:{QUOTE})?(?P<value>[^\s\"'\\&<]+)",
        unless(is_filled),
    ),
    _form(
        "a password of Redis",
        "auth",
        rf"{START}AUTH(?: default)? (?P<value>[^\s\"'\\&<]{{16,}})",
        unless(_is_part),
    ),
    _form(
        "a password of Redis", "setuser", rf"{START}setuser\b[^\n]{{0,200}}?\s{MORE}(?P<value>[^\s\"'\\&<]+)"
    ),
    _form(
        "a password of Redis",
        "user",
        rf"{START}user \S+ (?:on|off) (?:\S+ ){{0,6}}?{MORE}(?P<value>[^\s\"'\\&<]+)",
    ),
    _form(
        "a password in a command",
        "redis-cli sshpass mysql ldap",
        rf"{START}(?:redis-cli\b[^\n|;]{{0,200}}?\s-a|sshpass\s+-p|mysql\w*\b[^\n|;]{{0,200}}?\s-p|ldap[a-z]+\b[^\n|;]{{0,200}}?\s-w)\s*"
        rf"(?:{QUOTE})?(?P<value>[^\s\"'\\&<]+)",
        unless(is_filled),
    ),
    _form(
        "a password in a command",
        hints("-u --user --proxy-user", 1),
        rf"\s(?:-u|--user|--proxy-user)[\s=]*(?:{QUOTE})?[\w.@+-]+:(?!\d+\b)(?P<value>[^\s\"'\\$]+)",
        unless(is_filled),
    ),
    *ERRORS,
)
_HINTS = frozenset(hint for form in FORMS for hint in form.hints)
_ADDRESS = re.compile(r"(?<![\w.+:/@-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w-]|:[\w/])")


def form_in(text: str) -> str | None:
    """The name of a form that shows in this text, or None."""
    lower = lowered(text)
    return next((form.name for form in _likely(lower) for _ in form.spans(text, lower)), None)


def redacted(text: str, *, as_lines: bool = False) -> str:
    """The text without what has the form of a secret; `as_lines`: with as many lines as before."""
    for form in _likely(lowered(text)):
        kept = 0
        parts: list[str] = []
        for start, end in form.spans(text, lowered(text)):
            parts += text[kept:start], REDACTED, "\n" * text.count("\n", start, end) * as_lines
            kept = end
        text = "".join([*parts, text[kept:]])
    return text


def redacted_lines(lines: Sequence[str]) -> list[str]:
    """The same of one text in several pieces, as tracebacks are: a key's block has many lines."""
    together = redacted("\n".join(lines), as_lines=True).split("\n")
    counts = [line.count("\n") + 1 for line in lines]
    ends = list(accumulate(counts))
    return ["\n".join(together[end - count : end]) for count, end in zip(counts, ends, strict=True)]


def _likely(lower: str) -> list[Form]:
    """The forms that have a hint in this text: of most texts few or none."""
    near = {hint for hint in _HINTS if hint in lower}
    return [form for form in FORMS if not near.isdisjoint(form.hints)] if near else []


def without_people(text: str) -> str:
    """The text without the addresses of persons; a program's `git@host:path` stays."""
    return _ADDRESS.sub("***@***", text) if "@" in text else text
