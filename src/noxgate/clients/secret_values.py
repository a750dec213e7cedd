"""What may be said of a Secret's values: key, length, fingerprint, and what is wrong. Never a value."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from noxgate.placeholder import is_placeholder
from noxgate.target import passwords


class Digest(bytes):
    """A SHA-256: compared as a whole, and shown as a fingerprint, also where a failed assert shows it."""

    def __repr__(self) -> str:
        return f"<sha256 {self.fingerprint}…>"

    __str__ = __repr__

    @property
    def fingerprint(self) -> str:
        """Its first 8 digits."""
        return self.hex()[:8]


@dataclass(frozen=True)
class SecretValue:
    """One key; equal to every other that has the same value.

    `parts` are digests of the value and of a password inside it: what two values have in common there, they
    share.
    """

    where: str = field(compare=False)
    key: str = field(compare=False)
    length: int = field(compare=False)
    problem: str | None = field(compare=False)
    digest: Digest
    parts: frozenset[Digest] = field(compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """The first 8 digits of its SHA-256."""
        return self.digest.fingerprint

    def __str__(self) -> str:
        said = f"{self.where} key {self.key} ({self.length} bytes, sha256 {self.fingerprint}…)"
        return f"{said} {self.problem}" if self.problem else said


def judged(name: str, namespace: str, secret: Mapping[str, Any]) -> dict[str, SecretValue]:
    """Every key of a Secret as the API server sends it. Never raises: a traceback may show what it held."""
    data = secret.get("data")
    values = data if isinstance(data, dict) else {}
    where = f"{name} in {namespace}"
    return {key: _judged(where, key, str(value or "")) for key, value in sorted(values.items())}


def _judged(where: str, key: str, encoded: str) -> SecretValue:
    value = _decoded(encoded)
    if value is None:
        digest = _digest(encoded.encode(errors="replace"))
        return SecretValue(where, key, 0, "is not base64", digest, frozenset({digest}))
    digest = _digest(value)
    shared = [value, value.strip(), *(password.encode() for password in _passwords(value))]
    parts = frozenset(_digest(part) for part in shared if part)  # nothing is no value to share
    return SecretValue(where, key, len(value), _problem(value), digest, parts)


def _digest(value: bytes) -> Digest:
    return Digest(hashlib.sha256(value).digest())


def _problem(value: bytes) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None  # bytes are nobody's filler
    plain = text.strip()
    again = (_decoded(plain) or b"").decode(errors="replace")  # of a value that was encoded once too often
    faults = {
        "is empty": not text,
        "is blank": not plain,
        "is a template's filler": any(map(is_placeholder, [text, *_passwords(value)])),
        "is base64 of a template's filler": any(map(is_placeholder, [again, *_passwords(again.encode())])),
        "begins or ends with white space": "\n" not in plain and text != plain,
    }
    return next((problem for problem, is_so in faults.items() if is_so), None)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _passwords(value: bytes) -> list[str]:
    """The password of a connection URL."""
    try:
        return passwords(value.decode())
    except ValueError:  # neither text nor a URL
        return []
