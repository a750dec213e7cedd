"""What a rehearsal decides before anything starts: every port and every secret of both environments."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nox_rehearsal.cluster import objects
from nox_rehearsal.cluster.kubeconfig import ADMIN, LOOK, REHEARSE_CHANGE
from nox_rehearsal.parts import images, pods, postgres, redis
from nox_rehearsal.parts.registry import RegistryServer
from nox_rehearsal.release import PREVIOUS, VERSION
from nox_rehearsal.world.ports import free_ports

PODS = 3
BLUE_PODS = 2
PROVIDERS = ("google", "github", "microsoft")


@dataclass(frozen=True)
class Environment:
    """One of NOX's environments: its addresses, and the deployment that serves it now."""

    name: str
    namespace: str
    port: int
    plain_port: int
    redis_part: str
    redis_port: int
    redis_password: str = field(repr=False)
    names: postgres.Names
    client_ids: Mapping[str, str]
    deployment: pods.Deployment

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"http://localhost:{self.plain_port}"

    @property
    def variables(self) -> Mapping[str, str]:
        return self.deployment.environment


@dataclass(frozen=True)
class Plan:
    """Both environments and what they share."""

    database: postgres.Server
    staging: Environment
    production: Environment
    green: pods.Deployment  # production's next, which does not run until its moment
    kubernetes_port: int
    prometheus_port: int
    pages_port: int
    containers_port: int
    registry: RegistryServer
    ports: tuple[int, ...]  # all of them
    tokens: Mapping[str, str] = field(repr=False)  # of the cluster, by kubeconfig context

    @property
    def kubernetes_url(self) -> str:
        return f"https://127.0.0.1:{self.kubernetes_port}"

    @property
    def deployments(self) -> tuple[pods.Deployment, ...]:
        """All that there will be."""
        return (*self.running, self.green)

    @property
    def running(self) -> tuple[pods.Deployment, ...]:
        """Those that run from the start."""
        return (self.staging.deployment, self.production.deployment)


def plan(folder: Path) -> Plan:
    """Choose free ports and new secrets."""
    every = free_ports(6 + 2 * 3 + PODS + BLUE_PODS + PODS)
    database_port, kubernetes_port, prometheus_port, pages_port, registry_port, *ports = every
    registry = RegistryServer(registry_port, folder / "ca.pem", _secret())
    database = postgres.Server(database_port, {role: _secret() for role in postgres.ROLES})
    containers_port, ports, green_ports = ports[0], ports[1:-PODS], ports[-PODS:]
    staging, production = ports[: 3 + PODS], ports[3 + PODS :]
    blue = _environment(
        folder,
        "production",
        database,
        postgres.PRODUCTION,
        production,
        (objects.BLUE, "blue", PREVIOUS),
        registry,
    )
    names = pods.pod_names("production-green", PODS)  # staging has a green, too
    return Plan(
        database=database,
        staging=_environment(
            folder,
            "staging",
            database,
            postgres.STAGING,
            staging,
            (objects.STAGING, "green", VERSION),
            registry,
        ),
        production=blue,
        green=replace(
            blue.deployment,
            namespace=objects.GREEN,
            colour="green",
            version=VERSION,
            pods=dict(zip(names, green_ports, strict=True)),
        ),
        kubernetes_port=kubernetes_port,
        prometheus_port=prometheus_port,
        pages_port=pages_port,
        containers_port=containers_port,
        registry=registry,
        ports=tuple(every),
        tokens={context: _secret() for context in (ADMIN, LOOK, REHEARSE_CHANGE)},
    )


def faults_file(folder: Path, environment: str) -> Path:
    """What the pods of an environment read to learn how to misbehave."""
    return folder / f"faults-{environment}.json"


def _environment(
    folder: Path,
    name: str,
    database: postgres.Server,
    names: postgres.Names,
    ports: list[int],
    serving: tuple[str, str, str],
    registry: RegistryServer,
) -> Environment:
    port, plain_port, redis_port, *pod_ports = ports
    redis_password = _secret()
    client_ids = {provider: f"nox-{name}-{provider}-{secrets.token_hex(8)}" for provider in PROVIDERS}
    variables = {
        "DATABASE_URL": database.url(names.application, names.database),
        "REDIS_URL": redis.url(redis_port, redis_password),
        "SECRET_KEY": _secret(),
        "AI_SECURITY_API_KEY": _secret(),
        "PUBLIC_URL": f"https://localhost:{port}",
        "NOX_FAULTS": str(faults_file(folder, name)),
    }
    for provider in PROVIDERS:
        variables[f"{provider.upper()}_CLIENT_ID"] = client_ids[provider]
        variables[f"{provider.upper()}_CLIENT_SECRET"] = _secret()
    namespace, colour, version = serving
    pod_names = pods.pod_names(colour, len(pod_ports))
    return Environment(
        name=name,
        namespace=objects.STAGING if name == "staging" else objects.PRODUCTION,
        port=port,
        plain_port=plain_port,
        redis_part="redis" if name == "staging" else f"redis-{name}",
        redis_port=redis_port,
        redis_password=redis_password,
        names=names,
        client_ids=client_ids,
        deployment=pods.Deployment(
            namespace,
            colour,
            version,
            f"{registry.host}/{images.REPOSITORY}",
            dict(zip(pod_names, pod_ports, strict=True)),
            variables,
        ),
    )


def _secret() -> str:
    return secrets.token_urlsafe(32)
