"""Forks a process for each request of the shim, from one that has imported what such runs import.

Ends when its standard input does. A request is the working folder, the words after `python`, and the
environment; the shim's three standard files come with it. The answers are the pid, then the exit status.
"""

import array
import importlib
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

import pytest
from tests_self.forked import preloaded

PROGRAMS = {
    "noxgate.cli": "noxgate.cli.main",
    "nox_rehearsal.api": "nox_rehearsal.api.__main__",
    "kube_standin": "kube_standin.__main__",
}


def main() -> None:
    address, program = sys.argv[1:3]
    preloaded.everything()
    sys.executable = program
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(address)
        listener.listen(64)
        selector.register(listener, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    _start(listener, selector)
                elif key.fileobj == 0:
                    return
                elif key.data is not None:
                    _finish(selector, key)


def _start(listener: socket.socket, selector: selectors.BaseSelector) -> None:
    """Take a request and fork its process; when that has ended, the selector says so."""
    connection, _ = listener.accept()
    head, rights, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(3 * 4), socket.MSG_WAITALL)
    files = array.array("i")
    files.frombytes(rights[0][2])
    request = connection.recv(struct.unpack("I", head)[0], socket.MSG_WAITALL)
    pid = os.fork()
    if pid == 0:
        _become(request, list(files))
    for file in files:
        os.close(file)
    connection.sendall(struct.pack("i", pid))
    selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, connection))
    selector.register(connection, selectors.EVENT_READ, (pid, None))


def _finish(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """The process has ended, or its shim was killed, which it does not outlive."""
    pid, connection = key.data
    if connection is None:
        selector.unregister(key.fileobj)
        os.kill(pid, signal.SIGKILL)
        return
    selector.unregister(key.fileobj)
    os.close(key.fd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        selector.unregister(connection)
        connection.sendall(struct.pack("i", status))
    except (KeyError, OSError):  # the shim is gone
        pass
    connection.close()


def _become(request: bytes, files: list[int]) -> NoReturn:
    """Be that Python; nothing returns into the server."""
    os.setsid()
    folder, count, *rest = request.decode(errors="surrogateescape").split("\0")
    words, environment = rest[: int(count)], rest[int(count) :]
    for target, file in enumerate(files):
        os.dup2(file, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({name: value for name, _, value in (entry.partition("=") for entry in environment)})
    sys.path[1:1] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = _status_of(words)
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 (as the interpreter does at its end)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _status_of(words: list[str]) -> int:
    try:
        _run(words)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        traceback.print_exc()
        sys.stderr.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001 (what Python itself prints of it)
        traceback.print_exc()
        return 1
    return 0


def _run(words: list[str]) -> None:
    """What `python -c CODE …` and `python -m MODULE …` do."""
    if words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.path[0] = ""
        main = type(sys)("__main__")
        sys.modules["__main__"] = main
        exec(words[1], vars(main))  # noqa: S102 (the test's own words)
        return
    module, arguments = (words[0][2:], words[1:]) if words[0] != "-m" else (words[1], words[2:])
    sys.path[0] = str(Path.cwd())
    if module == "pytest":
        sys.argv = [str(Path(pytest.__file__).with_name("__main__.py")), *arguments]
        sys.exit(pytest.main())
    found = importlib.import_module(PROGRAMS.get(module, module))
    sys.argv = [str(found.__file__), *arguments]
    sys.exit(found.main(arguments))


if __name__ == "__main__":
    main()
