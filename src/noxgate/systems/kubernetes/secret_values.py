"""What may be said of a Secret's values: key, length, fingerprint, and what is wrong. Never a value."""

import base64
import binascii
import codecs
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from noxgate.look.places import place
from noxgate.project.placeholder import is_encrypted, is_even, is_known, is_placeholder
from noxgate.systems.kubernetes.secrets.inside import inside
from noxgate.systems.kubernetes.secrets.public import is_certificate, is_public
from noxgate.systems.kubernetes.secrets.settings import is_setting, looks_random, names_a_secret, words

SPACE = "begins or ends with white space"
MARK = "begins with a byte order mark, which a program takes for a part of it"
NO_TEXT = "is not text in UTF-8, so no variable can hold it"
# A setting may well be called so: the user `default`, a log level `none`.
_NO_FILLER = frozenset({"default", "none", "null", "test", "dev", "example", "sample", "local", "*"})
Where = Callable[[str], str | None]  # in which file of the checkout a value stands

_USER_IS_PASSWORD = re.compile(r"://([^:/@\s]+):\1@")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # which holds the values once more


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

    `parts` are digests of the value and of the secrets inside it: what two values have in common there, they
    share. A setting does not have one.
    """

    where: str = field(compare=False)
    key: str = field(compare=False)
    length: int = field(compare=False)
    problem: str | None = field(compare=False)
    digest: Digest
    parts: frozenset[Digest] = field(compare=False, repr=False)
    fits_a_file: bool = field(compare=False, default=False)
    place: str = field(compare=False, default="")  # where an address leads: host, port and name alone

    @property
    def fingerprint(self) -> str:
        """The first 8 digits of its SHA-256."""
        return self.digest.fingerprint

    def wrong(self, *, in_a_file: bool) -> bool:
        """Whether something is; a file may well end with a newline or hold any bytes, a variable may not."""
        return self.problem is not None and not (in_a_file and self.fits_a_file)

    def __str__(self) -> str:
        said = f"{self.where} key {self.key} ({self.length} bytes, sha256 {self.fingerprint}…)"
        return f"{said} {self.problem}" if self.problem else said


def nowhere(_: str) -> str | None:
    """Without a checkout, nothing is known to stand in one."""
    return None


def judged(
    name: str, namespace: str, secret: Mapping[str, Any], stands: Where = nowhere
) -> dict[str, SecretValue]:
    """Every key of a Secret as the API server sends it. Never raises: a traceback may show what it held."""
    data = secret.get("data")
    values = data if isinstance(data, dict) else {}
    where = f"{name} in {namespace}"
    return {key: _judged(where, key, str(value or ""), stands) for key, value in sorted(values.items())}


def hidden(secret: Mapping[str, Any]) -> dict[str, Any]:
    """The Secret with digests in place of values; equal where the values are."""
    metadata = secret.get("metadata") or {}
    notes = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
    data = {key: str(value or "") for key, value in (secret.get("data") or {}).items()}
    digests = {key: _digest(_decoded(text) or text.encode(errors="replace")) for key, text in data.items()}
    digests |= {
        key: _digest(str(value).encode(errors="replace"))
        for key, value in (secret.get("stringData") or {}).items()
    }
    rest = {key: value for key, value in secret.items() if key not in {"data", "stringData"}}
    return {**rest, "metadata": {**metadata, "annotations": notes}, "data": digests}


def _judged(where: str, key: str, encoded: str, stands: Where) -> SecretValue:
    value = _decoded(encoded)
    if value is None:
        digest = _digest(encoded.encode(errors="replace"))
        return SecretValue(where, key, 0, "is not base64", digest, frozenset({digest}))
    digest = _digest(value)
    text = _text(value)
    if text is None or "\0" in text:  # bytes are not a filler
        parts = frozenset[Digest]() if is_certificate(value) else frozenset({digest})
        return SecretValue(where, key, len(value), NO_TEXT, digest, parts, fits_a_file=True)
    held = inside(text)
    if not held and words(key)[-1:] and names_a_secret(words(key)[-1]) and not is_public(text):
        held = None  # who calls it so means the whole
    opens = bool(held) if held is not None else not is_setting(key, text)
    shared = [text, text.strip(), *(held or [])] if opens else []
    parts = frozenset(_digest(part.encode()) for part in shared if part)  # an empty value cannot be shared
    problem = _problem(key, text, held, stands, opens=opens)
    if problem in {None, SPACE} and value != text.encode():
        problem = MARK if value.startswith(codecs.BOM_UTF8) else NO_TEXT
    fits = problem == NO_TEXT or (problem == SPACE and text.rstrip("\r\n") == text.strip())
    fits |= problem == MARK and "\n" in text.strip()
    return SecretValue(where, key, len(value), problem, digest, parts, fits, place(text))


def _text(value: bytes) -> str | None:
    """Also as Windows' programs write it."""
    utf16 = value.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return value.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _digest(value: bytes) -> Digest:
    return Digest(hashlib.sha256(value).digest())


def _problem(key: str, text: str, held: Sequence[str] | None, stands: Where, *, opens: bool) -> str | None:
    plain = text.strip()
    if not plain:
        return "is blank" if text else "is empty"
    if is_encrypted(plain):
        return "is not decrypted, or names what was not looked up"
    if not opens:
        is_filler = held is None and is_placeholder(text) and plain.lower() not in _NO_FILLER
        return "is a template's filler" if is_filler else None
    filler = _filler(key, plain, held, stands)
    return SPACE if filler is None and "\n" not in plain and text != plain else filler


def _filler(key: str, plain: str, held: Sequence[str] | None, stands: Where) -> str | None:
    """By a list, by how even it is, by the checkout's own files."""
    secrets = held or [plain]
    again = (_decoded(plain) or b"").decode(errors="replace")  # of a value that was encoded once too often
    is_secret = bool(held) or names_a_secret(key)
    is_kept = is_secret or (looks_random(plain) and words(key)[-1:] != ["id"])
    file = next(filter(None, map(stands, secrets)), None) if is_kept else None
    faults = {
        "": any(map(is_placeholder, [plain, *secrets])),
        ": programs come with it": is_secret and any(map(is_known, secrets)),
        ": it is its user's name": _USER_IS_PASSWORD.search(plain) is not None,
        ": too even for a secret": is_secret and any(map(is_even, secrets)),
        f": it stands in {file} of the checkout": file is not None,
    }
    if any(map(is_placeholder, [again, *(inside(again) or [])])):
        return "is base64 of a template's filler"
    return next((f"is a template's filler{how}" for how, is_so in faults.items() if is_so), None)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
