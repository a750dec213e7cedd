"""Values whose name says that they are secret: `password: …`, `--api-key …`, `client_secret=…`.

What a name does not decide, the value does: `token: expired` is prose, `secret: nox-tls` an object's name,
and `password=$PGPASSWORD` tells where it is kept.
"""

import re

QUOTE = (
    r"(?:\\*(?:[\"'`]|&(?:amp;)*(?:quot|apos|\#0*3[49]|\#x0*2[27]);)|%2[27])"  # however often it is quoted
)
START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"  # of a word, also after an escape
SPACE = r"(?:(?:\n|\\+n)[E>+-](?=\s)|\s|\\+[nrt])"  # also at the begin of a traceback's line
# A long text in a diff is broken into several, each quoted for itself.
BROKEN = rf"(?:{QUOTE}(?:{SPACE}|[E+?-](?=\s))++{QUOTE}{SPACE}*+)?"
MORE = r"(?:>|&(?:amp;)*gt;)"
IS = (
    rf"(?:{QUOTE}|\])*+{SPACE}*+(?::=|={{1,3}}{MORE}?|!="
    rf"|:(?!//)(?:{SPACE}*+[|>][+-]?{SPACE}++)?|%3[AD]|{MORE}(?!{SPACE}))"
    rf"{SPACE}*+(?:(?:str|string|bytes)\s*=\s*|!!\w+\s+)?{BROKEN}(?:[bru](?={QUOTE}))?"
)
# Quoted up to the same quote, or cut; bare up to what ends a word in a log, a URL and a command.
VALUE = (
    rf"(?:(?P<quote>{QUOTE})(?P<quoted>(?:(?!(?P=quote))(?:\\.|[^\r\n\\]))++)"
    r"|(?P<bare>(?:(?!%2[0267C]|%7D|%0A)[^\s\"'`,;&<>(){}\[\]|\\]|\\\\)++))"
)
_KEYS = (
    "api|access|private|secret|signing|sign|encryption|account|shared|master|subscription|app|application|auth"
    "|license|consumer|storage|deploy|functions?|hmac|service|client|session|webhook|fernet|jwt|csrf|recovery|unseal"
)
_ALONE = r"(?:(?<![a-z])|(?<=\\[nrt]))"
NAME = (
    rf"(?:pass(?:word|wd|phrase|code|wort)|kennwort|{_ALONE}pwd|(?<=[_-])pass|secret|token|credentials?"
    rf"|(?:{_KEYS})[ ._-]?key(?:-data)?|{_ALONE}_auth(?:token)?|dockerconfigjson|auth(?:orization)?[_-]?code"
    rf"|mfa[_-]?code|connect\.sid|{_ALONE}sid|{_ALONE}j?sess(?:ion)?[_.-]?id|{_ALONE}(?:otp|totp|jwt)"
    r"|saml_?response)(?:[_-]?(?:id|value|base|b64|base64|hash|old|new|prod|production|staging|live|dev|\d{1,3}))?"
)
# A piece of each name, and how far it stands from the name's begin.
_AT_ONCE = ("pass", "kennwort", "pwd", "secret", "token", "credential", "_auth", "jwt", "saml")
NAMES = dict.fromkeys(_AT_ONCE, 0) | {
    "key": len("subscription-"),
    "code": len("authorization-"),
    "config": len("docker"),
    "sid": len("connect."),
    "sess": len("j"),
    "otp": len("t"),
}
_SAYS_NOTHING = re.compile(
    "none|null|nil|true|false|yes|no|undefined|empty|unset|set|absent|required|optional|missing|invalid|expired"
    "|redacted|hidden|masked|present|unknown|changeme|placeholder|str|string|bytes|int|bool|text|varchar|secret"
    "|password|token|wrong|ok|not|is|was|must|should|the|a|an|bearer|unreachable|failed|passed|rejected|denied"
    "|basic|never|deleted|object|array|it|this|that|they|expected|did|only|saw",
    re.IGNORECASE,
)
_BARE = {"secret", "secrets", "token", "credential", "credentials", "_auth", "sid", "otp", "jwt", "totp"}
_VARIABLE = re.compile(
    r"\$(?:\{|\(|[A-Z_])|\{\{?|<|%\(?\w+\)?[%s]|\[|self\.|os\.|env\.|secrets?\.|vault:|Secret$"
)
_PATH = re.compile(  # or a file's name; no base64 has a dot
    r"(?:~|\.{1,2})?/(?:run|etc|var|home|secrets|opt|tmp|root|usr|mnt|keys|app)/\S+"
    r"|[\w@/~-][\w.@/-]*\.(?:toml|pem|key|json|ya?ml|env|txt|pub|crt|cfg|ini)"
)
_NAMES_ONE = re.compile(r"(?:[A-Z][A-Z0-9]*_)+(?:TOKEN|PASSWORD|KEY|SECRET|URL)")  # as in: is not set
_FILLED = re.compile(r"\*\*\*.*|[*•.…#?xX_-]+", re.DOTALL)
_PROSE = re.compile(r"[A-Za-z][a-z]*(?:[-.][a-z]+)*[.…:]?")
_A_COUNT = re.compile(r"\d{1,3}")


def is_harmless(name: str, said: str, value: str, after: str) -> bool:
    """Whether what follows a secret's name is not a secret.

    `said` is what stands between them, `after` the next character; `name` begins with `/` where
    an element ends.
    """
    plain = value.strip(" .:…")
    name = name.casefold()
    is_told = ":" in said or ">" in said or " " in said.strip("\"'")
    return (
        not plain
        or plain.casefold() == name
        or any(each.fullmatch(plain) for each in (_SAYS_NOTHING, _NAMES_ONE, _FILLED, _PATH, _A_COUNT))
        or _VARIABLE.match(value) is not None
        or after in {"(", "["}  # source code in a traceback
        or (after == "{" and value.endswith("$"))
        or (name.startswith("/") and (">" in said or "gt;" in said))
        or (name.endswith("pwd") and value.startswith("/"))  # the working directory
        or (name in _BARE and is_told and _PROSE.fullmatch(value) is not None)
    )


def is_random(value: str, least: int = 6) -> bool:
    """Whether no word and no number looks like that: letters of both cases or with digits among them."""
    if len(value) < least or not re.search(r"[A-Za-z]", value):
        return False
    return re.search(r"\d|[a-z][A-Z]|[A-Z]{2}[a-z]", value) is not None


def is_filled(value: str) -> bool:
    """`$TOKEN`, `<token>`, `none`: a value that stands for a secret, or says that it is missing."""
    return is_harmless("", "=", value, "")


def is_word(value: str) -> bool:
    """A value that is written as words and names are, or stands for a secret."""
    return not is_random(value) or is_filled(value)
