"""Runbook 4, green before the switch: it has production's data, and not staging's or last night's copy."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from nox_service.pages import PROFILE
from nox_service.pods import PodApi
from noxgate.blue_green.connected.places import configured, elsewhere
from noxgate.blue_green.connected.sessions import Session, roles, unconnected
from noxgate.blue_green.running import DEPLOYMENT, pods_of
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.look.places import place
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward, OwnWay, each_pod_alone
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.workload import name
from noxgate.systems.postgres.catalog import Catalog
from noxgate.systems.postgres.database import Database
from noxgate.systems.postgres.definitions import not_allowed
from noxgate.systems.postgres.settings import read_only
from noxgate.systems.redis import Cache

SERVICE, BLUE_SERVICE = "nox-api-service-green", "nox-api-service-blue"
STATE = "/api/auth/google/url"  # for which it keeps a state, for minutes
BLUE_DEPLOYMENT = "nox-api-deployment-blue"
LEAST_SECONDS = 10.0  # Redis counts in whole ones: even a rehearsal has to wait for one
Json = Mapping[str, Any]


@pytest.mark.runbook("green.connections")
def test_green_is_connected_to_productions_data(
    kube: Kube,
    forward: Forward,
    target: Target,
    database: Database,
    cache: Cache,
    catalog: Catalog,
    limits: Limits,
    observe: Observe,
) -> None:
    """As configured, and as the servers see it: who asked them something while green was asked something.

    And as whom: a role that reads well may be one that cannot write what users will.
    """
    if target.blue_namespace is None:
        raise UnreachableError(f"{target.path.name} names no blue_namespace")

    def has_to_look_up(way: OwnWay) -> None:
        way.get("/ready")
        PodApi(target, way).get(PROFILE, who="test_token")
        way.get(STATE)

    within = max(LEAST_SECONDS, target.waiting(limits["within_seconds"]))
    blue = pods_of(kube, kube.need("Deployment", BLUE_DEPLOYMENT, target.blue_namespace))
    green = pods_of(kube, kube.need("Deployment", DEPLOYMENT, target.green_namespace))
    # blue shows whether sessions tell whose they are: it has to have some
    each_pod_alone(kube, forward, target.blue_namespace, BLUE_SERVICE, has_to_look_up)
    led = {role: leading_elsewhere(kube, target, blue, green, role) for role in ("database_url", "redis_url")}
    began = time.monotonic()
    ((since,),) = database.rows("SELECT clock_timestamp()")
    versions = database.rows(
        "SELECT config_value FROM system_configuration WHERE config_key = 'database_schema_version'"
    )

    def nobody_is_idle() -> dict[str, list[str] | None]:
        """After each pod was asked what it has to look up, in both."""
        each_pod_alone(kube, forward, target.green_namespace, SERVICE, has_to_look_up)
        seen = {
            "PostgreSQL": unconnected(blue, green, sessions(database, since)),
            "Redis": unconnected(blue, green, clients(cache, began)),
        }
        assert {server: idle for server, idle in seen.items() if idle} == {}
        return seen

    assert blue != []
    assert green != []
    assert led == {"database_url": {}, "redis_url": {}}
    assert versions == [(catalog.schema_version,)]
    seen = eventually(nobody_is_idle, within=within, every=0.5)
    asked_as = roles(blue, green, sessions(database, since))
    unfit = {role: not_allowed(database, catalog, role) + read_only(database, [role]) for role in asked_as}
    assert {role: said for role, said in unfit.items() if said} == {}
    for server, idle in seen.items():
        told = f"{server}'s sessions do not tell whose they are, of blue either: not looked at"
        again = kube.again("get", "pods", "-n", target.green_namespace, "-o", "wide")
        observe(Observation(f"{server}: each green pod asks it" if idle is not None else told, again))


def leading_elsewhere(
    kube: Kube, target: Target, blue: list[Json], green: list[Json], role: str
) -> dict[str, str]:
    """The pods of green whose variable leads neither where blue's does nor where the gate's own does."""
    variable = role.upper()
    right = {configured(kube, pod, variable, target.container) for pod in blue}
    if role in target.credentials:
        right.add(place(target.credential(role).reveal()))
    return elsewhere({name(pod): configured(kube, pod, variable, target.container) for pod in green}, right)


def sessions(database: Database, since: datetime) -> list[Session]:
    """Of the database that the gate asks, all but the gate's own."""
    rows = database.rows(
        """SELECT coalesce(host(client_addr), ''), coalesce(application_name, ''),
                  coalesce(query_start >= %(since)s, false), coalesce(usename, '')
           FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()""",
        since=since,
    )
    return [Session(*row) for row in rows]


def clients(cache: Cache, began: float) -> list[Session] | None:
    """Of the Redis that the gate asks; None where it does not tell. It counts whole seconds of silence."""
    try:
        found = cache.clients()
    except UnreachableError:
        return None
    seconds = time.monotonic() - began
    return [
        Session(_host(str(each["addr"])), str(each.get("name", "")), int(each["idle"]) + 1 <= seconds)
        for each in found
    ]


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")
