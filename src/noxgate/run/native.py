"""The shared libraries of this process: each the system's, Python's own, or of a package.

LD_PRELOAD and its like put one before all others, and Python sees no module of it.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

MAPS = Path("/proc/self/maps")
# What an administrator, or the distribution, puts there.
SYSTEMS = ("/lib", "/usr/", "/etc/", "/opt/", "/nix/store/", "/snap/")
_EXECUTABLE = re.compile(r"^\S+ ..x. \S+ \S+ \S+ +(?P<path>/.*)$", re.MULTILINE)
_NO_FILE = re.compile(r"/(memfd:|dev/|SYSV)")
_DELETED = " (deleted)"


def libraries() -> Iterator[Path]:
    """The files whose code is in this process, but for the system's and Python's own."""
    try:
        said = MAPS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # a system that does not tell
        return
    own = tuple(f"{os.path.realpath(place)}/" for place in (sys.base_prefix, sys.base_exec_prefix))
    executable = os.path.realpath(sys.executable)
    for path in dict.fromkeys(_EXECUTABLE.findall(said)):
        file = path.removesuffix(_DELETED)
        if file == executable or _NO_FILE.match(file) or file.startswith(SYSTEMS):
            continue
        if file.startswith(own) and "site-packages" not in file:
            continue
        yield Path(file)
