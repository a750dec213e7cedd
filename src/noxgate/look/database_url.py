"""Where a database is, in the forms that libpq reads: an address, with several hosts or none, or words."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.%]+\]|[^\s:@/\[\],]*)(?::(\d*))?")
_WORD = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)")
_SAYS_WHERE = ("host", "hostaddr", "service")  # a host may be a folder of sockets, a service stands in a file
_HAS_PORT = re.compile(r":\d+$")
_PORT = "5432"
_PASSWORDS = ("password", "sslpassword")


def is_database_url(value: str) -> bool:
    """Whether libpq would know where to go, and we know where its password is."""
    if not value.isprintable():  # an environment may hold bytes that are no text
        return False
    if "://" not in value:
        return any(words.get(name) for words in [_words(value)] for name in _SAYS_WHERE)
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    # An @ further on is the end of a password with a /, ? or # that was not quoted: we would not know it.
    if parts.scheme not in SCHEMES or "@" in parts.path + parts.query + parts.fragment:
        return False
    hosts = parts.netloc.rpartition("@")[2].split(",")
    found = [_HOST.fullmatch(host) for host in hosts]
    if not all(each is not None and 0 < int(each[1] or 1) <= 65535 for each in found):  # noqa: PLR2004
        return False
    query = parse_qs(parts.query)
    return any(host.partition(":")[0] for host in hosts) or any(query.get(name) for name in _SAYS_WHERE)


def database_passwords(value: str) -> list[str]:
    """Every password in it, as it stands there and as it is sent."""
    if "://" not in value:
        words = _words(value)
        return [words[name] for name in _PASSWORDS if words.get(name)]
    parts = urlsplit(value)
    found = [parts.password or "", unquote(parts.password or "")]
    query = parse_qs(parts.query)  # libpq and redis-py read it there too
    found += [each for name in _PASSWORDS for each in query.get(name, [])]
    return [each for each in dict.fromkeys(found) if each]


def database_places(value: str) -> str:
    """HOST:PORT/DATABASE, several with commas; a service or a socket as it is named."""
    if "://" in value:
        parts = urlsplit(value)
        words = {name: found[-1] for name, found in parse_qs(parts.query).items()}
        hosts = parts.netloc.rpartition("@")[2].split(",")
        words.setdefault("dbname", unquote(parts.path.lstrip("/")))
    else:
        words, hosts = _words(value), [""]
    names = words["host"].split(",") if words.get("host") else hosts
    ports = words.get("port", "").split(",")
    places = [
        name if _HAS_PORT.search(name) else f"{name}:{port or _PORT}"
        for name, port in zip(names, ports * len(names) if len(ports) == 1 else ports, strict=False)
    ]
    service = f" (service {words['service']})" if words.get("service") else ""
    return f"{','.join(places).lower()}/{words.get('dbname', '')}{service}"


def _words(value: str) -> dict[str, str]:
    """`key=value key='value'`; nothing where it is not that from beginning to end."""
    words: dict[str, str] = {}
    at = 0
    while at < len(value.rstrip()):
        word = _WORD.match(value, at)
        if word is None:
            return {}
        words[word[1]] = re.sub(r"\\(.)", r"\1", word[2] if word[2] is not None else word[3])
        at = word.end()
    return words
