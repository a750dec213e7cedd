"""The fixtures that the checks before the day are given; those of several phases are in ../conftest.py."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from nox_service.science import Science, ScienceSession
from noxgate.blue_green.nodes import platform_of_nodes
from noxgate.blue_green.side import Side, side_of
from noxgate.blue_green.switching import SwitchPoint
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.look.samples import Samples
from noxgate.project.profile import read_peer
from noxgate.project.release_facts import FactsError, ReleaseFacts, read_release_facts
from noxgate.project.runbook import Runbook
from noxgate.project.service.names import Service
from noxgate.project.target import Runtime, Target
from noxgate.systems.http.links import Links
from noxgate.systems.kubernetes.kube import Kube, sessions
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.secret_values import Where, nowhere
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.programs.tools import Tools
from noxgate.systems.redis import Cache, CacheSession
from noxgate.systems.registry.client import Registry
from noxgate.systems.registry.session import RegistrySession
from noxgate.systems.repository import Repository
from noxgate.trials.alert_tests import AlertTests
from noxgate.trials.migration.files import MigrationFiles
from noxgate.trials.migration.release import Migration
from noxgate.trials.migration.trial import Trial
from noxgate.trials.shipped import Read, shipped


@pytest.fixture(scope="session")
def production(pytestconfig: pytest.Config, target: Target, runbook: Runbook) -> Target:
    """The peer that the profile names: production, seen from staging."""
    return read_peer(pytestconfig.rootpath, target, list(runbook.phases))


@pytest.fixture(scope="session")
def production_kube_sessions(production: Target) -> Iterator[tuple[KubeSession, KubeSession]]:
    """As `kube_sessions`, of production."""
    yield from sessions(production)


@pytest.fixture
def production_kube(production_kube_sessions: tuple[KubeSession, KubeSession], observe: Observe) -> Kube:
    """Production's Kubernetes cluster."""
    return Kube(*production_kube_sessions, observe)


@pytest.fixture
def production_green(production_kube: Kube, production: Target, service: Service) -> Side:
    """Green in production, which is to come."""
    return side_of(production_kube, production, service, production.green_namespace, service.green)


@pytest.fixture
def production_blue(production_kube: Kube, production: Target, service: Service) -> Side:
    """What production's users have."""
    namespace = production.blue_namespace or production.namespace
    return side_of(production_kube, production, service, namespace, service.blue)


@pytest.fixture
def production_switch_point(production_kube: Kube, production: Target, service: Service) -> SwitchPoint:
    """Where production's traffic is switched."""
    return SwitchPoint(production_kube, production, service)


@pytest.fixture(scope="session")
def production_registry_session(production: Target) -> Iterator[RegistrySession]:
    """As `registry_session`, of production."""
    session = RegistrySession(production, production.registry, production.platform)
    yield session
    session.close()


@pytest.fixture
def production_registry(
    production_registry_session: RegistrySession,
    production_kube: Kube,
    production: Target,
    service: Service,
    observe: Observe,
) -> Registry:
    """The registries of production's images, which are for its nodes."""
    blue = production.blue_namespace or production.namespace
    return Registry(
        production_registry_session,
        observe,
        lambda: platform_of_nodes(production_kube, blue, service.label, production.path.name),
    )


@pytest.fixture
def runtime(target: Target) -> Runtime:
    """What the images must declare."""
    if target.runtime is None:
        raise UnreachableError(f'{target.path.name} names no runtime = {{ name = "node", version = "20" }}')
    return target.runtime


@pytest.fixture(scope="session")
def kept_samples() -> dict[Path, Samples]:
    """The files of a checkout, read once for the run."""
    return {}


@pytest.fixture
def stands(target: Target, kept_samples: dict[Path, Samples], observe: Observe) -> Where:
    """In which file of the checkout a value stands; without a checkout, in none."""
    if target.source is None:
        return nowhere
    if target.source not in kept_samples:
        kept_samples[target.source] = Repository(target.source, observe).samples()
    return kept_samples[target.source].where


@pytest.fixture
def production_manifests(production: Target, manifest_reader: Read, observe: Observe) -> tuple[Document, ...]:
    """The manifests that the release ships for production's green."""
    return shipped(production, manifest_reader, observe)


@pytest.fixture(scope="session")
def production_database_session(production: Target) -> Iterator[DatabaseSession]:
    """One connection to production's database."""
    session = DatabaseSession(production)
    yield session
    session.close()


@pytest.fixture
def production_database(production_database_session: DatabaseSession, observe: Observe) -> Database:
    """Production's PostgreSQL, read only."""
    return Database(production_database_session, observe)


@pytest.fixture(scope="session")
def production_cache_session(production: Target) -> Iterator[CacheSession]:
    """One connection to production's Redis."""
    session = CacheSession(production)
    yield session
    session.close()


@pytest.fixture
def production_cache(production_cache_session: CacheSession, observe: Observe) -> Cache:
    """Production's Redis, read only."""
    return Cache(production_cache_session, observe)


@pytest.fixture
def facts(target: Target, observe: Observe) -> ReleaseFacts:
    """The release record that the profile names; it shows no person's number."""
    assert target.record is not None
    repeat = f"cat {shlex.quote(str(target.record))}"
    try:
        facts = read_release_facts(target.record)
    except (UnreachableError, FactsError) as error:
        observe(Observation(str(error), repeat))
        raise
    said = f"version {facts.version}, {facts.date}, {facts.planned_minutes} minutes"
    observe(Observation(f"{said}, {len(facts.contacts)} contacts, channels {facts.channels}", repeat))
    return facts


@pytest.fixture
def links(target: Target, observe: Observe) -> Links:
    """Addresses that people will open tonight."""
    return Links(target, observe)


@pytest.fixture(scope="session")
def migration_trial(target: Target) -> Iterator[Trial]:
    """A scratch server for the release's migration, started at the first look."""
    for key in ("migration_role", "application_role"):
        if getattr(target, key) is None:
            raise UnreachableError(
                f"{target.path.name} names no {key}: a superuser would hide what it may not"
            )
    files = MigrationFiles(
        target.path.name,
        target.migration,
        target.schema,
        target.old_queries,
        target.postgres_bin,
        target.migration_role,
        target.application_role,
    )
    trial = Trial(target, files)
    yield trial
    trial.close()


@pytest.fixture
def migration(migration_trial: Trial, production_database: Database, observe: Observe) -> Migration:
    """The release's migration, tried on a scratch server of production's own version."""
    return Migration(migration_trial, production_database, observe)


@pytest.fixture(scope="session")
def science_session(target: Target) -> ScienceSession:
    """What the API's own Python says: asked at the first look, once for the run."""
    return ScienceSession(target)


@pytest.fixture
def science(science_session: ScienceSession, observe: Observe) -> Science:
    """The Python of the image that ships."""
    return Science(science_session, observe)


@pytest.fixture
def tools(target: Target, observe: Observe) -> Tools:
    """The programs on this machine that the day needs."""
    return Tools(target, observe)


@pytest.fixture
def alert_tests(target: Target, observe: Observe) -> AlertTests:
    """Prometheus' unit tests of the shipped rules."""
    return AlertTests(target, observe)
