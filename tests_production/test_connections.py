"""Runbook 4, green before the switch: it has production's data, and not staging's or last night's copy."""

import time

import pytest

from nox_service.clients import Clients
from nox_service.pages import PROFILE
from nox_service.pods.one import PodApi
from noxgate.blue_green.connected.places import leading_elsewhere
from noxgate.blue_green.connected.servers import of_database, of_redis
from noxgate.blue_green.connected.sessions import pods_without_session, roles
from noxgate.blue_green.running import deployment_of, pods_of
from noxgate.look.observation import Observation
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.forward import OwnWay, each_pod_alone
from noxgate.systems.postgres.definitions import not_allowed
from noxgate.systems.postgres.settings import read_only

STATE = "/api/auth/google/url"  # for which it keeps a state, for minutes
LEAST_SECONDS = 10.0  # Redis counts in whole ones: even a rehearsal has to wait for one


@pytest.mark.runbook("green.connections")
def test_green_is_connected_to_productions_data(clients: Clients, limits: Limits) -> None:
    """As configured, and as the servers see it: who asked them something while green was asked something.

    And as whom: a role that reads well may be one that cannot write what users will.
    """
    blue, green, target, database = clients.blue, clients.green, clients.target, clients.database

    def has_to_look_up(way: OwnWay) -> None:
        way.get("/ready")
        PodApi(target, way).get(PROFILE, who="test_token")
        way.get(STATE)

    within = max(LEAST_SECONDS, target.waiting(limits["within_seconds"]))
    old, new = (pods_of(side.kube, deployment_of(side)) for side in (blue, green))
    # blue shows whether sessions tell whose they are: it has to have some
    each_pod_alone(blue.kube, clients.forward, blue.namespace, blue.service, has_to_look_up)
    led = {role: leading_elsewhere(green, target, old, new, role) for role in ("database_url", "redis_url")}
    began = time.monotonic()
    ((since,),) = database.rows("SELECT clock_timestamp()")
    versions = database.rows(
        "SELECT config_value FROM system_configuration WHERE config_key = 'database_schema_version'"
    )

    def nobody_is_idle() -> dict[str, list[str] | None]:
        """After each pod was asked what it has to look up, in both."""
        each_pod_alone(green.kube, clients.forward, green.namespace, green.service, has_to_look_up)
        seen = {
            "PostgreSQL": pods_without_session(old, new, of_database(database, since)),
            "Redis": pods_without_session(old, new, of_redis(clients.cache, began)),
        }
        assert {server: idle for server, idle in seen.items() if idle} == {}
        return seen

    assert old != []
    assert new != []
    assert led == {"database_url": {}, "redis_url": {}}
    assert versions == [(clients.catalog.schema_version,)]
    seen = eventually(nobody_is_idle, within=within, every=0.5)
    asked_as = roles(old, new, of_database(database, since))
    unfit = {
        role: not_allowed(database, clients.catalog, role) + read_only(database, [role]) for role in asked_as
    }
    assert {role: said for role, said in unfit.items() if said} == {}
    for server, idle in seen.items():
        told = f"{server}'s sessions do not tell whose they are, of blue either: not looked at"
        again = green.kube.again("get", "pods", "-n", green.namespace, "-o", "wide")
        clients.observe(Observation(f"{server}: each green pod asks it" if idle is not None else told, again))
