"""What may be said of a Secret's values: key, length, fingerprint, and what is wrong. Never a value."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from noxgate.placeholder import is_placeholder


@dataclass(frozen=True)
class SecretValue:
    """One key. `parts` are digests of the value and of a password inside it, to be compared and not shown."""

    where: str
    key: str
    length: int
    fingerprint: str
    problem: str | None
    parts: frozenset[bytes] = field(repr=False)

    def __str__(self) -> str:
        said = f"{self.where} key {self.key} ({self.length} bytes, sha256 {self.fingerprint}…)"
        return f"{said} {self.problem}" if self.problem else said


def judged(name: str, namespace: str, secret: Mapping[str, Any]) -> dict[str, SecretValue]:
    """Every key of a Secret as the API server sends it."""
    where = f"{name} in {namespace}"
    return {key: _judged(where, key, value) for key, value in sorted((secret.get("data") or {}).items())}


def _judged(where: str, key: str, encoded: str) -> SecretValue:
    value = base64.b64decode(encoded or "")
    digest = hashlib.sha256(value).digest()
    parts = {digest} | {hashlib.sha256(password.encode()).digest() for password in _passwords(value)}
    return SecretValue(where, key, len(value), digest.hex()[:8], _problem(value), frozenset(parts))


def _problem(value: bytes) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None  # bytes are nobody's filler
    plain = text.strip()
    faults = {
        "is empty": not text,
        "is blank": not plain,
        "begins or ends with white space": "\n" not in plain and text != plain,
        "is a template's filler": is_placeholder(text) or any(map(is_placeholder, _passwords(value))),
        "is base64 of a template's filler": is_placeholder(_decoded(text)),
    }
    return next((problem for problem, is_so in faults.items() if is_so), None)


def _decoded(text: str) -> str:
    """What a value that was encoded once too often says."""
    try:
        return base64.b64decode(text, validate=True).decode().strip()
    except (binascii.Error, ValueError):
        return ""


def _passwords(value: bytes) -> list[str]:
    """The password of a connection URL."""
    try:
        password = urlsplit(value.decode()).password
    except (UnicodeDecodeError, ValueError):
        return []
    return [unquote(password)] if password else []
