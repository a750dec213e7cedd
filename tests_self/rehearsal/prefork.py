"""Runs of pytest in processes forked from one that has imported what every run imports.

Hundreds of sabotages are tried, each in a pytest of its own, and starting Python with its imports costs more
than looking does. Each line of stdin is one run: {"arguments": [...], "output": FILE}; its exit status is the
line that answers on stdout.
"""

import contextlib
import gc
import importlib
import json
import os
import sys
import traceback

import pytest

# No pytest plugin: pytest rewrites the asserts of those while it imports them, so every run must.
IMPORTED = (
    "execnet",
    "httpx",
    "jinja2",
    "kubernetes.client",
    "noxgate.clients.cache",
    "noxgate.clients.database",
    "noxgate.clients.kube",
    "noxgate.clients.registry",
    "noxgate.clients.websocket",
    "numpy",
    "psycopg",
    "rich.progress",
    "yaml",
)


def main() -> None:
    for name in IMPORTED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # what is here stays, and pytest looks through all of it twice
    for line in sys.stdin:
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(run["arguments"], run["output"])
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def _run(arguments: list[str], output: str) -> None:
    """Be the run; never returns."""
    status = 3
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (file, 1), (file, 2)):
            os.dup2(source, target)
        status = int(pytest.main(arguments))
    except BaseException:  # noqa: BLE001 (nothing may go back into the process that forks)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
