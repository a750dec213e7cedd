"""Target: one environment to check, and where its clients find each of its systems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from noxgate.errors import CredentialError, UnreachableError
from noxgate.look.database_url import database_passwords
from noxgate.look.secret import Secret
from noxgate.project.credentials.web_token import AHEAD, untimely
from noxgate.project.keys import evidence
from noxgate.project.keys.key import names
from noxgate.project.keys.release import RUNBOOKS_RESTORE, SENTRYS

PROVIDERS = names(evidence.PROVIDERS)
# Tokens that the API must refuse although they are rightly signed: only their issuer can make them.
BAD_TOKENS = ("expired_token", "early_token", "other_audience_token")
USERS_TOKENS = ("test_token", "admin_token")
CREDENTIALS = names(evidence.CREDENTIALS)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Runtime:
    """What the images must declare, as NAME_VERSION in their environment: node, 20."""

    name: str
    version: str


@dataclass(frozen=True)
class Dashboard:
    """One of Grafana's dashboards, by its uid."""

    url: str
    uid: str


@dataclass(frozen=True)
class LoadCounters:
    """Prometheus' selector of the application's own counters of its answers, a series for each pod at least.

    `uncounted`: classes of the load test that these leave out. WebSockets never count.
    """

    query: str
    uncounted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hours:
    """Hours of each day, in UTC; from 22:00 to 05:00 is a night."""

    start: time
    end: time

    def covers(self, first: datetime, last: datetime) -> bool:
        """Whether all of a time, whose times have a zone, lies in one of these."""
        began = datetime.combine(first.astimezone(UTC), self.start, UTC)
        since = (first - began) % DAY
        long = (datetime.combine(began, self.end, UTC) - began) % DAY or DAY
        return since + (last - first) <= long


@dataclass(frozen=True)
class QuietHours:
    """The quiet hours. `ingress`: Prometheus' selector of the requests that it had for us, if not nginx'."""

    hours: tuple[Hours, ...] = ()
    ingress: str | None = None


@dataclass(frozen=True)
class ProviderRequest:
    """What the service asks an OAuth provider for, as the profile has it.

    None if the profile says nothing.
    """

    scopes: tuple[str, ...] | None = None
    prompt: str | None = None  # "": none is sent
    tenant: str | None = None


@dataclass(frozen=True)
class SentryProject:
    """Where Sentry keeps the service's issues."""

    url: str
    organization: str
    project: str
    environment: str = SENTRYS  # as the service tells Sentry where it runs


@dataclass(frozen=True)
class Target:
    """Where to look. `variables` are values by variable name; `origins` says where each setting came from."""

    name: str
    path: Path
    serves: tuple[str, ...]
    base_url: str
    plain_url: str  # empty where its port is to be closed
    namespace: str
    rehearsal: bool = False
    rehearsed_by: str = ""  # why it is one, where its profile does not say so
    load: bool | str = False
    load_results: Path | None = None
    load_counters: LoadCounters | None = None
    signed_in_requests: str | None = (
        None  # Prometheus' selector of counters of what signed-in users are answered
    )
    production: str | None = None
    staging: str | None = None  # where the release was validated, seen from production
    ca_file: Path | None = None
    kubeconfig: str | None = None  # one file, or several with colons between, as kubectl takes it
    context: str | None = None
    dry_run_context: str | None = None
    green_namespace: str = ""
    blue_namespace: str | None = None
    prometheus_url: str | None = None
    alertmanager_url: str | None = None  # where alerts are sent that Prometheus itself does not judge
    registry: str | None = None  # the host that registry_password is for
    platform: str | None = None  # of the nodes: linux/arm64; None if the nodes say it
    node_ports: str | None = None  # that the API server gives: 30000-32767; None if it is not said
    container: str | None = None  # the application's, of the containers of its pods
    runtime: Runtime | None = None
    source: Path | None = None
    record: Path | None = None  # the release record: release.toml beside the profile
    migration: Path | None = None
    schema: Path | None = None
    old_queries: Path | None = None
    migration_role: str | None = None  # of production's database: who runs the migration
    application_role: str | None = None  # as whom the service asks
    postgres_bin: Path | None = None
    alert_tests: Path | None = None
    vulnerabilities: Path | None = None  # the report of an image scanner
    log_allow_list: Path | None = None
    backups: Path | None = None  # the folder of tonight's backup, migration output, rollback manifests
    backup_form: str = "plain"  # one of BACKUP_FORMS
    grafana: Dashboard | None = None
    sentry: SentryProject | None = None
    quiet: QuietHours = QuietHours()
    manifests: str | None = None
    switch_patch: str | None = None
    rollback_patch: str | None = None
    wait_seconds: float | None = None
    restore: tuple[str, ...] = RUNBOOKS_RESTORE
    render: tuple[str, ...] = ()  # the command that makes the manifests, run in the source
    science: tuple[str, ...] = ()  # the command that runs the API's own Python on its standard input
    tools: Mapping[str, str] = field(
        default_factory=dict
    )  # program -> the oldest version that will do, or ""
    client_ids: Mapping[str, str] = field(default_factory=dict)
    client_id_variables: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, ProviderRequest] = field(default_factory=dict)  # OAuth provider -> what for
    test_subject: str | None = None  # as the API calls test_token's user, where the token does not
    security_headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict)
    overridden: Mapping[str, str] = field(default_factory=dict)  # variable -> what it says otherwise
    points_at: Mapping[str, str] = field(default_factory=dict)  # credential -> where it must lead
    overrides: tuple[str, ...] = ()  # the variables that may
    typed: str = ""  # how a command names it, where that is not its name
    peer_secrets: tuple[Secret, ...] = field(default=(), repr=False)  # checks look at the peer, too

    @property
    def called(self) -> str:
        """What comes after --target= in a command that is printed; to be quoted for the shell."""
        return self.typed or self.name

    def credential(self, role: str, *, seconds: float = 0) -> Secret:
        """The credential for `role`, one of CREDENTIALS.

        Raises UnreachableError if its variable is not set, and CredentialError if a user's token does not
        hold now and for so many `seconds`: what is refused with it would be laid at the release's door.
        """
        name = self.credentials.get(role)
        if name is None:
            raise UnreachableError(f"{self.path.name} names no variable for {role} under [credentials]")
        value, now = self._variable(name, f"[credentials] {role}"), datetime.now(UTC).timestamp()
        if role in USERS_TOKENS and (said := untimely(value, now, now + seconds)):
            raise CredentialError(f"${name} {said}: get another one, and export {name}=…")
        return Secret(name, value)

    def refused(self, role: str) -> None:
        """A user's token was refused: raises CredentialError if a clock a minute from ours may be why."""
        name, now = self.credentials.get(role, ""), datetime.now(UTC).timestamp()
        value = self.variables.get(name, "")
        if role in USERS_TOKENS and (said := untimely(value, now - AHEAD, now + AHEAD)):
            raise CredentialError(f"${name} was refused, and {said}: get another one, and export {name}=…")

    def client_id(self, provider: str) -> str:
        """The OAuth client id that this environment uses with `provider`, one of PROVIDERS."""
        if provider in self.client_ids:
            return self.client_ids[provider]
        name = self.client_id_variables.get(provider)
        if name is None:
            raise UnreachableError(f"{self.path.name} has no [oauth.{provider}] client_id")
        return self._variable(name, f"[oauth.{provider}] client_id_variable")

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The runbook's, green's and blue's, each once."""
        named = (self.namespace, self.green_namespace, self.blue_namespace)
        return tuple(dict.fromkeys(name for name in named if name))

    def waiting(self, seconds: float) -> float:
        """How long to wait for what may take `seconds`; a rehearsal need not wait so long."""
        return seconds if self.wait_seconds is None else min(seconds, self.wait_seconds)

    def secrets(self) -> list[Secret]:
        """All that no report may show: tokens, and passwords inside connection URLs. The peer's, too."""
        found = list(self.peer_secrets)
        for role, name in self.credentials.items():
            value = self.variables.get(name)
            if value is None:
                continue
            if role.endswith("_password"):  # USER:PASSWORD; the user is not secret
                value = value.partition(":")[2] or value
            values = passwords(value) if role.endswith("_url") else [value]
            found += [Secret(name, secret) for secret in values]
        return found

    def unset(self) -> list[str]:
        """The variables that the profile names and that are not set."""
        named = [*self.credentials.values(), *self.client_id_variables.values()]
        return [name for name in named if name not in self.variables]

    def _variable(self, name: str, where: str) -> str:
        if name not in self.variables:
            raise UnreachableError(f"{name} is not set ({self.path.name} {where}): export {name}=…")
        return self.variables[name]


def passwords(url: str) -> list[str]:
    """The password of a connection URL, as it stands there and as it is sent."""
    found = database_passwords(url)
    if "://" in url:
        parts = urlsplit(url)
        if parts.username and not parts.password and parts.scheme.startswith("redis"):
            found += [parts.username, unquote(parts.username)]  # a token that stands alone
    return list(dict.fromkeys(found))
