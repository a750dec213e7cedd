"""What each client of a system is given of a target: made here, and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from noxgate.look.secret import Secret
from noxgate.project.target import Dashboard, SentryProject, Target

PROMETHEUS_ROLES = ("prometheus_token", "prometheus_password")  # the second is USER:PASSWORD


@dataclass(frozen=True)
class Credential:
    """One of a target's credentials. `secret` raises UnreachableError if its variable is not set."""

    role: str
    variable: str | None  # None if the profile lacks it
    secret: Callable[[], Secret]


@dataclass(frozen=True)
class Connection:
    """How an HTTPS server is reached: whom to trust, and whether without the proxy of the environment."""

    ca_file: Path | None
    direct: bool


@dataclass(frozen=True)
class ApiSettings:
    """Of the API. `plain_url` is empty where its port is to be closed; `token` gives the token of a role.

    `refused` is told the role whose token was, and raises CredentialError if that says nothing of the API.
    What the target `serves` says which requests may be tried there.
    """

    name: str
    serves: tuple[str, ...]
    base_url: str
    plain_url: str
    connection: Connection
    token: Callable[[str], Secret] = field(repr=False)
    refused: Callable[[str], None] = field(repr=False)


@dataclass(frozen=True)
class DatabaseSettings:
    """Of PostgreSQL."""

    url: Credential


@dataclass(frozen=True)
class CacheSettings:
    """Of Redis."""

    url: Credential
    ca_file: Path | None


@dataclass(frozen=True)
class PrometheusSettings:
    """Of Prometheus. The credential is a token, or USER:PASSWORD; None if the profile names neither."""

    profile: str
    url: str | None
    credential: Credential | None
    connection: Connection


@dataclass(frozen=True)
class KubeSettings:
    """Of a cluster, for one of its credentials; `kubeconfig` is one file, or several as kubectl takes it."""

    profile: str
    kubeconfig: str | None
    context: str | None
    node_ports: str | None


@dataclass(frozen=True)
class RegistrySettings:
    """Of the registries of images. `registry` is the host that the password is for, and no other.

    http://HOST, for loopback only, where it has no TLS. If `platform` is None, it is the nodes', which a
    client has to look up.
    """

    profile: str
    registry: str | None
    platform: str | None
    password: Credential
    connection: Connection


@dataclass(frozen=True)
class GrafanaSettings:
    """Of Grafana. `dashboard` is None if the profile lacks it."""

    profile: str
    dashboard: Dashboard | None
    token: Credential
    connection: Connection


@dataclass(frozen=True)
class SentrySettings:
    """Of Sentry. `project` is None if the profile lacks it."""

    profile: str
    project: SentryProject | None
    token: Credential
    connection: Connection


@dataclass(frozen=True)
class TlsSettings:
    """Of the endpoint in front of the API, where its WebSocket is too."""

    base_url: str
    ca_file: Path | None


@dataclass(frozen=True)
class ProgramSettings:
    """Of programs on this machine: variables that they do not get, and the cluster that kubectl does."""

    secret: frozenset[str]
    kubeconfig: str | None


@dataclass(frozen=True)
class ToolsSettings:
    """Of the programs that the day needs: each with the oldest version that will do, or ""."""

    profile: str
    named: Mapping[str, str]
    programs: ProgramSettings


def api(target: Target) -> ApiSettings:
    urls = target.base_url, target.plain_url
    return ApiSettings(
        target.name, target.serves, *urls, connection(target), target.credential, target.refused
    )


def database(target: Target) -> DatabaseSettings:
    return DatabaseSettings(credential(target, "database_url"))


def cache(target: Target) -> CacheSettings:
    return CacheSettings(credential(target, "redis_url"), target.ca_file)


def prometheus(target: Target) -> PrometheusSettings:
    role = next((role for role in PROMETHEUS_ROLES if role in target.credentials), None)
    named = None if role is None else credential(target, role)
    return PrometheusSettings(target.path.name, target.prometheus_url, named, connection(target))


def cluster(target: Target, *, for_dry_runs: bool = False) -> KubeSettings:
    tries = target.dry_run_context if for_dry_runs else None
    context = target.context if tries is None else tries
    return KubeSettings(target.path.name, target.kubeconfig, context, target.node_ports)


def registry(target: Target) -> RegistrySettings:
    password = credential(target, "registry_password")
    place = target.path.name, target.registry, target.platform
    return RegistrySettings(*place, password, connection(target))


def grafana(target: Target) -> GrafanaSettings:
    token = credential(target, "grafana_token")
    return GrafanaSettings(target.path.name, target.grafana, token, connection(target))


def sentry(target: Target) -> SentrySettings:
    token = credential(target, "sentry_token")
    return SentrySettings(target.path.name, target.sentry, token, connection(target))


def tls(target: Target) -> TlsSettings:
    return TlsSettings(target.base_url, target.ca_file)


def programs(target: Target) -> ProgramSettings:
    secret = {*target.credentials.values(), *(one.name for one in target.peer_secrets)}
    return ProgramSettings(frozenset(secret), target.kubeconfig)


def tools(target: Target) -> ToolsSettings:
    return ToolsSettings(target.path.name, target.tools, programs(target))


def credential(target: Target, role: str) -> Credential:
    return Credential(role, target.credentials.get(role), lambda: target.credential(role))


def connection(target: Target) -> Connection:
    return Connection(target.ca_file, direct=target.rehearsal)
