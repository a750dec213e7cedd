"""What stands in texts that many people read."""

import re
from collections.abc import Mapping

_SHORTEST_KEY = 60  # characters of base64: an Ed25519 key has 64
_NO_PART = re.compile(rb"\\n|[^A-Za-z0-9+/=]")  # of a key in base64
_SHORTEST = 4  # characters: of less, everything stands somewhere


class Samples:
    """What stands in the files of a checkout: everybody who reads them knows it, so it is not secret."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def where(self, value: str) -> str | None:
        """The file in which this is a value, quoted or after a = or a colon; None if it does not exist."""
        plain = value.strip().encode(errors="replace")
        if len(plain) < _SHORTEST:
            return None
        pattern = re.compile(rb"(?:[=:][ \t]*|[\"'`]|//)" + re.escape(plain) + rb"(?=[\"'`\s@;&,)}]|\Z)")
        there = (name for name, text in self._texts.items() if pattern.search(text))
        return next(there, None) or self._key(plain)

    def _key(self, plain: bytes) -> str | None:
        """The file that has this as a private key, in lines or in one."""
        if len(plain) < _SHORTEST_KEY:
            return None
        files = ((name, text) for name, text in self._texts.items() if b"PRIVATE KEY-----" in text)
        return next((name for name, text in files if plain in _NO_PART.sub(b"", text)), None)
