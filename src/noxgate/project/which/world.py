"""Whether a profile names a rehearsal's world: then it is a rehearsal, even if it says otherwise.

By the authority that it trusts, by its cluster, or by its address. Another world on loopback does not count.
"""

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from noxgate.look.documents import of_toml
from noxgate.project.kubeconfig import DEFAULT, authorities
from noxgate.project.profile_values import is_loopback

AUTHORITY = "NOX rehearsal CA"  # what every rehearsal's own authority is called
WORLDS = Path("/var/tmp")  # noqa: S108 (where they live while they are up, whoever started them)
PROFILES = ("rehearsal.toml", "rehearsal-production.toml")
TRUSTED = "SSL_CERT_FILE"  # what OpenSSL trusts beside a ca_file


def rehearsed(path: Path, document: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> str:
    """Why the profile's world is a rehearsal's, in a few words; "" if it is not."""
    named = [("ca_file", document.get("ca_file")), (f"${TRUSTED}", environment.get(TRUSTED))]
    for key, file in named:
        if isinstance(file, str) and _is_rehearsals(path.parent / Path(file).expanduser()):
            return f"{key} is a rehearsal's authority"
    context, kubeconfig = document.get("context"), document.get("kubeconfig", DEFAULT)
    if isinstance(kubeconfig, str):
        names = [Path(name).expanduser() for name in kubeconfig.split(os.pathsep) if name]
        files = [folder / name for folder in (path.parent, Path.cwd()) for name in names]
        given = authorities(files).get(context if isinstance(context, str) else None)
        if given and _has_name(given):
            by = " ($KUBECONFIG names it)" if kubeconfig == environment.get("KUBECONFIG") else ""
            return f"its cluster is a rehearsal's{by}"
    if isinstance(url := document.get("base_url"), str) and _is_at(url):
        return "a rehearsal that is up has its address"
    return ""


def _is_rehearsals(file: Path) -> bool:
    try:
        return _has_name(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=8)
def _has_name(pem: str) -> bool:
    """Whether one of these certificates is that of a rehearsal's authority.

    Read once: the profile and who signs for it both ask, and a system's authorities are hundreds.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        return False
    subjects = (part for found in context.get_ca_certs() for part in found["subject"])
    return any(("commonName", AUTHORITY) in part for part in subjects)


def _is_at(url: str) -> bool:
    """Whether a rehearsal that is up has this address, by any name of this machine."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        return False
    return port in set(_ports()) and (is_loopback(url) or _leads_here(parts.hostname or ""))


def _ports() -> Iterator[int]:
    """Those of the worlds that are up, as far as this user may read of them."""
    for folder in WORLDS.glob("noxgate-*"):
        for name in PROFILES:
            with suppress(OSError, ValueError, KeyError, TypeError):
                found = urlsplit(of_toml((folder / name).read_text(encoding="utf-8"))["base_url"]).port
                if found is not None:
                    yield found


def _leads_here(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(ipaddress.ip_address(str(place[0])).is_loopback for *_, place in found)
