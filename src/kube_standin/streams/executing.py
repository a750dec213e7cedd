"""Exec over a websocket: a real program on this machine, one of those that the pod is allowed to run."""

import asyncio
import fcntl
import json
import os
import pty
import signal
import struct
import termios
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.websockets import WebSocket

from kube_standin.settings import Place
from kube_standin.wire.answers import Json

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
CHUNK = 32 * 1024
SIGNALLED = 128  # a shell's exit status for a program that a signal has ended


@dataclass(frozen=True)
class ExecRequest:
    """What is to be run, and which of its streams the client wants."""

    command: Sequence[str]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


async def execute(socket: WebSocket, wish: ExecRequest, place: Place) -> None:
    """Run the program and report how it ended on the error channel."""
    program = place.programs.get(wish.command[0])
    if program is None:
        await _finish(socket, _not_found(wish.command[0]))
        return
    running = _Running(socket, wish)
    try:
        await running.start([*program, *wish.command[1:]], place)
    except OSError:
        await _finish(socket, _not_found(wish.command[0]))
        return
    try:
        status = await running.until_end()
    finally:
        running.kill()
    if status is not None:
        await _finish(socket, _ended(status))


class _Running:
    """One running program and the pumps of its streams."""

    def __init__(self, socket: WebSocket, wish: ExecRequest) -> None:
        self._socket = socket
        self._wish = wish
        self._terminal = -1
        self._process: asyncio.subprocess.Process | None = None
        self._outputs: list[asyncio.Task[None]] = []

    async def start(self, command: Sequence[str], place: Place) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"} | dict(place.environment)
        there = asyncio.subprocess.PIPE
        nowhere = asyncio.subprocess.DEVNULL
        inner = -1
        if self._wish.tty:
            self._terminal, inner = pty.openpty()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=inner if self._wish.tty else there if self._wish.stdin else nowhere,
                stdout=inner if self._wish.tty else there,
                stderr=inner if self._wish.tty else there,
                cwd=place.folder or None,
                env=environment,
                start_new_session=True,  # so that its children can be ended with it
            )
        except OSError:
            self._close_terminal()
            raise
        finally:
            if inner >= 0:
                os.close(inner)
        if self._wish.tty:
            self._outputs = [asyncio.create_task(self._pump_terminal())]
        else:
            streams = (
                (STDOUT, self._process.stdout, self._wish.stdout),
                (STDERR, self._process.stderr, self._wish.stderr),
            )
            self._outputs = [
                asyncio.create_task(self._pump(channel, stream, wanted=wanted))
                for channel, stream, wanted in streams
                if stream is not None
            ]

    async def until_end(self) -> int | None:
        """The exit status, or None if the client left before."""
        assert self._process is not None, "started before"
        ended = asyncio.create_task(self._process.wait())
        inputs = asyncio.create_task(self._take_input())
        done, _ = await asyncio.wait({ended, inputs}, return_when=asyncio.FIRST_COMPLETED)
        if ended not in done:
            ended.cancel()
            return None
        await asyncio.wait(self._outputs)
        inputs.cancel()
        return ended.result()

    def kill(self) -> None:
        """End the program and what it has started, if they still run."""
        for task in self._outputs:
            task.cancel()
        self._close_terminal()
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    async def _take_input(self) -> None:
        """What the client sends, until it leaves."""
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            data: bytes = message.get("bytes") or (message.get("text") or "").encode()
            match data[:1]:
                case b"\x00":
                    await self._write(data[1:])
                case b"\x04":
                    self._resize(data[1:])
                case b"\xff" if data[1:] == b"\x00":
                    await self._end_input()

    async def _write(self, data: bytes) -> None:
        if self._terminal >= 0:
            with suppress(OSError):
                os.write(self._terminal, data)
        elif self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(data)
                await self._process.stdin.drain()

    async def _end_input(self) -> None:
        if self._terminal >= 0:
            await self._write(b"\x04")  # what a terminal says at the end
        elif self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _resize(self, data: bytes) -> None:
        if self._terminal < 0:
            return
        with suppress(ValueError, KeyError, struct.error, OSError):
            size = json.loads(data)
            window = struct.pack("HHHH", size["Height"], size["Width"], 0, 0)
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, window)

    async def _pump(self, channel: int, stream: asyncio.StreamReader, *, wanted: bool) -> None:
        while data := await stream.read(CHUNK):
            if wanted:
                await self._socket.send_bytes(bytes([channel]) + data)

    async def _pump_terminal(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await loop.run_in_executor(None, os.read, self._terminal, CHUNK)
            except OSError:  # the program has closed the terminal
                return
            if not data:
                return
            await self._socket.send_bytes(bytes([STDOUT]) + data)

    def _close_terminal(self) -> None:
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1


async def _finish(socket: WebSocket, status: Json) -> None:
    with suppress(RuntimeError):  # the client may have left
        await socket.send_bytes(bytes([ERROR]) + json.dumps(status).encode())
        await socket.close(1000)


def _ended(status: int) -> Json:
    if status == 0:
        return {"metadata": {}, "status": "Success"}
    code = SIGNALLED - status if status < 0 else status
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _not_found(program: str) -> Json:
    """What a container runtime says of a program that the image does not have."""
    why = "no such file or directory" if Path(program).is_absolute() else "executable file not found in $PATH"
    message = (
        "Internal error occurred: error executing command in container: failed to exec in container: "
        "failed to start "
        f'exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "{program}": '
        f"{why}: unknown"
    )
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }
