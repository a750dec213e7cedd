"""What anybody may have, such as certificates and public keys; and the private keys that stand among them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_BEGIN, _DASHES = "-----BEGIN ", "-----"
_END = "\\n"  # of a line, as variables have it
_PUBLIC = re.compile(
    r"((TRUSTED|X509|NEW) )?CERTIFICATE( REQUEST)?|((RSA|EC|DSA|ED25519|PGP|SSH2) )?PUBLIC KEY( BLOCK)?"
    r"|((X9\.42 )?DH|EC|DSA) PARAMETERS|X509 CRL|PKCS7|CMS"
)
_PRIVATE = "PRIVATE KEY"
_HEADER = re.compile(r"[A-Za-z-]+: .*")  # Proc-Type: 4,ENCRYPTED
# authorized_keys, known_hosts, id_ed25519.pub
_SSH = re.compile(
    r"(?:[^\s#]\S* +){0,2}(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-(?:ssh|ecdsa)-\S+)"
    r" +AAAA[\w+/=]+(?: .*)?"
)
# SEQUENCE { SEQUENCE { [0] { INTEGER 2: a certificate of the third version, as bytes
_DER = re.compile(rb"\x30\x82..\x30\x82..\xa0\x03\x02\x01\x02", re.DOTALL)
_OF_KEYS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})  # what of a JSON Web Key is private
Block = tuple[str, str]  # what it is called, and what is in it


def is_public(text: str) -> bool:
    """Whether a text is of certificates and public keys alone."""
    plain = text.strip()
    return is_of_ssh(plain) or (_BEGIN in plain and private_keys(plain) == [])


def is_certificate(value: bytes) -> bool:
    """Whether bytes are one certificate."""
    return _DER.match(value) is not None and int.from_bytes(value[2:4], "big") == len(value) - 4


def is_of_ssh(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return lines != [] and all(map(_SSH.fullmatch, lines))


def private_keys(text: str) -> list[str] | None:
    """What is in each block of a private key, in one piece; None if a block may be anything."""
    found = blocks(text)[0]
    if not all(_PRIVATE in label or _PUBLIC.fullmatch(label) for label, _ in found):
        return None
    return [inner for label, inner in found if _PRIVATE in label]


def blocks(text: str) -> tuple[Sequence[Block], str]:
    """The PEM blocks of a text, and what stands around them."""
    around, *pieces = text.replace(_END, "\n").split(_BEGIN)
    found = []
    for piece in pieces:
        label, _, more = piece.partition(_DASHES)
        inner, end, after = more.partition(f"-----END {label}-----")
        found.append((label if end or _PRIVATE in label else f"half a {label}", _in_one_piece(inner)))
        around += after
    return found, around


def _in_one_piece(inner: str) -> str:
    lines = (line.strip() for line in inner.splitlines())
    return "".join(line for line in lines if not _HEADER.fullmatch(line))


def of_json_key(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a JSON Web Key what is private; of another object all."""
    if "kty" not in document:
        return document
    return {f"private_key_{name}": value for name, value in document.items() if name in _OF_KEYS}
