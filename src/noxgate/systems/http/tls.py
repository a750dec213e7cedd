"""What the target's TLS endpoint offers: protocol version, certificate chain, days left."""

import errno
import ipaddress
import os
import shlex
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.http import reason
from noxgate.look.observation import Observation, Observe, Patience
from noxgate.systems.http.addresses import Addresses, addresses, bracketed, in_turn
from noxgate.systems.settings import TlsSettings

T = TypeVar("T")
HANDSHAKES = 8  # more than there are servers behind an address
GREETINGS = 3  # in one version, where the line is cut without an answer in TLS
AGAIN_WITHIN = 3.0  # seconds: a line that is cut late is not tried so often that patience ends
# How OpenSSL names an answer in TLS that refuses the version that was offered: alerts, and another version.
REFUSALS = (
    *("ALERT_PROTOCOL_VERSION", "ALERT_HANDSHAKE_FAILURE", "ALERT_INSUFFICIENT_SECURITY"),
    *("UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION"),
)


@dataclass(frozen=True)
class TlsFacts:
    """`version` such as "TLSv1.3"; `problem` is why the certificate is not valid for this host, or None.

    `days_left` are those of `first`, the certificate of its chain that ends first, `until` a time.
    """

    version: str
    problem: str | None
    days_left: float | None
    first: str = ""
    address: str = ""
    until: float = 0


@dataclass(frozen=True)
class Greeting:
    """What an address answered to one version. `why` says what came before an answer in TLS, such as a reset.

    With a `why`, the version was not spoken, and nothing was learned of the others.
    """

    version: ssl.TLSVersion
    address: str
    spoken: bool
    why: str = ""

    @property
    def name(self) -> str:
        return self.version.name.replace("_", ".")


def faults(found: Sequence[TlsFacts], least_days: float) -> list[str]:
    """Why these certificates will not do for so many days more: a line for each address."""
    said = []
    for facts in found:
        where = f"{facts.address}: " if len(found) > 1 else ""
        if facts.problem is not None or facts.days_left is None:
            said.append(f"{where}{facts.problem}")
        elif not facts.days_left > least_days:
            of = f" of {facts.first}" if facts.first else ""
            said.append(f"{where}{facts.days_left:.2f} days left{of}, expected more than {least_days:g}")
    return said


class TlsClient:
    """Shakes hands with the target and sends no request."""

    def __init__(self, settings: TlsSettings, patience: Patience, observe: Observe) -> None:
        parts = urlsplit(settings.base_url)
        self._host = parts.hostname or ""
        self._port = parts.port or 443
        self._ca_file = str(settings.ca_file) if settings.ca_file else None
        self._patience = patience
        self._observe = observe

    def facts(self) -> list[TlsFacts]:
        """Shake hands with each address as a careful client does, and judge the certificate as it would.

        Several times: of two servers behind one address, one may not have read its new certificate yet.
        """
        context = ssl.create_default_context(cafile=self._ca_file)
        context.hostname_checks_common_name = False  # as browsers: only subjectAltName counts (RFC 9525)
        repeat = self._openssl()
        places = self._places(repeat)
        looked = self._look(places, lambda address: self._facts(context, address), repeat, HANDSHAKES)
        found = list({(facts.address, facts.problem, facts.until): facts for facts in looked}.values())
        for facts in found:
            certificate = (
                f"not valid: {facts.problem}"
                if facts.problem
                else f"valid, {facts.days_left:.1f} days left{facts.first and ' of ' + facts.first}"
            )
            where = f"{facts.address}: " if len(found) > 1 else ""
            self._observe(
                Observation(
                    f"{where}{facts.version or 'no handshake'}, certificate {certificate}",
                    self._openssl(address=facts.address if where else ""),
                )
            )
        return found

    def greetings(self, versions: Sequence[ssl.TLSVersion]) -> list[Greeting]:
        """What each address answers to a client that knows this version and no other, for each version."""
        repeats = {version: self._only(version) for version in versions}
        places = self._places(repeats[versions[0]])
        found = []
        for version, repeat in repeats.items():
            context = _context_of(version)

            def greeted(address: str, context: ssl.SSLContext = context) -> tuple[str, bool, str]:
                _prove_offered(context)
                return (address, *self._greeted(context, address))

            asked = [Greeting(version, *each) for each in self._look(places, greeted, repeat)]
            self._observe(Observation(_said(asked), repeat))
            found += asked
        return found

    def _only(self, version: ssl.TLSVersion) -> str:
        only = version.name.lower().replace("tlsv", "tls")  # as openssl spells it
        asked = self._openssl(option=f"-{only} -cipher 'ALL:@SECLEVEL=0'")
        return f"{asked} && echo accepted || echo refused"

    def _places(self, repeat: str) -> Addresses:
        try:
            return self._patience.run(lambda: addresses(self._host, self._port))
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise

    def _look(self, places: Addresses, function: Callable[[str], T], repeat: str, times: int = 1) -> list[T]:
        """At each address of the host, and so many times in all."""
        try:
            found = in_turn(places, lambda address: self._patience.run(lambda: function(address)), times)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise
        except AssertionError as error:
            self._observe(Observation(str(error), repeat))
            raise
        if places.no_route:
            self._observe(Observation(f"{len(found)} looks{places.said()}", repeat))
        return found

    def _facts(self, context: ssl.SSLContext, address: str) -> TlsFacts:
        try:
            with (
                self._connect(address) as plain,
                _secured(context, plain, self._host) as secure,
            ):
                own, *others = _ends(secure)
                until, first = min([(own[0], ""), *others])
                left = (until - time.time()) / 86400
                return TlsFacts(secure.version() or "", None, left, first, address, until)
        except ssl.SSLCertVerificationError as error:
            return TlsFacts("", error.verify_message, None, "", address)
        except OSError as error:
            raise UnreachableError(f"{self._host}:{self._port}: {reason(error)}") from None

    def _greeted(self, context: ssl.SSLContext, address: str) -> tuple[bool, str]:
        """Whether it is spoken, and what went wrong before an answer in TLS; one cut may be chance."""
        why, tries, begun = "", 0, time.monotonic()
        while not why or (time.monotonic() - begun < AGAIN_WITHIN and tries < GREETINGS):
            tries += 1
            with self._connect(address) as plain:
                try:
                    with _secured(context, plain, self._host):
                        return True, ""
                except TimeoutError:
                    raise UnreachableError(
                        f"{self._host}:{self._port}: no answer to a TLS greeting"
                    ) from None
                except (ssl.SSLError, ConnectionError) as error:
                    if isinstance(error, ssl.SSLError) and (error.reason or "").endswith(REFUSALS):
                        return False, ""
                    why = f"{self._host}:{self._port}: {reason(error)}"
        return False, why

    def _connect(self, address: str) -> socket.socket:
        try:
            return socket.create_connection((address, self._port), timeout=5)
        except OSError as error:
            there = "" if address == self._host else f" at {address}"
            raise UnreachableError(f"{self._host}:{self._port}{there}: {reason(error)}") from None

    def _openssl(self, *, address: str = "", option: str = "") -> str:
        trust = f" -CAfile {shlex.quote(self._ca_file)}" if self._ca_file else ""
        named = "-verify_ip" if _is_address(self._host) else "-verify_hostname"
        name = shlex.quote(self._host)
        option = option or f"-verify_return_error {named} {name}"
        place = shlex.quote(f"{bracketed(address or self._host)}:{self._port}")
        host = f"-connect {place} -servername {name}"
        return f"openssl s_client {host}{trust} {option} </dev/null"


def _ends(secure: ssl.SSLSocket) -> list[tuple[float, str]]:
    """When each certificate of the verified chain ends, the server's own first, and whose it is.

    What Python has before 3.13: SSLSocket.get_verified_chain() is public since, without what is in it.
    """
    chain = secure._sslobj.get_verified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
    infos = [certificate.get_info() for certificate in chain]
    return [(ssl.cert_time_to_seconds(info["notAfter"]), _name(info["subject"])) for info in infos]


def _name(subject: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Its common name, or what it has."""
    parts = dict(part for several in subject for part in several)
    return repr(parts.get("commonName") or next(iter(parts.values()), "no name"))


def _secured(context: ssl.SSLContext, plain: socket.socket, host: str) -> ssl.SSLSocket:
    """After a handshake: wrap_socket asks for none if the peer closed, then reset (CPython 3.10 to 3.13)."""
    secure = context.wrap_socket(plain, server_hostname=host)
    if secure.version() is None:
        secure.close()
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    return secure


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _context_of(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that offers this version alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # would it speak at all: the certificate has its own check
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that the version is old is the point
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _said(asked: Sequence[Greeting]) -> str:
    """Of one version at every address."""
    unknown = next((each.why for each in asked if each.why), "")
    if any(each.spoken for each in asked):
        return f"{asked[0].name} accepted"
    return f"{asked[0].name} no handshake: {unknown}" if unknown else f"{asked[0].name} refused"


def _prove_offered(context: ssl.SSLContext) -> None:
    """A refusal means something only if we ask: our own OpenSSL may be told not to offer old versions."""
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).do_handshake()
    except ssl.SSLWantReadError:
        return  # it has greeted and waits for an answer
    except ssl.SSLError as error:
        version = context.minimum_version.name.replace("_", ".")
        raise UnreachableError(
            f"this machine's OpenSSL does not offer {version} ({error.reason}): "
            "whether the target refuses it cannot be seen from here"
        ) from None
