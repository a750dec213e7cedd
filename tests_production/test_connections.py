"""Runbook 4, green before the switch: it has production's data, and not staging's or last night's copy."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from nox_service.clients import Clients
from nox_service.pages import PROFILE
from nox_service.pods.one import PodApi
from noxgate.blue_green.connected.places import configured, elsewhere
from noxgate.blue_green.connected.sessions import Session, roles, unconnected
from noxgate.blue_green.running import deployment_of, pods_of
from noxgate.blue_green.side import Side
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.places import place
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import OwnWay, each_pod_alone
from noxgate.systems.kubernetes.workload import name
from noxgate.systems.postgres.database import Database
from noxgate.systems.postgres.definitions import not_allowed
from noxgate.systems.postgres.settings import read_only
from noxgate.systems.redis import Cache

STATE = "/api/auth/google/url"  # for which it keeps a state, for minutes
LEAST_SECONDS = 10.0  # Redis counts in whole ones: even a rehearsal has to wait for one
Json = Mapping[str, Any]


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
            "PostgreSQL": unconnected(old, new, sessions(database, since)),
            "Redis": unconnected(old, new, connected(clients.cache, began)),
        }
        assert {server: idle for server, idle in seen.items() if idle} == {}
        return seen

    assert old != []
    assert new != []
    assert led == {"database_url": {}, "redis_url": {}}
    assert versions == [(clients.catalog.schema_version,)]
    seen = eventually(nobody_is_idle, within=within, every=0.5)
    asked_as = roles(old, new, sessions(database, since))
    unfit = {
        role: not_allowed(database, clients.catalog, role) + read_only(database, [role]) for role in asked_as
    }
    assert {role: said for role, said in unfit.items() if said} == {}
    for server, idle in seen.items():
        told = f"{server}'s sessions do not tell whose they are, of blue either: not looked at"
        again = green.kube.again("get", "pods", "-n", green.namespace, "-o", "wide")
        clients.observe(Observation(f"{server}: each green pod asks it" if idle is not None else told, again))


def leading_elsewhere(
    side: Side, target: Target, blue: list[Json], green: list[Json], role: str
) -> dict[str, str]:
    """The pods of green whose variable leads neither where blue's does nor where the gate's own does."""
    variable = role.upper()
    right = {configured(side.kube, pod, variable, side.container) for pod in blue}
    if role in target.credentials:
        right.add(place(target.credential(role).reveal()))
    return elsewhere(
        {name(pod): configured(side.kube, pod, variable, side.container) for pod in green}, right
    )


def sessions(database: Database, since: datetime) -> list[Session]:
    """Of the database that the gate asks, all but the gate's own."""
    rows = database.rows(
        """SELECT coalesce(host(client_addr), ''), coalesce(application_name, ''),
                  coalesce(query_start >= %(since)s, false), coalesce(usename, '')
           FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()""",
        since=since,
    )
    return [Session(*row) for row in rows]


def connected(cache: Cache, began: float) -> list[Session] | None:
    """Of the Redis that the gate asks; None if it does not tell. It counts whole seconds of silence."""
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
