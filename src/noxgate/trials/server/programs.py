"""The programs of a scratch server, and the script that keeps one running for as long as we do."""

import os
import re
import shlex
import subprocess
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.machine import postgresql
from noxgate.machine.doctor import POSTGRESQL, paste

_PROGRAMS = ("initdb", "postgres", "psql", "pg_dump")
_SETTINGS = postgresql.THROWAWAY | {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "20",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "autovacuum": "off",  # it would take locks of its own
}


def programs(major: int, folder: Path | None = None) -> Path:
    """The folder with the programs of this major version. Raises UnreachableError if it does not exist."""
    home = folder or POSTGRESQL / str(major) / "bin"
    missing = [name for name in _PROGRAMS if not os.access(home / name, os.X_OK)]
    if missing:
        raise UnreachableError(
            f"no {', '.join(missing)} in {home}: the scratch server must be PostgreSQL {major} as the target "
            f"is: {paste([f'postgresql-{major}'])}, or name its folder with postgres_bin in the profile"
        )
    answer = subprocess.run([home / "postgres", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)(?:\.\d+)?", answer.stdout)
    if found is None or int(found[1]) != major:
        seen = answer.stdout.strip() or f"exit status {answer.returncode}"
        raise UnreachableError(f"{home}/postgres: expected PostgreSQL {major} as the target is, saw {seen}")
    return home


def kept_script(folder: Path, programs: Path, superuser: str) -> str:
    """A shell script that runs a server of the folder until its input ends, and leaves nothing behind.

    The kernel ends that input when we close it, and when we are killed: whichever of our threads started the
    shell, which the kernel's death signal would ask for. A server that has just begun ignores the signal to
    end, so it is sent until the server is gone.
    """
    data, quoted = folder / "data", shlex.quote(str(folder))
    settings = _SETTINGS | {"unix_socket_directories": str(folder)}
    initdb = postgresql.initdb(programs / "initdb", data, superuser, "--auth=trust")
    serve = postgresql.serve(programs / "postgres", data, settings)
    return f"""
exec 3<&0 </dev/null
if {shlex.join(initdb)} 3<&-; then
    {shlex.join(serve)} 3<&- &
    server=$!
    (read -r _ <&3; while kill -QUIT "$server" 2>/dev/null; do sleep 0.1; done) &
    watch=$!
    wait "$server"
    kill "$watch" 2>/dev/null
fi
rm -rf -- {quoted}
exit 1
"""
