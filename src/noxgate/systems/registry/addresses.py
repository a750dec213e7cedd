"""Addresses that a registry sends us to: which are safe to follow, and what may be shown of them."""

from urllib.parse import SplitResult, urljoin, urlsplit

from noxgate.look.observation import shortened

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def split(url: str) -> SplitResult:
    """The parts of an address that somebody sent us; empty if it is not valid."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def is_safe(to: SplitResult, by: SplitResult) -> bool:
    """Whether an address that we are sent to has TLS, or is on this machine as who sends us."""
    is_local = {to.hostname, by.hostname} <= set(LOOPBACK)
    return bool(to.hostname) and (to.scheme == "https" or (to.scheme == "http" and is_local))


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = split(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def without_query(url: str) -> str:
    """An address for a message: what comes after ? may be a signature, what comes before @ a password."""
    parts = split(url)
    if not parts.hostname:
        return "no address"
    return shortened(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", 200)
