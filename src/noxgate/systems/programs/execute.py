"""Running a program in order to look: within a time, with little of its output kept, without our secrets."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from noxgate.errors import NoxgateError
from noxgate.systems.settings import ProgramSettings

MOST_OUTPUT = 1_000_000  # bytes of each stream
GRACE = 2.0  # seconds to tidy up after being asked to end


class ProgramError(NoxgateError):
    """The program could not be run to its end. One line."""


class StartError(ProgramError):
    """It could not even be started."""


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it wrote. A negative status is the signal that killed it."""

    status: int
    out: str
    err: str


def environment(settings: ProgramSettings) -> dict[str, str]:
    """The environment of a program: ours, less the credentials, with the profile's cluster for kubectl."""
    kept = {name: value for name, value in os.environ.items() if name not in settings.secret}
    return kept | ({"KUBECONFIG": settings.kubeconfig} if settings.kubeconfig else {})


def run(
    words: Sequence[str],
    within: float,
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    script: Path | None = None,
) -> Ended:
    """Run a command line, `script` on its standard input. Raises ProgramError if it does not end."""
    deadline = time.monotonic() + within
    with contextlib.ExitStack() as stack:
        try:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL if script is None else stack.enter_context(script.open("rb")),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise StartError(f"{words[0]}: {reason}") from None
        assert process.stdout is not None
        assert process.stderr is not None
        stack.enter_context(process.stdout)
        stack.enter_context(process.stderr)
        stack.callback(_end, process)
        out, err = _read((process.stdout, process.stderr), deadline, f"{words[0]}: no end in {within:g} s")
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise ProgramError(f"{words[0]}: no end in {within:g} s") from None
    return Ended(status, out, err)


def _read(streams: Sequence[IO[bytes]], deadline: float, late: str) -> list[str]:
    """What each stream holds, once all have been closed."""
    read = {stream.fileno(): bytearray() for stream in streams}
    with selectors.DefaultSelector() as selector:
        for stream in read:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise ProgramError(late)
            for key, _ in ready:
                more = os.read(key.fd, 65536)
                read[key.fd] += more
                if not more:
                    selector.unregister(key.fd)
                if len(read[key.fd]) > MOST_OUTPUT:
                    raise ProgramError(f"{late.partition(':')[0]}: wrote more than {MOST_OUTPUT} bytes")
    return [bytes(held).decode("utf-8", "replace") for held in read.values()]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it started; what listens to SIGTERM may tidy up."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
