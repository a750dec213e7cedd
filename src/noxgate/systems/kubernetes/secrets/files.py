"""Files that hold secrets beside other things: of names and values, of users and passwords, YAML, XML."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

from noxgate.systems.kubernetes.secrets.public import of_json_key
from noxgate.systems.kubernetes.secrets.settings import is_plain

LINE = 4096  # characters; a connection string is shorter
_MOST = 20_000  # characters of YAML and XML that are read
_MANY = re.compile(r"[\s-]&\w|([\[{][^\[{]*){200}")  # YAML that is deep, or larger than it looks
Pairs = list[tuple[str, str]]

_PAIR = re.compile(r"""\s*(?:export\s+)?["']?([\w.-]+)["']?\s*[=:]\s*(.*?)\s*[,;]?""")
_COMMENT = re.compile(r"\s*([#;!].*|---|\[[^\[\]]*\])?")  # and the head of a part
_USER = re.compile(r"([^\s:/=]+):(\S+)")
_NETRC = re.compile(r"(?:machine\s+\S+|default)(?:\s|$)")
_NETRC_PASSWORD = re.compile(r"\bpassword\s+(\S+)")
_PGPASS = 5  # fields: host, port, database, user, password
_HEADER = re.compile(r"(?:Authorization:\s*)?(Basic|Bearer|Token|ApiKey)\s+([!-~]+)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w.:-]+)\s*=\s*("[^"]*"|'[^']*')""")
_XML_ENDS = re.compile(r"(/|</[\w.:-]+\s*)>$")
_HOW_NAMED = ("name", "key", "id")


def of_json(text: str) -> Pairs | None:
    if not text.strip().startswith(("{", "[")):
        return None
    try:
        return list(_leaves("", json.loads(text)))
    except (ValueError, RecursionError):
        return None


def of_yaml(text: str) -> Pairs | None:
    """Deeper than lines of names and values, which are read without."""
    if "\n" not in text.strip() or len(text) > _MOST or _MANY.search(text):
        return None
    import yaml  # noqa: PLC0415 (YAML is read by few runs)

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # of libyaml, where it is there
    try:
        document = yaml.load(text, Loader=loader)  # noqa: S506 (the safest: it makes texts alone)
        return list(_leaves("", document)) if isinstance(document, dict | list) else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def of_xml(text: str) -> Pairs | None:
    plain = text.strip()
    if not plain.startswith("<") or not _XML_ENDS.search(plain) or len(text) > _MOST:
        return None
    found: Pairs = []
    for piece in text.split("<")[1:]:
        tag, _, inner = piece.partition(">")
        pairs = [(name, value[1:-1]) for name, value in _ATTRIBUTE.findall(tag)]
        named = next((value for name, value in pairs if name in _HOW_NAMED), None)
        called = re.split(r"[\s/]", tag, maxsplit=1)[0] if named is None else named
        others = [(name, value) for name, value in pairs if name not in _HOW_NAMED]
        found += [(called if name == "value" else name, value) for name, value in others]
        if inner.strip():
            found.append((called, inner.strip()))
    return found


def _leaves(key: str, document: Any) -> Iterator[tuple[str, str]]:
    rows: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        rows = list(of_json_key(document).items())
    elif isinstance(document, list):
        rows = [(key, each) for each in document]
    for name, value in rows:
        if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
            yield str(name), str(value)
        else:
            yield from _leaves(str(name), value)


def of_lines(text: str) -> Pairs | None:
    """A file of settings: each line has a name and a value, or is a comment, or names a part."""
    lines = [line for line in text.splitlines() if not _COMMENT.fullmatch(line)]
    if len(text.splitlines()) < 2 or not lines:  # noqa: PLR2004 (one line is not a file)
        return None
    pairs = [_PAIR.fullmatch(line) if len(line) <= LINE else None for line in lines]
    if not all(pairs):
        return None
    return [(pair[1], pair[2].strip("\"'")) for pair in pairs if pair]


def of_users(text: str) -> Pairs | None:
    """Lines of user:password, as .htpasswd has them; of .pgpass; and .netrc."""
    lines = [line.strip() for line in text.splitlines() if not _COMMENT.fullmatch(line)]
    if not lines or max(map(len, lines)) > LINE:
        return None
    fields = [re.split(r"(?<!\\):", line) for line in lines]
    if all(len(each) == _PGPASS and re.fullmatch(r"\d+|\*", each[1]) for each in fields):
        return [("password", each[-1].replace("\\:", ":")) for each in fields]
    if _NETRC.match(lines[0]):
        return [("password", each) for each in _NETRC_PASSWORD.findall(text)]
    users = [_USER.fullmatch(line) for line in lines] if len(lines) > 1 else []
    if not users or not all(users):
        return None
    return [("password_of_user", user[2]) for user in users if user and not is_plain(user[2])]


def of_header(text: str) -> Pairs | None:
    """What is sent to sign in: of Basic the password, of others the token."""
    found = _HEADER.fullmatch(text.strip()) if len(text) <= LINE else None
    if found is None:
        return None
    if found[1].lower() != "basic":
        return [("token", found[2])]
    password = of_basic(found[2])
    return None if password is None else [("password", password)]


def of_basic(text: str) -> str | None:
    """The password of base64 of user:password; None if it is of another form."""
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if user and colon and password.isprintable() else None
