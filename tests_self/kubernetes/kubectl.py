"""The real kubectl, as the tests of it call it."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kubectl:
    """kubectl with the stand-in's kubeconfig, in one namespace."""

    path: str
    config: Path
    namespace: str

    def command(self, *arguments: str) -> list[str]:
        return [self.path, f"--kubeconfig={self.config}", "-n", self.namespace, *arguments]

    def __call__(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        """What it prints. Raises AssertionError if it ends in another way than it should."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, check=False, timeout=120
        )
        output = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, output
        return output

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start it, and end it in the end, or when it takes too long."""
        process = subprocess.Popen(
            self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.terminate()
            process.communicate(timeout=60)


def rows(output: str) -> list[list[str]]:
    """The cells of a printed table, without its last line's end."""
    return [line.split() for line in output.splitlines()]
