"""Where addresses with passwords in them lead: host, port and name, which are not secret."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

from noxgate.look.database_url import database_places, is_database_url

_REDIS_PORT = 6379
_REDIS = re.compile(
    r"[^:/@]+:\d+/\d+|[0-9a-f:.]+:\d+/\d+"
)  # HOST:PORT/NUMBER, the host may be an IPv6 address
_DRIVER = re.compile(r"^(?:jdbc:)?(postgres(?:ql)?)(?:\+\w+)?://", re.IGNORECASE)  # JDBC's, SQLAlchemy's


def redis_place(value: str) -> str:
    """HOST:PORT/NUMBER of a redis:// address."""
    parts = urlsplit(value)
    said = {name: found[0] for name, found in parse_qs(parts.query).items()}
    host = unquote(parts.hostname or "") or said.get("host", "")
    port = parts.port or said.get("port", _REDIS_PORT)
    number = said.get("db") or parts.path.replace("/", "") or "0"  # as redis-py has it, its query counts more
    return f"{host.lower()}:{port}/{number}"


def place(value: str) -> str:
    """Where a database's or a Redis' address leads; empty for any other text."""
    text = _DRIVER.sub(r"\1://", value.strip())
    try:
        if re.match(r"rediss?://", text, re.IGNORECASE):
            parts = urlsplit(text)
            # an @ further on is the end of a password that was not quoted: the text before it is not a name
            found = "" if "@" in parts.path + parts.query + parts.fragment else redis_place(text)
            return found if _REDIS.fullmatch(found) else ""
        return database_places(text) if is_database_url(text) else ""
    except ValueError:
        return ""
