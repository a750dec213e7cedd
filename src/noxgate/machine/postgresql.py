"""How a private PostgreSQL server is made and run: by the rehearsal, and for the rehearsal of a migration."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from noxgate.machine.doctor import MissingError

# The data is thrown away: nothing waits for a disk.
THROWAWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def initdb(program: Path, data: Path, superuser: str, *more: str) -> tuple[str, ...]:
    """The command that makes a data folder."""
    return (
        str(program),
        f"--pgdata={data}",
        f"--username={superuser}",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
        *more,
    )


def serve(program: Path, data: Path, settings: Mapping[str, str]) -> tuple[str, ...]:
    """The command that runs a server on it."""
    return (
        str(program),
        "-D",
        str(data),
        *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
    )


def server_user() -> pwd.struct_passwd | None:
    """Whom the server runs as, if not as we do: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise MissingError("PostgreSQL does not run as root and there is no user postgres") from None
