"""Called in place of Python.

A run of pytest, of the gate or of an xdist worker is forked from the server, and this process stands for it:
its files, its signals, its end. All else is the real Python's. A copy of this lies by the server's socket.
"""

import array
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path

HERE = Path(__file__).parent
KNOWN = (
    *(["-c"], ["-m", "pytest"], ["-mpytest"], ["-m", "noxgate.cli", "gate"], ["-m", "noxgate.cli", "watch"]),
    *(["-m", f"nox_rehearsal.{name}"] for name in ("api", "science.worker", "world.daemon")),
    ["-m", "kube_standin"],
)
QUIET = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED")
PATIENCE = 6000  # looks for the server, 20 ms apart
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "-u"]
    told = [name for name in os.environ if name.startswith("PYTHON") and name not in QUIET]
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    told += [path for path in paths if path and Path(path, "noxgate").is_dir()]  # another checkout's
    if told or not any(words[: len(known)] == known for known in KNOWN):
        real = str((HERE / "real").readlink())
        os.execv(real, [real, *sys.argv[1:]])  # noqa: S606 (the words that it was called with)
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    with socket.socket(socket.AF_UNIX) as server:
        _connect(server)
        environment = [f"{key}={value}" for key, value in os.environ.items()]
        parts = [str(Path.cwd()), str(len(words)), *words, *environment]
        request = "\0".join(parts).encode(errors="surrogateescape")
        files = array.array("i", [0, 1, 2])
        server.sendmsg([struct.pack("I", len(request))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
        server.sendall(request)
        (pid,) = struct.unpack("i", server.recv(4, socket.MSG_WAITALL))
        for number in FORWARDED:
            signal.signal(number, lambda number, _: os.kill(pid, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        answer = server.recv(4, socket.MSG_WAITALL)
    status = struct.unpack("i", answer)[0] if answer else 70
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _connect(server: socket.socket) -> None:
    """The server may still be importing."""
    for _ in range(PATIENCE):
        try:
            server.connect(str(HERE / "forks"))
        except (FileNotFoundError, ConnectionRefusedError):
            select.select([], [], [], 0.02)
        else:
            return
    sys.exit("the process to fork from is not there")


main()
