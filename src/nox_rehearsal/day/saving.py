"""Before the release: what is saved for the way back, and the migration, by the real pg_dump and psql."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import yaml

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.cluster.objects import GREEN, PRODUCTION, Api
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import repository
from nox_rehearsal.world.profile import BACKUPS
from nox_rehearsal.world.state import World
from noxgate.machine import doctor

_SCRIPT = ROOT / "docs" / "backup.psql"
LIMIT = 60.0  # seconds that each program may take
# What the runbook's `kubectl get all` leaves out is what the way back needs most.
KINDS = (
    "Deployment",
    "Service",
    "Ingress",
    "ConfigMap",
    "HorizontalPodAutoscaler",
    "NetworkPolicy",
    "Role",
    "RoleBinding",
)
_SERVERS = ("resourceVersion", "uid", "creationTimestamp", "managedFields", "generation", "selfLink")


def folder(world: World) -> Path:
    """Where the profile says that the night's files are."""
    return world.folder / BACKUPS


def stamp() -> str:
    """As the runbook's `date +%Y%m%d_%H%M%S`."""
    return f"{datetime.now(UTC):%Y%m%d_%H%M%S}"


def back_up(world: World) -> Path:
    """Dump production's database, with its checksum and what its tables hold at that moment beside it."""
    home = folder(world)
    home.mkdir(mode=0o700, exist_ok=True)
    return dump(world.production_dsn, home / f"backup_pre_v{world.version}_{stamp()}.sql")


def dump(url: str, file: Path, form: str = "plain") -> Path:
    """Dump a database into a file, with what its tables hold beside it, as docs/BACKUP.md says.

    In plain SQL, or another form of pg_dump's that makes one file.
    """
    tables, script = _beside(file, ".tables"), f"--file={_SCRIPT}"
    words = ("psql", "-X", "-q", "-At", "-F\t", f"--set=file={file}", f"--output={tables}", script)
    _run(words, url, subprocess.DEVNULL, form=form)
    seal(file)
    return file


def seal(file: Path) -> None:
    """As `sha256sum FILE > FILE.sha256`."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    _beside(file, ".sha256").write_text(f"{digest}  {file.name}\n", encoding="ascii")


def migrate(world: World) -> None:
    """Run the release's migration on production, its output kept."""
    log = folder(world) / f"migration_v{world.version}_{stamp()}.log"
    script = world.source / repository.MIGRATION
    words = ("psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={script}")
    with log.open("wb") as output:
        _run(words, world.production_application_dsn, output, errors=subprocess.STDOUT)


def save_manifests(world: World, api: Api) -> Path:
    """Every object of nox-production that can be put back, without what the server writes itself."""
    items = [_plain(each) for kind in KINDS for each in _kept(api, kind)]
    file = folder(world) / f"rollback_manifests_{stamp()}.yaml"
    document = {"apiVersion": "v1", "kind": "List", "items": items}
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return file


def keep_green(world: World, api: Api) -> None:
    """Green's logs and descriptions, as the runbook's kubectl lines would write them."""
    pods = [each["metadata"]["name"] for each in api.list("Pod", GREEN)]
    logs = [
        f"[pod/{pod}/nox-api] {line}\n"
        for pod in pods
        for line in (world.folder / "log" / f"{pod}.log").read_text(encoding="utf-8").splitlines()
    ]
    (folder(world) / f"green-logs-{stamp()}.txt").write_text("".join(logs), encoding="utf-8")
    described = [f"Name:             {pod}\nNamespace:        {GREEN}\n" for pod in pods]
    (folder(world) / f"green-pods-{stamp()}.txt").write_text("\n\n".join(described), encoding="utf-8")


def note_times(world: World, steps: Mapping[str, datetime], name: str = "") -> None:
    """When each step of a rollback was done."""
    lines = [f"{at.isoformat(timespec='milliseconds')} {what}\n" for what, at in steps.items()]
    (folder(world) / f"rollback-times-{name or stamp()}.txt").write_text("".join(lines), encoding="utf-8")


def _kept(api: Api, kind: str) -> Iterator[dict[str, Any]]:
    """The objects of a kind, but for those that the cluster makes by itself."""
    version, _ = api.resource(kind)
    for each in api.list(kind, PRODUCTION):
        if each["metadata"]["name"] != "kube-root-ca.crt" and not each["metadata"].get("ownerReferences"):
            yield {"apiVersion": version, "kind": kind, **each}


def _plain(thing: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in thing["metadata"].items() if key not in _SERVERS}
    return {key: value for key, value in thing.items() if key != "status"} | {"metadata": metadata}


def _run(
    words: tuple[str, ...], url: str, output: IO[bytes] | int, errors: int = subprocess.PIPE, form: str = ""
) -> None:
    """Run a program of PostgreSQL; RehearsalError with its last words where it fails."""
    address = urlsplit(url)
    programs = doctor.program("pg_dump").parent  # for the script, which starts it
    environment = {
        "PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}",
        "LANG": "C.UTF-8",
        "FORMAT": form,
        "PGHOST": str(address.hostname),
        "PGPORT": str(address.port),
        "PGDATABASE": address.path.lstrip("/"),
        "PGUSER": str(address.username),
        "PGPASSWORD": unquote(address.password or ""),
    }
    command = (str(doctor.program(words[0])), *words[1:])
    done = subprocess.run(
        command,
        env=environment,
        stdout=output,
        stderr=errors,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=LIMIT,
    )
    if done.returncode != 0:
        said = done.stderr or b""
        raise RehearsalError(
            f"{words[0]} ended with {done.returncode}: {' '.join(said.decode().split())[-300:]}"
        )


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)
