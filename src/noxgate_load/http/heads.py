"""Heads of answers that llhttp has read: one that is the same, byte for byte, says the same again.

Servers give the same head to the same request but for its date, which changes once a second. What is known of
a head is only used where all of the answer came at once, no byte too few or too many: llhttp reads all else.
"""

MOST = 1024  # of an endpoint; one of others that all differ costs what it takes to keep it
END = b"\r\n\r\n"

Known = tuple[int, bytes, int]  # its status, itself without its end, and the size of its body


class Heads:
    """Those of one endpoint whose connections stay, and whose bodies are of a length that they say."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def split(self, data: bytes) -> tuple[int, bytes, bytes] | None:
        """Status, head and body of bytes that are a whole answer and nothing else, if its head is known."""
        end = data.find(END) + len(END)
        known = self._known.get(data[:end])
        if known is None:
            return None
        status, head, size = known
        if len(data) != end + size:
            return None
        return status, head, data[end:]

    def learn(self, status: int, head: bytes, size: int) -> None:
        """Keep what llhttp read: of a connection that stays, the body neither chunked nor encoded."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[head + END] = (status, head, size)
