"""The rollback: users have blue again and nothing else, what green had to say was kept, and it was quick."""

from datetime import timedelta

import pytest

from nox_service import calculations, faults, pages
from nox_service.clients import Clients
from nox_service.websocket import no_echo
from noxgate.blue_green.rolled_back import DECIDED, DONE
from noxgate.blue_green.running import deployment_of, labelled_pods
from noxgate.blue_green.switch_time import Switch
from noxgate.blue_green.switching import colours, ingress_before, live_ingress, unwanted_changes
from noxgate.blue_green.traffic import ExpectedPods, ingresses_of, rivals, wrong_backends
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.workload import desired_pods, name

MERGE_PATCH = "application/merge-patch+json"
APART = timedelta(seconds=2)  # the API server writes whole seconds down


@pytest.mark.runbook("rollback.traffic-switch")
def test_ingress_leads_to_blue_alone(clients: Clients) -> None:
    """Every host and path as it was saved before the release, to pods that are ready."""
    blue, service = clients.blue, clients.service
    before = ingress_before(clients.target, service)
    after = live_ingress(clients.switch_point)
    others = ingresses_of(blue.kube, clients.namespaces, clients.observe)

    assert colours(after, service) == {service.blue.service}
    assert unwanted_changes(after, before, service, service.blue.service) == {}
    assert wrong_backends(blue.kube, after, ExpectedPods.of(blue), service) == []
    assert rivals(after, others) == {}


@pytest.mark.runbook("rollback.version")
def test_every_answer_is_blues(clients: Clients, previous_version: str, limits: Limits) -> None:
    """The version that prep.blue-version recorded: blue itself may have been changed since."""
    answers = clients.api.sample("/version", int(limits["samples"]))

    assert previous_version != clients.release.version
    assert faults.version(answers, previous_version) == []


@pytest.mark.runbook("rollback.health")
def test_health_is_healthy_again(clients: Clients) -> None:
    """On each pod of blue: the right version alone does not help users."""
    assert faults.health(clients.api.get_often("/health")) == []


@pytest.mark.runbook("rollback.ready")
def test_ready_answers_200_again(clients: Clients) -> None:
    """/ready looks at PostgreSQL and Redis, which still have both colours."""
    assert faults.ready(clients.api.get_often("/ready")) == []


@pytest.mark.runbook("rollback.user-pages")
def test_users_have_their_pages_again(clients: Clients) -> None:
    """On the new schema, and with what green wrote."""
    assert pages.each(clients.api) == {}


@pytest.mark.runbook("rollback.science")
def test_science_is_computed_again(clients: Clients) -> None:
    """The two requests that store nothing."""
    assert calculations.each(clients.api) == {}


@pytest.mark.runbook("rollback.websocket")
def test_websocket_echoes_again(clients: Clients) -> None:
    """A path that is easily forgotten on the way back."""
    assert no_echo(clients.websocket, "/ws") == []


@pytest.mark.runbook("rollback.green-logs-kept")
def test_green_was_kept_for_later(clients: Clients) -> None:
    """Of every pod: `kubectl logs deployment/…` writes one pod's alone, and scaled down they are gone."""
    deployment = deployment_of(clients.green)
    pods = sorted(map(name, labelled_pods(clients.green)))
    logs, described = clients.rolled_back.logs(), clients.rolled_back.described()

    assert logs != {}
    assert sorted(logs) == sorted(described), "the logs and the descriptions are of different pods"
    lacking = [pod for pod in pods if pod not in logs]
    assert lacking == [], f"not kept: {lacking}"
    assert pods != [] or desired_pods(deployment) == 0, "green has no pod, and was not scaled down"


@pytest.mark.runbook("rollback.scale-down-dry-run")
def test_green_could_be_scaled_down(clients: Clients) -> None:
    """Whether to do it is the engineer's choice, later."""
    green = clients.green
    before = deployment_of(green)
    none = {"spec": {"replicas": 0}}
    after = green.kube.dry_run_patch("Deployment", green.deployment, green.namespace, none, MERGE_PATCH)

    assert desired_pods(after) == 0
    assert {key: value for key, value in after["spec"].items() if key != "replicas"} == {
        key: value for key, value in before["spec"].items() if key != "replicas"
    }


@pytest.mark.runbook("rollback.time")
def test_it_took_less_than_the_runbook_allows(clients: Clients, limits: Limits, switch: Switch) -> None:
    """By the record of tonight: the Ingress has to have been changed while it was written."""
    limit = limits["seconds"]
    steps = clients.rolled_back.steps()
    changed = switch.at

    assert [step.what for step in steps[:1] + steps[-1:]] == [DECIDED, DONE]
    assert sorted(steps, key=lambda step: step.at) == steps, "its steps are not in the order of their times"
    begin, end = steps[0].at, steps[-1].at
    assert begin - APART <= changed <= end + APART, f"the Ingress was changed {changed}, not in this rollback"
    took = (end - begin).total_seconds()
    assert took < limit, f"expected < {limit:g} s, saw {took:g} s from {DECIDED!r} to {DONE!r}"
