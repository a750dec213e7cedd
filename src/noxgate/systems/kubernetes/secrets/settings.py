"""Telling a setting from a secret, by the name of its key and by its form.

In doubt it is a secret: a user's name may be shared by two environments, a password may not.
"""

import re
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from noxgate.project.target import passwords
from noxgate.systems.kubernetes.secrets.public import is_public


def _of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET = _of(
    "password passwords passwd passphrase passcode pass pwd secret secrets token tokens key keys apikey "
    "credential credentials private salt pepper signature cookie"
)
# A key that ends with one of these says how, where or who, as far as nothing else in its name is secret.
_PLAIN = _of(
    "user username login host hostname server port database db dbname name region zone level loglevel mode "
    "env environment debug timeout url uri endpoint issuer email mail from sender bucket schema driver type "
    "version locale domain realm audience scheme protocol size count limit ttl enabled format tenant project "
    "organization org path dir folder file namespace cluster channel queue topic vhost charset encoding "
    "timezone tz sslmode ssl tls retries workers hosts servers brokers urls endpoints emails origin origins"
    " cors dn cron schedule lang language title currency theme flags"
)
# The same of a name with a secret word in it: what is said of the key, and not the key.
_ABOUT = _of(
    "name ttl algorithm alg type length expiry expires expiration lifetime size rotation path file version "
    "issuer audience enabled prefix url uri endpoint host hostname"
)
_OWNED = _of("tenant project account org organization subscription zone group team site cluster")
_WORDS = re.compile(
    r"true|false|yes|no|on|off|none|null|trace|debug|info|notice|warn(ing)?|error|fatal|critical|off"
    r"|\*|production|staging|development|test|\d{1,5}(ms|s|m|h|d)?|\d+\.\d+",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*:\d{1,5}|[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_SCHEME = re.compile(r"^[\w+.-]+://")  # Kafka has SASL_SSL
_LONGEST = 200  # characters of a setting
_HASH = re.compile(r"\$(2[abxy]?|apr1|1|5|6|7|y|argon2\w*|scrypt)\$|\{S?SHA(256|512)?\}")
_TOKEN = 16  # characters from which letters among digits are not a name


def words(key: str) -> list[str]:
    """The words of a key's name: SECRET_KEY, secret-key and secretKey are one."""
    return re.findall(r"[a-z]+|[0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())


def names_a_secret(key: str) -> bool:
    """Whether a key by its name holds a secret."""
    said = words(key)
    return bool(_SECRET & set(said)) and "public" not in said and not (said and said[-1] in _ABOUT)


def is_setting(key: str, text: str) -> bool:
    """Whether this says how or where, and opens nothing."""
    plain, said = text.strip(), words(key)
    if is_public(plain):
        return True
    if names_a_secret(key):
        return False
    if "://" in plain:
        return all(map(_opens_nothing, re.split(r"[,\s]+(?=[\w+.:-]+://)", plain)))
    last = said[-1] if said else ""
    is_owned = bool(set(said) & _OWNED)
    if "\n" in plain or len(plain) > _LONGEST or looks_random(plain) or (last == "id" and not is_owned):
        return False  # a file is more than a setting, and who shares a client's id shares its secret, too
    if last in _PLAIN | _ABOUT or last == "id":
        return "password" not in plain.lower()
    return all(map(is_plain, re.split(r",\s*", plain)))


def is_plain(text: str) -> bool:
    """A word of settings, a number, a host or a mailbox."""
    return any(pattern.fullmatch(text) for pattern in (_WORDS, _MAIL, _HOST))


def looks_random(text: str) -> bool:
    """Letters among digits, long and of one piece: that is not a name. So is a password's hash."""
    piece = text.strip("=")
    is_piece = len(piece) >= _TOKEN and re.fullmatch(r"[\w+/~-]+", piece) is not None
    return _HASH.match(text) is not None or (is_piece and re.search(r"[0-9][A-Za-z]", piece) is not None)


def _opens_nothing(url: str) -> bool:
    """Whether an address has no password, and nothing random that may stand for one."""
    url = _SCHEME.sub("any://", url) if "_" in url.partition("://")[0] else url.removeprefix("jdbc:")
    try:
        parts = urlsplit(url)
        held = passwords(url)
    except ValueError:
        return False
    if not parts.hostname or held or "@" in parts.path:
        return False
    asked = []
    with suppress(ValueError):
        asked = parse_qsl(parts.query)
    if any(names_a_secret(name) for name, _ in asked):
        return False
    pieces = [parts.username or "", *parts.path.split("/"), *(value for _, value in asked), parts.fragment]
    return not any(map(looks_random, pieces))
