"""The fixtures that the checks before the day are given; those of several phases are in ../conftest.py."""

import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nox_service.clients import Clients, Sessions
from nox_service.science import Science, ScienceSession, science_settings
from noxgate.blue_green.side import Side, side_of
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.look.samples import Samples
from noxgate.project.profile import read_peer
from noxgate.project.release_facts import FactsError, ReleaseFacts, read_release_facts
from noxgate.project.runbook import Runbook
from noxgate.systems.kubernetes.secret_values import Where, nowhere
from noxgate.systems.repository.repository import Repository
from noxgate.trials.migration.files import files_of
from noxgate.trials.migration.release import Migration
from noxgate.trials.migration.trial import Trial


@pytest.fixture(scope="session")
def production_sessions(
    pytestconfig: pytest.Config, sessions: Sessions, runbook: Runbook
) -> Iterator[Sessions]:
    """The connections to the peer that the profile names: production, seen from staging."""
    peer = read_peer(pytestconfig.rootpath, sessions.target, list(runbook.phases))
    with closing(Sessions(peer, runbook)) as found:
        yield found


@pytest.fixture
def production(production_sessions: Sessions, observe: Observe) -> Clients:
    """The clients of production's systems."""
    return Clients(production_sessions, observe)


@pytest.fixture
def production_blue(production: Clients) -> Side:
    """What production's users have."""
    target, service = production.target, production.service
    return side_of(production.kube, target, service, target.blue_namespace or target.namespace, service.blue)


@pytest.fixture(scope="session")
def kept_samples() -> dict[Path, Samples]:
    """The files of a checkout, read once for the run."""
    return {}


@pytest.fixture
def stands(clients: Clients, kept_samples: dict[Path, Samples]) -> Where:
    """In which file of the checkout a value stands; without a checkout, in none."""
    source = clients.target.source
    if source is None:
        return nowhere
    if source not in kept_samples:
        kept_samples[source] = Repository(source, clients.observe).samples()
    return kept_samples[source].where


@pytest.fixture
def facts(clients: Clients, observe: Observe) -> ReleaseFacts:
    """The release record that the profile names; it shows no person's number."""
    record = clients.target.record
    assert record is not None
    repeat = f"cat {shlex.quote(str(record))}"
    try:
        facts = read_release_facts(record)
    except (UnreachableError, FactsError) as error:
        observe(Observation(str(error), repeat))
        raise
    said = f"version {facts.version}, {facts.date}, {facts.planned_minutes} minutes"
    observe(Observation(f"{said}, {len(facts.contacts)} contacts, channels {facts.channels}", repeat))
    return facts


@pytest.fixture(scope="session")
def migration_trial(sessions: Sessions) -> Iterator[Trial]:
    """A scratch server for the release's migration, started at the first look."""
    trial = Trial(files_of(sessions.target))
    yield trial
    trial.close()


@pytest.fixture
def migration(migration_trial: Trial, production: Clients, observe: Observe) -> Migration:
    """The release's migration, tried on a scratch server of production's own version."""
    return Migration(migration_trial, production.database, observe)


@pytest.fixture(scope="session")
def science_session(sessions: Sessions) -> ScienceSession:
    """What the API's own Python says: asked at the first look, once for the run."""
    return ScienceSession(science_settings(sessions.target))


@pytest.fixture
def science(science_session: ScienceSession, observe: Observe) -> Science:
    """The Python of the image that ships."""
    return Science(science_session, observe)
