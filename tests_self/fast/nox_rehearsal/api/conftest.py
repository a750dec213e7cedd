"""The servers behind the API, and the API itself."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests_self.fast.nox_rehearsal.api.serving import (
    MIGRATION,
    POSTGRES,
    Api,
    Servers,
    answers,
    process,
    serving,
)

from nox_rehearsal.checkout import NOX
from nox_rehearsal.world.ports import reserved
from noxgate.look.waiting import eventually


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    owner = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    folder = Path(tempfile.mkdtemp(prefix="nox-api-", dir="/var/tmp"))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    as_owner: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "cwd": folder}
    if os.getuid() == 0:
        as_owner["extra_groups"] = []
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    data = str(folder / "data")
    initdb = [str(POSTGRES / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"]
    subprocess.run(initdb, check=True, timeout=60, **as_owner, **silent)
    with ExitStack() as stack:
        found = Servers(*stack.enter_context(reserved(2)))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # 'fsync' off: the data is thrown away
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        database = [str(POSTGRES / "postgres"), "-D", data, "-p", str(found.postgres), *options]
        stack.enter_context(process(database, **as_owner, **silent))
        redis = ["redis-server", "--port", found.redis_url[-7:-2], "--bind", "127.0.0.1", "--save", ""]
        stack.enter_context(process(redis, cwd=folder, **silent))
        eventually(lambda: answers(found), within=60, every=0.05)
        for name in ("seed_7", "seed_8"):
            found.execute("postgres", f"CREATE DATABASE {name}")
            done = found.psql(name, NOX / "db" / "schema_7.9.3.sql", NOX / "db" / "seed.sql")
            assert (done.returncode, done.stderr) == (0, "")
        done = found.psql("seed_8", MIGRATION)
        assert (done.returncode, done.stderr) == (0, "")
        yield found


@pytest.fixture(scope="session")
def shared(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """8.0.0 on its own schema."""
    with serving(servers, tmp_path_factory.mktemp("api"), "8.0.0", servers.fresh("seed_8")) as api:
        yield api


@pytest.fixture
def api(shared: Api) -> Iterator[Api]:
    """The shared API, without faults before and after."""
    yield shared
    shared.faults.unlink(missing_ok=True)
