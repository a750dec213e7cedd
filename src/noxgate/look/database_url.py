"""Where a database is, in the forms that libpq reads: an address, with several hosts or none, or words."""

import ipaddress
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qs, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.%]+\]|[^\s:@/\[\],]*)(?::(\d*))?")
_WORD = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)")
_SAYS_WHERE = ("host", "hostaddr", "service")  # a host may be a folder of sockets, a service stands in a file
_HAS_PORT = re.compile(r":(\d*)$")
_PORT = "5432"
# What libpq takes from the environment where an address does not say it.
_BY_VARIABLE = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
}
_PASSWORDS = ("password", "sslpassword")


def _as_one_writes(host: str) -> str:
    """An IPv6 address in its shortest form and in brackets; a name in small letters."""
    plain = host.strip("[]")
    try:
        return f"[{ipaddress.IPv6Address(plain).compressed}]"
    except ValueError:
        return host.lower()


def is_database_url(value: str) -> bool:
    """Whether libpq would know where to go, and we know where its password is."""
    if not value.isprintable():  # an environment may hold bytes that are not text
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


def database_places(value: str, environment: Mapping[str, str] = MappingProxyType({})) -> str:
    """HOST:PORT/DATABASE, several with commas; a service or a socket as it is named.

    Behind a name stands the address at which it is called without asking a name server, if one is given.
    `environment` has what libpq takes from there.
    """
    words = _where(value) if "://" in value else _words(value)
    words = {name: environment.get(variable, "") for name, variable in _BY_VARIABLE.items()} | words
    names, addresses, ports = (words.get(name, "").split(",") for name in ("host", "hostaddr", "port"))
    count = max(len(names), len(addresses))
    each = (found * count if len(found) == 1 else found for found in (names, addresses, ports))
    places = [
        f"{_as_one_writes(name)}{f' at {_as_one_writes(address)}' if address else ''}:{port or _PORT}"
        for name, address, port in zip(*each, strict=False)
    ]
    service = f" (service {words['service']})" if words.get("service") else ""
    return f"{','.join(places)}/{words.get('dbname', '')}{service}"


def _where(url: str) -> dict[str, str]:
    """What an address says of where it leads, by libpq's names; its query counts more than what is before."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    ports = [found[1] if (found := _HAS_PORT.search(host)) else "" for host in hosts]
    said = {
        "host": ",".join(_HAS_PORT.sub("", host) for host in hosts),
        "port": ",".join(ports) if any(ports) else "",
        "dbname": unquote(parts.path.lstrip("/")),
    }
    said |= {name: found[-1] for name, found in parse_qs(parts.query).items()}
    return {name: text for name, text in said.items() if text}


def _words(value: str) -> dict[str, str]:
    """`key=value key='value'`; nothing if it is not that from beginning to end."""
    words: dict[str, str] = {}
    at = 0
    while at < len(value.rstrip()):
        word = _WORD.match(value, at)
        if word is None:
            return {}
        words[word[1]] = re.sub(r"\\(.)", r"\1", word[2] if word[2] is not None else word[3])
        at = word.end()
    return words
