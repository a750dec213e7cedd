"""What the target's TLS endpoint offers: protocol version, certificate chain, days left."""

import socket
import ssl
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from noxgate.errors import UnreachableError
from noxgate.look.http import reason
from noxgate.look.observation import Observation, Observe, Patience
from noxgate.project.target import Target

T = TypeVar("T")


@dataclass(frozen=True)
class TlsFacts:
    """`version` such as "TLSv1.3"; `problem` is why the certificate is not valid for this host, or None."""

    version: str
    problem: str | None
    days_left: float | None


class TlsClient:
    """Shakes hands with the target and sends no request."""

    def __init__(self, target: Target, patience: Patience, observe: Observe) -> None:
        parts = urlsplit(target.base_url)
        self._host = parts.hostname or ""
        self._port = parts.port or 443
        self._ca_file = str(target.ca_file) if target.ca_file else None
        self._patience = patience
        self._observe = observe

    def facts(self) -> TlsFacts:
        """Shake hands as a careful client does, and judge the certificate as it would."""
        context = ssl.create_default_context(cafile=self._ca_file)
        facts = self._look(lambda: self._facts(context), self._openssl())
        certificate = (
            f"not valid: {facts.problem}" if facts.problem else f"valid, {facts.days_left:.1f} days left"
        )
        self._observe(
            Observation(f"{facts.version or 'no handshake'}, certificate {certificate}", self._openssl())
        )
        return facts

    def accepts(self, version: ssl.TLSVersion) -> bool:
        """Whether the server speaks this (old) protocol version when the client offers nothing newer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # would it speak at all: the certificate has its own check
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that the version is old is the point
            context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
        repeat = self._openssl(f"-{version.name.lower()} -cipher 'ALL:@SECLEVEL=0'")

        def spoken_if_offered() -> bool:
            _prove_offered(context, version)
            return self._spoken(context)

        spoken = self._look(spoken_if_offered, repeat)
        name = version.name.replace("_", ".")
        self._observe(Observation(f"{name} {'accepted' if spoken else 'refused'}", repeat))
        return spoken

    def _look(self, function: Callable[[], T], repeat: str) -> T:
        try:
            return self._patience.run(function)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise

    def _facts(self, context: ssl.SSLContext) -> TlsFacts:
        try:
            with self._connect() as plain, context.wrap_socket(plain, server_hostname=self._host) as secure:
                until = ssl.cert_time_to_seconds(str((secure.getpeercert() or {})["notAfter"]))
                return TlsFacts(secure.version() or "", None, (until - time.time()) / 86400)
        except ssl.SSLCertVerificationError as error:
            return TlsFacts("", error.verify_message, None)
        except OSError as error:
            raise UnreachableError(f"{self._host}:{self._port}: {reason(error)}") from None

    def _spoken(self, context: ssl.SSLContext) -> bool:
        with self._connect() as plain:
            try:
                with context.wrap_socket(plain, server_hostname=self._host):
                    return True
            except TimeoutError:
                raise UnreachableError(f"{self._host}:{self._port}: no answer to a TLS greeting") from None
            except (ssl.SSLError, ConnectionError):  # refused: by an alert, or the line cut without a word
                return False

    def _connect(self) -> socket.socket:
        try:
            return socket.create_connection((self._host, self._port), timeout=5)
        except OSError as error:
            raise UnreachableError(f"{self._host}:{self._port}: {reason(error)}") from None

    def _openssl(self, option: str = "-verify_return_error") -> str:
        trust = f" -CAfile {self._ca_file}" if self._ca_file else ""
        host = f"-connect {self._host}:{self._port} -servername {self._host}"
        return f"openssl s_client {host}{trust} {option} </dev/null"


def _prove_offered(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """A refusal means something only if we ask: our own OpenSSL may be told not to offer old versions."""
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).do_handshake()
    except ssl.SSLWantReadError:
        return  # it has greeted and waits for an answer
    except ssl.SSLError as error:
        raise UnreachableError(
            f"this machine's OpenSSL does not offer {version.name.replace('_', '.')} ({error.reason}): "
            "whether the target refuses it cannot be seen from here"
        ) from None
