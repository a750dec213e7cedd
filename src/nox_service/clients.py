"""The clients of one target's systems: what a check is given to look with.

Nothing is opened before a check looks. Which attributes a check uses says what it needs: the doctor reads
them, so `clients` is written out wherever one is used, and given to no other function as a whole.
"""

from contextlib import ExitStack, closing
from functools import cache, cached_property

from nox_service.api import ApiClient
from nox_service.together import Together
from nox_service.websocket import WebSocketClient
from noxgate.blue_green.nodes import platform_of_nodes
from noxgate.blue_green.rollback_manifests import RollbackManifests
from noxgate.blue_green.rolled_back import RolledBack
from noxgate.blue_green.side import Side, side_of
from noxgate.blue_green.switching import PatchFile, SwitchPoint
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe
from noxgate.project.runbook import Runbook
from noxgate.project.saved import saved_files, saved_manifests
from noxgate.project.target import Runtime, Target
from noxgate.systems import settings
from noxgate.systems.http.grafana import Grafana
from noxgate.systems.http.links import Links
from noxgate.systems.http.sentry import Sentry
from noxgate.systems.http.session import ApiSession
from noxgate.systems.http.tls import TlsClient
from noxgate.systems.kubernetes.forward import Forward
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_logs import PodLogs
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.postgres.catalog import Catalog, read_catalog
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.programs.tools import Tools
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.metric_queries import MetricQueries
from noxgate.systems.prometheus.session import PrometheusSession
from noxgate.systems.redis import Cache, CacheSession
from noxgate.systems.registry.client import Registry
from noxgate.systems.registry.session import RegistrySession
from noxgate.systems.registry.vulnerabilities import Vulnerabilities
from noxgate.systems.repository.repository import Repository
from noxgate.trials.alert_tests import AlertTests, alert_test_settings
from noxgate.trials.shipped import read, shipped


class Sessions:
    """The connections to a target's systems, each made at the first look and kept for the run."""

    def __init__(self, target: Target, runbook: Runbook) -> None:
        self.target = target
        self.service = runbook.service
        self.release = runbook.release
        self.read_manifests = cache(read)  # once for the run: YAML takes its time
        self._open = ExitStack()

    def close(self) -> None:
        """Closes those that were opened."""
        self._open.close()

    @cached_property
    def api_session(self) -> ApiSession:
        """One set of HTTPS connections."""
        return self._open.enter_context(closing(ApiSession(settings.api(self.target))))

    @cached_property
    def database_session(self) -> DatabaseSession:
        """One connection to PostgreSQL."""
        return self._open.enter_context(closing(DatabaseSession(settings.database(self.target))))

    @cached_property
    def cache_session(self) -> CacheSession:
        """One connection to Redis."""
        return self._open.enter_context(closing(CacheSession(settings.cache(self.target))))

    @cached_property
    def kube_sessions(self) -> tuple[KubeSession, KubeSession]:
        """The cluster: the credential that looks, and the one for dry runs."""
        looks, tries = (
            KubeSession(settings.cluster(self.target)),
            KubeSession(settings.cluster(self.target, for_dry_runs=True)),
        )
        return self._open.enter_context(closing(looks)), self._open.enter_context(closing(tries))

    @cached_property
    def registry_session(self) -> RegistrySession:
        """The connections to the registries of the images."""
        return self._open.enter_context(closing(RegistrySession(settings.registry(self.target))))

    @cached_property
    def prometheus_session(self) -> PrometheusSession:
        """The connections to Prometheus."""
        return self._open.enter_context(closing(PrometheusSession(settings.prometheus(self.target))))

    @cached_property
    def catalog(self) -> Catalog:
        """What the release's migration must leave in the database."""
        return read_catalog(self.release.schema)


class Clients:
    """The clients of a target, each made when a check first names it; `observe` is told what they see."""

    def __init__(self, sessions: Sessions, observe: Observe) -> None:
        self.sessions = sessions
        self.observe = observe
        self.target = sessions.target
        self.service = sessions.service
        self.release = sessions.release

    def __repr__(self) -> str:
        return f"clients of {self.target.path.name}"

    @cached_property
    def api(self) -> ApiClient:
        """The NOX API."""
        return ApiClient(settings.api(self.target), self.sessions.api_session, self.observe)

    @cached_property
    def together(self) -> Together:
        """The same, asked many things at once."""
        return Together(settings.api(self.target), self.sessions.api_session, self.observe)

    @cached_property
    def websocket(self) -> WebSocketClient:
        """The WebSocket of the API."""
        return WebSocketClient(settings.tls(self.target), self.sessions.api_session, self.observe)

    @cached_property
    def tls(self) -> TlsClient:
        """The TLS endpoint in front of the API."""
        return TlsClient(settings.tls(self.target), self.sessions.api_session.patience, self.observe)

    @cached_property
    def database(self) -> Database:
        """PostgreSQL, read only."""
        return Database(self.sessions.database_session, self.observe)

    @property
    def catalog(self) -> Catalog:
        """What the release's migration must leave in the database."""
        return self.sessions.catalog

    @cached_property
    def cache(self) -> Cache:
        """Redis, read only."""
        return Cache(self.sessions.cache_session, self.observe)

    @cached_property
    def kube(self) -> Kube:
        """The Kubernetes cluster."""
        return Kube(*self.sessions.kube_sessions, self.observe)

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """The target's namespaces, each once: the runbook's, green's and blue's."""
        return self.target.namespaces

    @cached_property
    def green(self) -> Side:
        """Green: in staging it is all there is."""
        return side_of(self.kube, self.target, self.service, self.target.green_namespace, self.service.green)

    @cached_property
    def blue(self) -> Side:
        """What users have until the switch, and again after a rollback."""
        if self.target.blue_namespace is None:
            raise UnreachableError(f"{self.target.path.name} names no blue_namespace")
        return side_of(self.kube, self.target, self.service, self.target.blue_namespace, self.service.blue)

    @cached_property
    def switch_point(self) -> SwitchPoint:
        """Where traffic is switched."""
        return SwitchPoint(self.kube, self.target.namespace, self.target.namespaces, self.service)

    @cached_property
    def switch_patch(self) -> PatchFile:
        """The planned switch."""
        return PatchFile(self.target.path.name, self.target.source, self.target.switch_patch)

    @cached_property
    def rollback_patch(self) -> PatchFile:
        """The planned way back."""
        return PatchFile(self.target.path.name, self.target.source, self.target.rollback_patch)

    @cached_property
    def forward(self) -> Forward:
        """Ways to single pods."""
        return Forward(self.sessions.kube_sessions[0], self.observe)

    @cached_property
    def pod_logs(self) -> PodLogs:
        """The logs of pods."""
        return PodLogs(self.sessions.kube_sessions[0], self.observe)

    @cached_property
    def rollback_manifests(self) -> RollbackManifests:
        """What was saved of the namespace for the way back."""
        return RollbackManifests(saved_manifests(self.target), self.kube, self.service, self.observe)

    @cached_property
    def rolled_back(self) -> RolledBack:
        """What was kept of tonight's rollback."""
        return RolledBack(saved_files(self.target), self.service.files, self.observe)

    @cached_property
    def manifests(self) -> tuple[Document, ...]:
        """The manifests that the release ships for the target."""
        return shipped(self.target, self.sessions.read_manifests, self.observe)

    @cached_property
    def registry(self) -> Registry:
        """The registries of the target's images, which are for the nodes of green."""
        return self.registry_for(self.green)

    def registry_for(self, side: Side) -> Registry:
        """The same, for the nodes of another side."""

        def platform() -> str:
            return platform_of_nodes(side.kube, side.namespace, side.label, self.target.path.name)

        return Registry(self.sessions.registry_session, self.observe, platform)

    @cached_property
    def vulnerabilities(self) -> Vulnerabilities:
        """What an image scanner reported."""
        return Vulnerabilities(self.target.path.name, self.target.vulnerabilities, self.observe)

    @cached_property
    def repository(self) -> Repository:
        """The release's git checkout; its remote is asked, nothing is fetched."""
        if self.target.source is None:
            raise UnreachableError(
                f"{self.target.path.name} names no source, the checkout of the release repository"
            )
        return Repository(self.target.source, self.observe)

    @property
    def runtime(self) -> Runtime:
        """What the images must declare."""
        if self.target.runtime is None:
            name = self.target.path.name
            raise UnreachableError(f'{name} names no runtime = {{ name = "node", version = "20" }}')
        return self.target.runtime

    @cached_property
    def prometheus(self) -> Prometheus:
        """Prometheus."""
        return Prometheus(self.sessions.prometheus_session, self.observe)

    @cached_property
    def metric_queries(self) -> MetricQueries:
        """Of green's pods, and of the application's container in them."""
        container = self.service.application(self.target.container)
        return MetricQueries(self.target.green_namespace, container.name, self.service.metrics)

    @cached_property
    def alert_tests(self) -> AlertTests:
        """Prometheus' unit tests of the shipped rules."""
        return AlertTests(alert_test_settings(self.target), self.observe)

    @cached_property
    def grafana(self) -> Grafana:
        """The dashboard that the profile names."""
        return Grafana(settings.grafana(self.target), self.observe)

    @cached_property
    def sentry(self) -> Sentry:
        """The service's issues, where the profile names them."""
        return Sentry(settings.sentry(self.target), self.observe)

    @cached_property
    def links(self) -> Links:
        """Addresses that people will open tonight."""
        return Links(settings.connection(self.target), self.observe)

    @cached_property
    def tools(self) -> Tools:
        """The programs on this machine that the day needs."""
        return Tools(settings.tools(self.target), self.observe)
