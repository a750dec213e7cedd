"""WebSocket bytes against wsproto as oracle, and each rule of the standard by itself."""

import base64
import hashlib
import random
import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection, ConnectionState
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage

from noxgate_load.http.frames import (
    BINARY,
    CLOSE,
    HEADERS,
    PING,
    PONG,
    TEXT,
    Frames,
    Message,
    Upgrade,
    close_code,
    frame,
)
from noxgate_load.samples import Reason, WireError

MOST = 200_000
LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 70_000)
LINES = ["GET /ws HTTP/1.1", "host: localhost", *(f"{key}: {value}" for key, value in HEADERS.items())]
HEAD = "\r\n".join([*LINES, "", ""]).encode()
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n"
WEBSOCKET = b"upgrade: websocket\r\nconnection: upgrade\r\n"


def served(first: int, payload: bytes, form: int = 0) -> bytes:
    """A frame as servers send it, its length in the fewest bytes or in this `form` (126, 127)."""
    size = len(payload)
    form = form or (size if size < 126 else 126 if size < 1 << 16 else 127)
    more = {126: struct.pack(">H", size & 0xFFFF), 127: struct.pack(">Q", size)}.get(form, b"")
    return bytes((first, form)) + more + payload


def whole(kind: int, payload: bytes) -> bytes:
    return served(0x80 | kind, payload)


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    ends = [0, *sorted(at), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


def ours(pieces: Iterable[bytes]) -> tuple[list[Message], Reason]:
    """What we make of it, and why we stop."""
    frames, found = Frames(MOST), []
    try:
        for piece in pieces:
            found += frames.feed(piece)
    except WireError as error:
        return found, error.reason
    return found, Reason.NONE


def oracle(pieces: Iterable[bytes]) -> tuple[list[Message], int]:
    """What wsproto makes of it, and the code that it would close with; 0 where it is content."""
    connection = Connection(ConnectionType.CLIENT)
    found: list[Message] = []
    message: list[bytes] = []
    for piece in pieces:
        if connection.state is not ConnectionState.OPEN:
            break
        connection.receive_data(piece)
        for event in connection.events():
            if isinstance(event, TextMessage | BytesMessage):
                message.append(event.data.encode() if isinstance(event, TextMessage) else bytes(event.data))
                if event.message_finished:
                    found.append((TEXT if isinstance(event, TextMessage) else BINARY, b"".join(message)))
                    message.clear()
            elif isinstance(event, Ping | Pong):
                found.append((PING if isinstance(event, Ping) else PONG, bytes(event.payload)))
            elif isinstance(event, CloseConnection):
                if connection.state is ConnectionState.OPEN:  # its own word
                    return found, event.code
                said = (event.reason or "").encode()
                found.append((CLOSE, b"" if event.code == 1005 else struct.pack(">H", event.code) + said))
    return found, 0


def conversation(draw: random.Random) -> bytes:
    """Mostly what a server may say: messages in one piece or some, control frames between them."""
    said = b""
    for _ in range(draw.randrange(1, 5)):
        accents = "é" * draw.choice([1, 62, 63, 64, 40_000])
        text = draw.choice(["", "hello", accents, "x" * draw.choice(LENGTHS)])
        kind, payload = draw.choice([(TEXT, text.encode()), (BINARY, draw.randbytes(draw.choice(LENGTHS)))])
        places = [draw.randint(0, len(payload)) for _ in range(draw.choice([0, 0, 1, 3]))]
        pieces = cut(payload, places)
        for number, piece in enumerate(pieces):
            final = 0x80 if number == len(pieces) - 1 else 0
            said += served(final | (kind if number == 0 else 0), piece)
            if draw.random() < 0.3:
                said += whole(draw.choice([PING, PONG]), draw.randbytes(draw.choice([0, 4, 125])))
    if draw.random() < 0.5:
        said += whole(CLOSE, draw.choice([b"", b"\x03\xe8", b"\x03\xf3why", b"\x0b\xb8" + "é".encode()]))
    return said


def test_what_servers_say_is_read_as_wsproto_reads_it() -> None:
    for seed in range(100):
        draw = random.Random(seed)  # noqa: S311
        said = conversation(draw)
        pieces = cut(said, [draw.randint(0, len(said)) for _ in range(draw.randrange(6))])
        found, code = oracle(pieces)
        assert (code, ours(pieces)) == (0, (found, Reason.NONE)), seed


def test_what_wsproto_refuses_is_refused() -> None:
    """A conversation with some bytes changed, heads of frames above all."""
    refused = 0
    for seed in range(1000):
        draw = random.Random(seed)  # noqa: S311
        said = bytearray(conversation(draw)[:400])
        for _ in range(draw.randint(1, 3)):
            said[min(len(said) - 1, draw.choice([0, 1, 2, draw.randrange(400)]))] = draw.randrange(256)
        found, reason = ours([bytes(said)])
        its, code = oracle([bytes(said)])
        refused += bool(reason)
        if not code and not reason:
            assert found == its, seed
        elif code and not reason:
            assert code == 1007, seed  # it does not wait for the end of a text that never began
        elif reason and not code:
            # it waits for the rest of what is too big for us, and knows more codes of a close than there are
            assert reason is Reason.TOO_BIG or its[-1][0] == CLOSE, seed
    assert 300 < refused < 900, "else this tries nothing"


@pytest.mark.parametrize(
    "said",
    [
        served(0xC1, b"x"),  # reserved bits
        served(0x91, b"x"),
        served(0x83, b"x"),  # kinds that there are not
        served(0x8B, b"x"),
        served(0x81, b"")[:1] + b"\x81key!x",  # masked
        served(0x81, b"")[:1] + b"\xfe\x00\x80key!",
        served(0x09, b""),  # control frames in pieces, or long
        served(0x89, b"x" * 126),
        served(0x88, b"\x03\xe8" + b"x" * 124),
        served(0x80, b"x"),  # the rest of nothing
        served(0x01, b"x") + served(0x81, b"y"),  # a message within another
        served(0x81, b"x" * 125, 126),  # lengths in more bytes than they need
        served(0x81, b"x" * 65_535, 127),
        b"\x81\x7f\x80" + bytes(7),
        whole(TEXT, b"\xff"),
        whole(TEXT, "é".encode()[:1]),
        served(0x01, "é".encode()[:1]) + served(0x80, b"x"),
        whole(CLOSE, b"\x03"),
        *(whole(CLOSE, struct.pack(">H", code)) for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)),
        whole(CLOSE, b"\x03\xe8\xff"),
    ],
)
def test_each_rule(said: bytes) -> None:
    assert ours([said]) == ([], Reason.MALFORMED)
    assert ours(said[place : place + 1] for place in range(len(said)))[1] is Reason.MALFORMED


def test_text_may_be_cut_anywhere() -> None:
    said = served(0x01, "é".encode()[:1]) + whole(PING, b"") + served(0x80, "é".encode()[1:])
    assert ours([said]) == ([(PING, b""), (TEXT, "é".encode())], Reason.NONE)


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4999])
def test_codes_of_a_close(code: int) -> None:
    said = whole(CLOSE, struct.pack(">H", code) + b"why")
    ((kind, payload),), _ = ours([said + b"whatever follows"])
    assert (kind, close_code(payload)) == (CLOSE, code)
    assert close_code(b"") == 1005


def test_too_big_is_said_before_it_has_come() -> None:
    assert ours([b"\x81\x7f" + (MOST + 1).to_bytes(8, "big")]) == ([], Reason.TOO_BIG)
    half = served(0x01, bytes(MOST // 2))
    assert ours([half, served(0x00, bytes(MOST // 2)), b"\x00\x01"])[1] is Reason.TOO_BIG


@pytest.mark.parametrize("size", LENGTHS)
def test_what_we_send_is_what_wsproto_reads(size: int) -> None:
    server = Connection(ConnectionType.SERVER)
    text = "x" * size
    said = [frame(TEXT, text.encode()), frame(PONG, b"p" * min(size, 125)), frame(CLOSE, b"\x03\xe8")]
    server.receive_data(b"".join(said))
    first, second, third = _joined(server)
    assert (first, second, third) == (text, b"p" * min(size, 125), 1000)
    assert len({frame(TEXT, b"same") for _ in range(20)}) == 20, "each frame has a mask of its own"


def _joined(server: Connection) -> list[object]:
    found: list[object] = []
    text = ""
    for event in server.events():
        match event:
            case TextMessage(data=data):
                text += data
                if event.message_finished:
                    found.append(text)
            case Pong(payload=payload):
                found.append(bytes(payload))
            case CloseConnection(code=code):
                found.append(code)
    return found


def test_an_upgrade_with_wsproto_byte_by_byte() -> None:
    upgrade, server = Upgrade(HEAD), WSConnection(ConnectionType.SERVER)
    server.receive_data(upgrade.request)
    (asked,) = server.events()
    assert isinstance(asked, Request)
    assert asked.target == "/ws"
    answer = server.send(AcceptConnection())
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    said = [*(bytes([byte]) for byte in early + answer[:-1]), answer[-1:] + whole(TEXT, b"hi")]
    assert [upgrade.feed(piece) for piece in said] == [0] * (len(said) - 1) + [101]
    assert ours([upgrade.rest]) == ([(TEXT, b"hi")], Reason.NONE)


def agreed(upgrade: Upgrade) -> bytes:
    key = upgrade.request.partition(b"sec-websocket-key: ")[2].strip()
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    return b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"upgrade: websocket\r\n", b""),
        (b"connection: upgrade\r\n", b""),
        (b"upgrade: h2c\r\nconnection: upgrade\r\n", b""),
        (WEBSOCKET, b"sec-websocket-extensions: permessage-deflate\r\n"),
        (WEBSOCKET, b"sec-websocket-protocol: chat\r\n"),
        (WEBSOCKET, b"sec-websocket-accept: other\r\n"),
    ],
)
def test_agreements_to_something_else(before: bytes, after: bytes) -> None:
    upgrade = Upgrade(HEAD)
    with pytest.raises(WireError) as caught:
        upgrade.feed(SWITCHING + before + agreed(upgrade) + after + b"\r\n")
    assert caught.value.reason is Reason.MALFORMED


def test_an_answer_to_another_key() -> None:
    upgrade = Upgrade(HEAD)
    with pytest.raises(WireError):
        upgrade.feed(SWITCHING + WEBSOCKET + agreed(Upgrade(HEAD)) + b"\r\n")


def test_refusals_and_heads_without_end() -> None:
    refusal = b"HTTP/1.1 426 Upgrade Required\r\n" + WEBSOCKET + b"content-length: 2\r\n\r\nno"
    assert Upgrade(HEAD).feed(refusal) == 426
    with pytest.raises(WireError):
        Upgrade(HEAD).feed(b"HTTP/1.1 101 S\r\n" + b"x: y\r\n" * 20_000)
    with pytest.raises(WireError):
        Upgrade(HEAD).feed(b"HTTP/1.1 102 Processing\r\n\r\n" * 5_000)
