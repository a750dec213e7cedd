"""Telling a template's filler from a real value."""

import base64
import itertools
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
# What a key is made of as a project ships it: dev-only-32-byte-key-change-this!
_OF_KEYS = (
    "access|admin|and|api|app|application|at|auth|backend|before|bit|bits|byte|bytes|char|characters|chars|client"
    "|cookie|database|db|deploy|deployment|encryption|env|environment|flask|django|rails|express|for|from|hash"
    "|hmac|here|in|is|it|jwt|least|long|me|min|minimum|must|my|need|never|not|only|or|please|prod|production|random"
    "|redis|refresh|safe|salt|server|session|sign|signing|staging|string|strong|super|the|this|to|use|used|user"
    "|value|very|with|your|you|on|do|a|an|be|set"
)
_MARKS = (
    "change|changed|changeme|changethis|changeit|default|dev|development|dummy|example|fake|insecure|key|keys"
    "|local|localhost|passphrase|passwd|password|pass|placeholder|replace|replaceme|sample|secret|secrets|temp"
    "|temporary|test|testing|token|unsafe"
)
_SHIPPED = re.compile(rf"(?:(?:{_OF_KEYS}|{_MARKS}|[0-9]{{1,4}}) )*(?:{_OF_KEYS}|{_MARKS}|[0-9]{{1,4}})")
_JOINED = re.compile(
    rf"(?:{_MARKS}|super|your|jwt|this|api|app|session|the|my|auth|sign|signing|is)+[0-9]{{0,4}}"
)
_MARK = re.compile(rf"\b(?:{_MARKS})\b")
# Of these the project itself says that they must not be kept; what comes after may be as random as it likes.
_INSECURE = ("django-insecure-",)
# Passwords and keys that programs and their manuals come with, and that are tried first.
_KNOWN = re.compile(
    "admin|admin123|administrator|changeit|docker|elastic|grafana|guest|hunter2|keyboard[- ]cat|keycloak"
    "|letmein|minio|minioadmin|mysecretpassword|p@ssw0rd|passw0rd|password1|postgres|prom[- ]operator|qwerty"
    "|rabbitmq|redis"
    "|1q2w3e4r|1qaz2wsx|abc|default|hidden|masked|master|pass|password|pwd|redacted|removed|secret ?key|test"
    "|my ?secret ?(password|pass|pw|key)?|[a-z]{1,10} ?passw(or)?d"
    "|root|s3cr3t|s3cret|supersecret|toor|vagrant|welcome|welcome1",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[^A-Za-z]{1,6}$")  # 123, 2024! and @1 make no other password
_LEET = str.maketrans("@03$!", "aoesi")
# What stands for a value that was not put in yet: of SOPS, Ansible, vals, replace-tokens.
_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:|\$ANSIBLE_VAULT;|\bref\+[a-z]\w*://|#\{[\w.-]+\}#")
_ROWS = "`1234567890-= qwertyuiop[] asdfghjkl; zxcvbnm,./ "
_SEALED = 700  # characters: 512 bytes of RSA and more
_LONG = 200  # characters of a piece: what is that long is looked at no closer
_LONGEST = 80  # characters of a key made of words
_BRACKETS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\$\{[^{}]*\}|\{\{.*\}\}|\$\([^()]*\)|%[A-Z_]+%|__[A-Z_]+__")


def is_placeholder(text: str) -> bool:
    """Whether a value only stands in for one: changeme, your-api-key, [on-call name], ${TOKEN}."""
    plain = text.strip().strip("\"'").strip()
    if not plain:
        return False
    if _BRACKETS.fullmatch(plain) or set(plain) <= set(".*…-_?#"):
        return True
    words = re.sub(r"[\s_\-./!:]+", " ", plain).strip()
    return _FILLER.fullmatch(words) is not None or _is_shipped(plain)


def _is_shipped(plain: str) -> bool:
    """Whether it is a key of a template's words alone, in one piece: people write sentences of them, too."""
    if len(plain) > _LONGEST or " " in plain:
        return False
    if plain.startswith(_INSECURE):
        return True
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-./!:+]+", " ", plain).lower().strip()
    if " " not in words:
        return len(words) > len("password") and _JOINED.fullmatch(words) is not None
    return _MARK.search(words) is not None and _SHIPPED.fullmatch(words) is not None


def is_known(text: str) -> bool:
    """Whether a password is one that everybody knows, also with other letters in it or a year behind it."""
    plain = text.strip()
    if len(plain) > _LONGEST:
        return False
    words = (re.sub(r"[\s_.-]+", " ", each) for each in (plain, _TAIL.sub("", plain).translate(_LEET)))
    return any(map(_KNOWN.fullmatch, words))


def is_encrypted(text: str) -> bool:
    """Whether somebody forgot to decrypt it, or to look up what it names."""
    return _ENCRYPTED.search(text) is not None or _is_sealed(text.strip())


def _is_sealed(plain: str) -> bool:
    """What kubeseal writes: the length of an RSA block, the block, and what is encrypted, in base64."""
    if len(plain) < _SEALED or not plain.startswith("Ag"):
        return False
    try:
        sealed = base64.b64decode(plain, validate=True)
    except ValueError:
        return False
    return int.from_bytes(sealed[:2], "big") == 512  # noqa: PLR2004 (bytes: keys of 4096 bits)


def is_even(text: str) -> bool:
    """Whether a value is too even for chance: one character, a row of the keyboard, a piece again and again.

    Of the entropy of each character a short value cannot have much, and a long one in hex has little: what
    counts is how far each is from its neighbour, and how many there are of the possible ones.
    """
    plain = text.strip()
    length = len(plain)
    if length < 4:  # noqa: PLR2004 (of three nothing can be said)
        return False
    if len(set(plain)) <= (1 if length < 8 else 2 if length < 16 else 3):  # noqa: PLR2004
        return True
    near = [_is_next(one, other) for one, other in itertools.pairwise(plain.lower())]
    if sum(near) >= (len(near) if length < 8 else 0.9 * len(near)):  # noqa: PLR2004
        return True
    pieces = range(1, min(length, _LONG) // 3 + 1)
    return length >= 8 and any(plain == (plain[:size] * length)[:length] for size in pieces)  # noqa: PLR2004


def _is_next(one: str, other: str) -> bool:
    """In the alphabet, among the digits, or on the keyboard."""
    rows = _ROWS.find(one), _ROWS.find(other)
    is_near = abs(ord(one) - ord(other)) <= 1 and one.isalnum() == other.isalnum()
    return is_near or (min(rows) >= 0 and abs(rows[0] - rows[1]) == 1)
