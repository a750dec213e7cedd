"""What a rehearsal consists of and the order in which it starts: NOX's staging environment on loopback."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from noxgate.rehearsal import certificates, ingress, pods, postgres, redis
from noxgate.rehearsal.api.auth import mint
from noxgate.rehearsal.ingress_conf import Site
from noxgate.rehearsal.leftovers import look
from noxgate.rehearsal.ports import free_ports
from noxgate.rehearsal.processes import Crew
from noxgate.rehearsal.profile import Profile
from noxgate.rehearsal.state import Server, World

VERSION = "8.0.0"
PODS = 3
ADMIN, USER = 1, 2  # ids of two of the seed's users
TOKEN_HOURS = 72.0  # longer than the window that a rehearsal plays
PROVIDERS = ("google", "github", "microsoft")
_NOX = Path(__file__).parent / "nox"
_SCRIPTS = (
    _NOX / "db" / "schema_7.9.3.sql",
    _NOX / "db" / "seed.sql",
    _NOX / "migrations" / "v8_to_v8.0.0.sql",
)


@dataclass(frozen=True)
class Plan:
    """Every port and every secret, chosen before anything starts."""

    database: postgres.Database
    redis_port: int
    redis_password: str
    site: Site
    green: pods.Deployment
    secret_key: str
    client_ids: dict[str, str]

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.site.port}"


def plan(folder: Path) -> Plan:
    """Choose free ports and new secrets."""
    database_port, redis_port, tls_port, plain_port, *pod_ports = free_ports(4 + PODS)
    database = postgres.Database(
        database_port,
        {role: _secret() for role in (postgres.SUPERUSER, postgres.APPLICATION, postgres.READ_ONLY)},
    )
    redis_password, secret_key = _secret(), _secret()
    client_ids = {provider: f"nox-staging-{provider}-{secrets.token_hex(8)}" for provider in PROVIDERS}
    base_url = f"https://localhost:{tls_port}"
    environment = {
        "DATABASE_URL": database.url(postgres.APPLICATION),
        "REDIS_URL": redis.url(redis_port, redis_password),
        "SECRET_KEY": secret_key,
        "PUBLIC_URL": base_url,
        "NOX_FAULTS": str(_faults_file(folder)),
    }
    for provider in PROVIDERS:
        environment[f"{provider.upper()}_CLIENT_ID"] = client_ids[provider]
        environment[f"{provider.upper()}_CLIENT_SECRET"] = _secret()
    names = pods.pod_names("green", PODS)
    return Plan(
        database=database,
        redis_port=redis_port,
        redis_password=redis_password,
        site=Site(tls_port, plain_port, tuple(pod_ports), redirect=base_url),
        green=pods.Deployment(VERSION, dict(zip(names, pod_ports, strict=True)), environment),
        secret_key=secret_key,
        client_ids=client_ids,
    )


def build(crew: Crew, name: str, folder: Path, *, say: Callable[[str], None]) -> World:
    """Start everything that does not need the database while that is made; then the rest."""
    chosen = plan(folder)
    say("Starting PostgreSQL, Redis, the ingress and three pods of NOX API.")
    authority = certificates.authority()
    authority.write(folder / "ca.pem", folder / "ca.key")
    certificate = certificates.issue(authority)
    crew.launch(redis.prepare(folder, chosen.redis_port, chosen.redis_password))
    crew.launch(ingress.prepare(folder, chosen.site, certificate))
    for pod in pods.prepare(folder, chosen.green):
        crew.launch(pod)
    crew.launch(postgres.lay_out(crew, folder, chosen.database))
    crew.wait_for(postgres.NAME)

    say("Making the 7.9.3 database and migrating it to 8.0.0.")
    postgres.create(chosen.database)
    postgres.run_scripts(crew, folder, chosen.database, *_SCRIPTS)
    crew.launch(pods.prepare_worker(folder, chosen.green))
    crew.wait_for(redis.NAME, ingress.NAME, *chosen.green.pods, pods.WORKER)
    pods.wait_until_ready(chosen.green, within=10)

    profile = _write_profile(folder, chosen)
    return World(
        name=name,
        folder=folder,
        supervisor=os.getpid(),
        version=VERSION,
        base_url=chosen.base_url,
        plain_url=profile.plain_url,
        ca_file=profile.ca_file,
        env_file=profile.env_file,
        profile=profile.path,
        faults_file=_faults_file(folder),
        pods=chosen.green.pods,
        servers=servers(crew),
        dsn=chosen.database.url(postgres.SUPERUSER),
        application_dsn=chosen.database.url(postgres.APPLICATION),
        read_only_dsn=chosen.database.url(postgres.READ_ONLY),
        redis_url=chosen.green.environment["REDIS_URL"],
        secret_key=chosen.secret_key,
    )


def servers(crew: Crew) -> tuple[Server, ...]:
    """The parts as they run now."""
    rows = []
    pids = crew.pids()
    for part in crew.parts():
        pid = pids.get(part.name)
        process = None if pid is None else look(pid)
        rows.append(Server(part.name, part.address, pid, None if process is None else process.started))
    return tuple(rows)


def _write_profile(folder: Path, chosen: Plan) -> Profile:
    profile = Profile(
        path=folder / "rehearsal.toml",
        base_url=chosen.base_url,
        plain_url=f"http://localhost:{chosen.site.plain_port}",
        ca_file=folder / "ca.pem",
        env_file=folder / "credentials.env",
        client_ids=chosen.client_ids,
    )
    profile.write(
        {
            "DATABASE_URL": chosen.database.url(postgres.READ_ONLY),
            "REDIS_URL": chosen.green.environment["REDIS_URL"],
            "TEST_TOKEN": mint(chosen.secret_key, USER, "user", TOKEN_HOURS),
            "ADMIN_TOKEN": mint(chosen.secret_key, ADMIN, "admin", TOKEN_HOURS),
        }
    )
    return profile


def _faults_file(folder: Path) -> Path:
    return folder / "faults.json"


def _secret() -> str:
    return secrets.token_urlsafe(32)
