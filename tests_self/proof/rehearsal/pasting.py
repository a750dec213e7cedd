"""Every command that a report shows under Repeat, pasted into a shell beside the world that it is about."""

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from nox_rehearsal.parts.repository import MIGRATION, SCHEMA
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.state import World
from noxgate.systems.kubernetes.forward import REPEAT_PORT
from noxgate.systems.postgres.by_hand import BEFORE, EMPTY, MIGRATED

ROOT = Path(__file__).parents[3]
IN_VAIN = ("could not look: ", "refused: ")  # and so is the command, whoever types it
AT_ONCE = 6
SECONDS = 300.0  # that one may take


class Pasting:
    """Pastes commands, as people do who first export and install what the commands ask for."""

    def __init__(self, world: World, folder: Path, interpreter: str) -> None:
        self._world = world
        self._folder = folder  # empty: where the commands are run
        self._environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
        self._environment["PATH"] = f"{Path(interpreter).parent}:{self._environment['PATH']}"
        self._one_at_a_time = threading.Lock()

    def failed(self, results: Path, profile: Path) -> list[str]:
        """Those of a run's Repeat commands that do not end with status 0, with what they said last."""
        for peer in (self._world.profile, self._world.production_profile):
            self._environment |= _credentials(peer, f"{peer.stem.upper().replace('-', '_')}_")
        self._environment |= _credentials(profile, "")
        lines = json.loads(results.read_text(encoding="utf-8"))["lines"]
        checks = [check for line in lines for check in line["checks"]]
        looks = [look for check in checks for look in check["observations"]]
        in_vain = {look["repeat"] for look in looks if look["seen"].startswith(IN_VAIN)}
        commands = dict.fromkeys(look["repeat"] for look in looks if look["repeat"] not in in_vain)
        assert commands, "a run whose reports have no command to paste"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [said for said in pool.map(self._paste, commands) if said]

    def _paste(self, command: str) -> str | None:
        with reserved(1) as (port,):  # so that many may forward at once
            return self._run(command, port)

    def _run(self, command: str, port: int) -> str | None:
        environment = dict(self._environment)
        program, _, words = command.partition(" ")
        if program == "make":  # a load test: other tests make them
            command = f"make -n -C {shlex.quote(str(ROOT))} {words}"
        command = re.sub(rf"(?<=[ :]){REPEAT_PORT}(?=[:/])", str(port), command)  # a digest may have it, too
        # a busy machine takes longer than two seconds to start kubectl
        listens = f"grep -q ':{port:04X} 0*:0000 0A' /proc/net/tcp"
        command = command.replace("& sleep 2;", f"& until {listens}; do sleep 0.1; done;")
        if program == "skopeo" and shutil.which(program) is None:
            return None  # the one program that neither the project nor its rehearsal installs
        for variable, files in ((EMPTY, ()), (BEFORE, (SCHEMA,)), (MIGRATED, (SCHEMA, MIGRATION))):
            if f"${{{variable}:?" in command:
                environment[variable] = self._database(files)
        try:
            ended = subprocess.run(
                ["bash", "-c", command],
                env=environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{command}\n  took more than {SECONDS:g} s"
        said = (ended.stderr or ended.stdout).decode(errors="replace").strip()[-400:]
        return f"{command}\n  ended with {ended.returncode}: {said}" if ended.returncode else None

    def _database(self, files: Sequence[str]) -> str:
        """A new database of the world's server, with what these files of the release make of it."""
        name = f"pasted_{secrets.token_hex(4)}"
        with self._one_at_a_time, psycopg.connect(self._world.dsn, autocommit=True) as connection:
            owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
            ((role,),) = connection.execute(owner, [urlsplit(self._world.production_dsn).path[1:]])
            create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(role)))
        url = urlunsplit(urlsplit(self._world.dsn)._replace(path=f"/{name}"))
        for file in files:
            path = self._world.source / file
            words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", str(path)]
            ended = subprocess.run(words, check=False, capture_output=True, text=True)
            assert ended.returncode == 0, ended.stderr
        return url


def _credentials(profile: Path, prefix: str) -> dict[str, str]:
    """What the profile's env_file sets."""
    (file,) = re.findall(r'^env_file = "(.*)"$', profile.read_text(encoding="utf-8"), re.MULTILINE)
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return {f"{prefix}{name}": value for name, _, value in (line.partition("=") for line in lines)}
