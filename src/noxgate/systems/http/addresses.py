"""The addresses of a host: what answers at one of them says nothing of the others."""

import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from noxgate.errors import CredentialError, UnreachableError
from noxgate.look.http import reason

T = TypeVar("T")
AT_ONCE = 8  # looks
Place = tuple[socket.AddressFamily, tuple[object, ...]]
FAMILIES = {socket.AF_INET, socket.AF_INET6}
_NO_ROUTE = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM}


@dataclass(frozen=True)
class Addresses:
    """Those to look at, and those of families to which this machine has no route."""

    here: tuple[str, ...]
    no_route: tuple[str, ...] = ()

    def said(self) -> str:
        """In words, for the record; empty if there is nothing to say."""
        several = f", to {len(self.here)} addresses ({', '.join(self.here)})" if self.here[1:] else ""
        if not self.no_route:
            return several
        return f"{several}; not looked at, for want of a route from here: {', '.join(self.no_route)}"


def addresses(host: str, port: int) -> Addresses:
    """Every address that the resolver gives for `host`, once. Raises UnreachableError if it fails.

    `localhost` is one place with several addresses, and what listens there commonly has one of them.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(f"{host}: {reason(error)}") from None
    places: list[Place] = [
        (family, place) for family, _, _, _, place in dict.fromkeys(found) if family in FAMILIES
    ]
    if host == "localhost" or host.endswith(".localhost"):
        places = list(_listening(places))[:1] or places[:1]
    here = [str(place[0]) for family, place in places if _is_routed(family, place)]
    away = [str(place[0]) for _, place in places if str(place[0]) not in here]
    if not here:
        raise UnreachableError(f"{host}: no route from here to {', '.join(away) or 'any address'}")
    return Addresses(tuple(here), tuple(away))


def in_turn(places: Addresses, look: Callable[[str], T], times: int = 1) -> list[T]:
    """Look so many times, at the addresses in turn, and at each at least once; a few looks at once.

    Raises UnreachableError if every look fails. Raises AssertionError if only some fail, or if an address
    that answered before fails: users see that.
    """
    here = places.here
    times = max(times, len(here))

    found: list[T] = []
    lost: list[UnreachableError] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for asked in [pool.submit(look, address) for address in here]:
            try:
                found.append(asked.result())
            except CredentialError:
                raise
            except UnreachableError as error:
                lost.append(error)
        if lost and not found:
            raise lost[0]
        if lost:
            raise AssertionError(f"{len(found)} of {len(here)} addresses answer: {lost[0]}")
        for asked in [pool.submit(look, here[number % len(here)]) for number in range(len(here), times)]:
            try:
                found.append(asked.result())
            except CredentialError:
                raise
            except UnreachableError as error:
                said = f"look {len(found) + 1} of {times} had no answer: {error}"
                raise AssertionError(said) from None
    return found


def is_open(address: str, port: int) -> bool:
    """Whether somebody takes a connection there; a port that is refused or filtered is closed."""
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


def bracketed(address: str) -> str:
    """As it stands in a URL."""
    return f"[{address}]" if ":" in address else address


def _is_routed(family: socket.AddressFamily, place: tuple[object, ...]) -> bool:
    """Whether this machine knows a way there: a datagram socket asks the routing table, and sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect(place)
    except OSError as error:
        return error.errno not in _NO_ROUTE
    return True


def _listening(places: Sequence[Place]) -> Iterator[Place]:
    for family, place in places:
        with socket.socket(family, socket.SOCK_STREAM) as trying:
            trying.settimeout(2)
            if trying.connect_ex(place) == 0:
                yield family, place
