"""Ed25519 keys, and DSSE envelopes signed with them: https://github.com/secure-systems-lab/dsse.

An envelope has one signature and one way to be written: any byte of its file that differs makes it another.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from noxgate.errors import NoxgateError
from noxgate.look.documents import of_json
from noxgate.look.secret import Secret
from noxgate.machine.late import late

if TYPE_CHECKING:
    from cryptography import exceptions
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519
else:
    exceptions = late("cryptography.exceptions")
    serialization = late("cryptography.hazmat.primitives.serialization")
    ed25519 = late("cryptography.hazmat.primitives.asymmetric.ed25519")

VARIABLE = "NOXGATE_SIGNING_KEY"


class SigningError(NoxgateError):
    """A key or a signature that is not as it must be: one line, and never a key in it."""


@dataclass(frozen=True)
class PublicKey:
    """Whose signature is believed: `name` is the key's file, `id` the start of its SHA-256."""

    name: str
    id: str
    key: "ed25519.Ed25519PublicKey" = field(repr=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.id[:12]})"


@dataclass(frozen=True)
class SigningKey:
    """A private key. It shows its id alone."""

    id: str
    key: "ed25519.Ed25519PrivateKey" = field(repr=False)

    def secrets(self) -> list[Secret]:
        """What no report may show."""
        lines = _private_pem(self.key).decode().splitlines()
        return [Secret(VARIABLE, "".join(lines[1:-1]))]

    def public_pem(self) -> bytes:
        """Its public half, as a file has it."""
        return _public_pem(self.key)


def key_for_once() -> SigningKey:
    """A key that lies nowhere and is forgotten with its process."""
    key = ed25519.Ed25519PrivateKey.generate()
    return SigningKey(_id(key.public_key()), key)


def new_key(path: Path) -> PublicKey:
    """Make a key pair: the private key at `path`, for its owner alone, the public one beside it as .pub."""
    beside = path.with_name(f"{path.stem}.pub")
    for each in (path, beside):
        if each.exists() or each.is_symlink():
            raise SigningError(f"{each} is there already: expected a name that is free, nothing was written")
    key = ed25519.Ed25519PrivateKey.generate()
    public = _public_pem(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for each, content, mode in ((path, _private_pem(key), 0o600), (beside, public, 0o644)):
            with os.fdopen(os.open(each, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
    except OSError as error:
        raise SigningError(f"{error.filename}: {error.strerror}") from None
    return read_public_key(beside)


def read_public_key(path: Path) -> PublicKey:
    """The Ed25519 key in a PEM file."""
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, exceptions.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise SigningError(f"{path}: expected an Ed25519 public key in PEM form (noxgate keygen makes one)")
    return PublicKey(path.name, _id(key), key)


def read_signing_key(path: Path) -> SigningKey:
    """The private key in a PEM file that only its owner may read."""
    content = _read(path)
    if path.stat().st_mode & 0o077:
        raise SigningError(f"{path}: others may read this private key; chmod 600, or better make a new one")
    return _signing_key(content, str(path))


def configured_key(environment: Mapping[str, str]) -> SigningKey | None:
    """The key of the variable NOXGATE_SIGNING_KEY: the PEM text itself, or its file. None if it is unset."""
    value = environment.get(VARIABLE, "").strip()
    if not value:
        return None
    if value.startswith("-----BEGIN"):
        return _signing_key(value.encode("utf-8", "replace") + b"\n", f"${VARIABLE}")
    try:
        found = Path(value).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        found = False
    if not found:  # it may be a key without its first line: not to be shown
        raise SigningError(f"${VARIABLE}: expected a private key in PEM form, or the path of its file")
    return read_signing_key(Path(value).expanduser())


def sign(payload_type: str, payload: bytes, key: SigningKey) -> bytes:
    """The envelope around a payload, as its file is written."""
    return _written(payload_type, payload, key.id, key.key.sign(_to_be_signed(payload_type, payload)))


def opened(envelope: bytes, payload_type: str, keys: Sequence[PublicKey]) -> tuple[bytes, PublicKey]:
    """The payload of an envelope and who signed it. Raises SigningError unless one of `keys` did."""
    try:
        document = of_json(envelope)
        (signature,) = document["signatures"]
        payload, raw = (
            base64.b64decode(each, validate=True) for each in (document["payload"], signature["sig"])
        )
        key_id = signature["keyid"]
        same = _written(document["payloadType"], payload, key_id, raw) == envelope
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise SigningError("is not a signed envelope, or was changed") from None
    if not same:
        raise SigningError("was changed: it is not written as it was signed")
    if document["payloadType"] != payload_type:
        raise SigningError(f"expected {payload_type} in the envelope, saw {document['payloadType']!r:.80}")
    signer = next((key for key in keys if key.id == key_id), None)
    if signer is None:
        known = ", ".join(map(str, keys)) or "none"
        raise SigningError(f"signed with another key: {str(key_id)[:12]!r}; believed are: {known}")
    try:
        signer.key.verify(raw, _to_be_signed(payload_type, payload))
    except exceptions.InvalidSignature:
        raise SigningError(f"was changed: the signature of {signer} does not fit it") from None
    return payload, signer


def _to_be_signed(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _written(payload_type: str, payload: bytes, key_id: str, signature: bytes) -> bytes:
    document = {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _signing_key(pem: bytes, where: str) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise SigningError(f"{where}: expected a private key without a passphrase") from None
    except (ValueError, exceptions.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise SigningError(f"{where}: expected an Ed25519 private key in PEM form (noxgate keygen makes one)")
    return SigningKey(_id(key.public_key()), key)


def _private_pem(key: "ed25519.Ed25519PrivateKey") -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_pem(key: "ed25519.Ed25519PrivateKey") -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _id(key: "ed25519.Ed25519PublicKey") -> str:
    return hashlib.sha256(
        key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    ).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SigningError(f"{path}: {error.strerror}") from None
