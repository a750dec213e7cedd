"""Clears up after a supervisor that was killed: a process that does nothing until the supervisor has ended.

The kernel's death signals end the parts at once; what those have started in turn, and the files, are left to
it. If it is killed as well, the next start clears the folder.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nox_rehearsal.world.folder import remove_if_stale
from nox_rehearsal.world.processes import python
from noxgate.look.waiting import eventually


@contextmanager
def watching(folder: Path) -> Iterator[None]:
    """Have a warden watch this process; it goes when the block is over."""
    warden = subprocess.Popen(
        python("nox_rehearsal.world.warden", str(folder)),
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with warden:  # closes its standard input at the end, and waits
        yield


def main(arguments: list[str]) -> None:
    """Wait for the end of standard input, which only the supervisor holds open; then clear its folder."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    folder = Path(arguments[0])

    def cleared() -> None:
        assert remove_if_stale(folder)

    # It stays held only if another rehearsal of that name has been started since.
    with suppress(AssertionError):
        eventually(cleared, within=2, every=0.02)


if __name__ == "__main__":
    main(sys.argv[1:])
