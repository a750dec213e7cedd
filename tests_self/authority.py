"""A certificate authority of our own, for servers on loopback."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Pair(NamedTuple):
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that clients trust, and certificates of several qualities."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        self.file = self._write("authority", self._certificate("an authority", self._key, ca=True), self._key)
        self.good = self.issue("good", "localhost", days=30)

    def issue(
        self,
        name: str,
        host: str,
        *,
        days: float,
        own: bool = False,
        through: float | None = None,
        alt: bool = True,
    ) -> Pair:
        """Make a certificate for `host` that ends in `days`, signed by the authority or by its own key.

        Or by an intermediate authority that ends in `through` days; `alt` is whether it has a subjectAltName.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        if through is None:
            made = self._certificate(host, key, days=days, signer=key if own else None, alt=alt)
            return self._write(name, made, key)
        between = ec.generate_private_key(ec.SECP256R1())
        above = self._certificate("an intermediate", between, days=through, ca=True)
        made = self._certificate(host, key, days=days, signer=between, issuer=above.subject, alt=alt)
        pair = self._write(name, made, key)
        with pair.certificate.open("ab") as file:
            file.write(above.public_bytes(Encoding.PEM))
        return pair

    def _certificate(
        self,
        host: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        days: float = 30,
        ca: bool = False,
        signer: ec.EllipticCurvePrivateKey | None = None,
        issuer: x509.Name | None = None,
        alt: bool = True,
    ) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer or (name if signer else self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if alt:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(signer or self._key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return pair
