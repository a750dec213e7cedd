"""An HTTP answer as checks read it, and why there is none."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from noxgate.look.observation import shortened
from noxgate.machine.late import late

if TYPE_CHECKING:
    import httpx
else:
    httpx = late("httpx")

T = TypeVar("T")
MOST_BYTES = 5_000_000  # of one answer


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. Header names are lower case; `values` keeps repeated headers apart."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    values: Mapping[str, Sequence[str]] = field(repr=False)
    text: str
    seconds: float = field(default=0, repr=False)
    content: bytes = field(default=b"", repr=False)  # as it came, where text may have lost bytes of it

    def json(self) -> Any:
        """The parsed body; AssertionError where it is not JSON (NaN, Infinity and a key twice are not)."""
        try:
            return json.loads(self.text, parse_constant=_not_json, object_pairs_hook=self._object)
        except (ValueError, RecursionError):
            raise AssertionError(f"expected JSON, saw {shortened(self.text) or 'an empty body'}") from None

    def field(self, name: str, kind: type[T]) -> T:
        """One field of a JSON object; AssertionError where it is absent or of another kind."""
        document = self.json()
        value = document.get(name) if isinstance(document, dict) else None
        expected = f"expected a JSON object with {name!r} as {kind.__name__}"
        assert isinstance(value, kind), f"{expected}, saw {shortened(self.text)}"
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        assert len(found) == len(pairs), f"expected each key once, saw {shortened(self.text)}"
        return found


def reason(error: BaseException) -> str:
    """Say in a few plain words why a connection failed, without addresses of the code that noticed."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "timed out"
    text = re.sub(r"\[Errno -?\d+\] |\[SSL: \w+\] |\s*\(_ssl\.c:\d+\)", "", str(error)).strip()
    text = text or type(error).__name__
    return text[0].lower() + text[1:]


def _not_json(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
