"""Run a command; say its status, its seconds, and the most memory that one of its processes had, in kB.

A process of its own, and a small one: what a process is counted with begins as large as who started it.
"""

import json
import resource
import subprocess
import sys
import time


def main(limit: float, told: str, command: list[str]) -> None:
    """Write it to the file `told`; what the command prints is printed."""
    started = time.monotonic()
    try:
        status = subprocess.run(command, check=False, timeout=limit, stdin=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        status = -1
    seconds = time.monotonic() - started
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with open(told, "w", encoding="ascii") as file:  # noqa: PTH123 (pathlib would make this process larger)
        json.dump({"status": status, "seconds": seconds, "kilobytes": most}, file)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
