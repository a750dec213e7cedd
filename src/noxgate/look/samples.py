"""What stands in texts that many people read."""

import re
from collections.abc import Mapping

_SHORTEST = 4  # characters: of less, everything stands somewhere


class Samples:
    """What stands in the files of a checkout: whoever reads them knows it, so it is no secret."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def where(self, value: str) -> str | None:
        """The file in which this is a value, quoted or after a = or a colon; None where there is none."""
        plain = value.strip().encode(errors="replace")
        if len(plain) < _SHORTEST:
            return None
        pattern = re.compile(rb"(?:[=:][ \t]*|[\"'`]|//)" + re.escape(plain) + rb"(?=[\"'`\s@;&,)}]|\Z)")
        return next((name for name, text in self._texts.items() if pattern.search(text)), None)
