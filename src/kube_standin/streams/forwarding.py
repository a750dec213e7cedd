"""Port-forward over a websocket: the Python client's channels, and kubectl's SPDY streams in a tunnel."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from starlette.websockets import WebSocket

from kube_standin.streams import spdy
from kube_standin.streams.spdy import Codec, Frame

CHANNELS = "v4.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
PROTOCOLS = (TUNNEL, CHANNELS)
CHUNK = 32 * 1024

Find = Callable[[int], tuple[str, int] | None]
Send = Callable[[bytes], Awaitable[None]]


async def by_channels(socket: WebSocket, ports: Sequence[int], find: Find) -> None:
    """Each port has two channels, data and error; each begins with the port's number."""
    connections = [Connection(port) for port in ports]
    for index, connection in enumerate(connections):
        for channel in (2 * index, 2 * index + 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", connection.port))
    try:
        for index, connection in enumerate(connections):
            await connection.open(find, _to_channel(socket, 2 * index), _to_channel(socket, 2 * index + 1))
        while (message := await socket.receive())["type"] == "websocket.receive":
            data: bytes = message.get("bytes") or (message.get("text") or "").encode()
            channel = data[0] if data else 1
            if channel % 2 == 0 and channel < 2 * len(connections):
                await connections[channel // 2].write(data[1:])
    finally:
        for connection in connections:
            connection.close()


async def by_tunnel(socket: WebSocket, find: Find) -> None:
    """SPDY in binary messages: for each connection of the client's, an error and a data stream."""
    tunnel = _Tunnel(socket, find)
    try:
        while (message := await socket.receive())["type"] == "websocket.receive":
            await tunnel.feed(message.get("bytes") or b"")
    except ValueError:
        await socket.close(1002)
    finally:
        tunnel.close()


class Connection:
    """One connection to a pod's real port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._writer: asyncio.StreamWriter | None = None
        self._pump: asyncio.Task[None] | None = None

    async def open(
        self, find: Find, send: Send, fail: Send, end: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Connect and pass on what the port says; `fail` is told why it cannot be reached."""
        address = find(self.port)
        try:
            if address is None:
                raise ConnectionRefusedError
            reader, self._writer = await asyncio.open_connection(*address)
        except OSError:
            await fail(
                f"failed to connect to localhost:{self.port} inside namespace: dial tcp "
                f"127.0.0.1:{self.port}: "
                "connect: connection refused".encode()
            )
            if end is not None:
                await end()
            return
        self._pump = asyncio.create_task(_pump(reader, send, end))

    async def write(self, data: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            with suppress(OSError):
                self._writer.write(data)
                await self._writer.drain()

    def end_of_input(self) -> None:
        """The client has said all it has to say."""
        if self._writer is not None and self._writer.can_write_eof() and not self._writer.is_closing():
            with suppress(OSError):
                self._writer.write_eof()

    def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
        if self._writer is not None:
            self._writer.close()


class _Tunnel:
    def __init__(self, socket: WebSocket, find: Find) -> None:
        self._socket = socket
        self._find = find
        self._codec = Codec()
        self._errors: dict[str, int] = {}  # request id -> its error stream
        self._connections: dict[int, Connection] = {}  # data stream -> connection

    async def feed(self, data: bytes) -> None:
        for frame in self._codec.feed(data):
            await self._take(frame)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    async def _take(self, frame: Frame) -> None:
        match frame.kind:
            case 0:
                await self._data(frame)
            case spdy.SYN_STREAM:
                await self._begin(frame)
            case spdy.RST_STREAM:
                if connection := self._connections.pop(frame.stream, None):
                    connection.close()
            case spdy.PING:
                await self._socket.send_bytes(self._codec.ping(frame.data))

    async def _data(self, frame: Frame) -> None:
        connection = self._connections.get(frame.stream)
        if connection is None:
            return
        if frame.data:
            await connection.write(frame.data)
        if frame.fin:
            connection.end_of_input()

    async def _begin(self, frame: Frame) -> None:
        headers = frame.headers
        request, kind = headers.get("requestid", ""), headers.get("streamtype")
        port = headers.get("port", "")
        if kind not in {"data", "error"} or not port.isdigit():
            await self._socket.send_bytes(self._codec.reset(frame.stream))
            return
        await self._socket.send_bytes(self._codec.reply(frame.stream))
        if kind == "error":
            self._errors[request] = frame.stream
            return
        error = self._errors.pop(request, 0)
        connection = Connection(int(port))
        self._connections[frame.stream] = connection

        async def end() -> None:
            for stream in filter(None, (frame.stream, error)):
                await self._socket.send_bytes(self._codec.data(stream, b"", fin=True))

        await connection.open(self._find, self._sender(frame.stream), self._sender(error), end)

    def _sender(self, stream: int) -> Send:
        async def send(data: bytes) -> None:
            await self._socket.send_bytes(self._codec.data(stream, data))

        return send


def _to_channel(socket: WebSocket, channel: int) -> Send:
    async def send(data: bytes) -> None:
        await socket.send_bytes(bytes([channel]) + data)

    return send


async def _pump(reader: asyncio.StreamReader, send: Send, end: Callable[[], Awaitable[None]] | None) -> None:
    with suppress(OSError, RuntimeError):  # RuntimeError: the websocket was closed in between
        while data := await reader.read(CHUNK):
            await send(data)
        if end is not None:
            await end()
