"""Runbook 4, traffic switch: the Ingress leads to green everywhere, and users get the release alone."""

from typing import TYPE_CHECKING

import pytest

from nox_service import faults
from nox_service.clients import Clients
from nox_service.pods import each as each_pod
from noxgate.blue_green.switching import colours, ingress_before, live_ingress, unwanted_changes
from noxgate.blue_green.traffic import ExpectedPods, ingresses_of, rivals, wrong_backends
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits

if TYPE_CHECKING:
    from noxgate.look.http import Answer

AT_A_TIME = 20  # samples between two looks at the pods


@pytest.mark.runbook("live.traffic-switch")
def test_ingress_leads_to_green_alone(clients: Clients) -> None:
    """Every host and path that it had, to a Service within its reach, with green's ready pods alone."""
    green, service = clients.green, clients.service
    before = ingress_before(clients.target, service)
    after = live_ingress(clients.switch_point)
    others = ingresses_of(green.kube, clients.namespaces, clients.observe)

    assert colours(after, service) == {service.green.service}
    assert unwanted_changes(after, before, service, service.green.service) == {}
    assert wrong_backends(green.kube, after, ExpectedPods.of(green), service) == []
    assert rivals(after, others) == {}


@pytest.mark.runbook("live.health-every-replica")
def test_every_pod_serves_healthy_answers(clients: Clients, limits: Limits) -> None:
    """By the pods' own counters of /version, which no probe asks: a ready pod may still get no traffic."""
    before = each_pod.served(clients.green, clients.forward)
    idle = set(before)
    answers: list[Answer] = []
    while idle and len(answers) < limits["samples"]:
        answers += clients.api.sample("/health", AT_A_TIME)
        clients.api.sample("/version", AT_A_TIME)
        now = each_pod.served(clients.green, clients.forward)
        idle = {pod for pod in now if now[pod] <= before.get(pod, 0)}

    assert before != {}
    assert faults.health(answers) == []
    assert idle == set()


@pytest.mark.runbook("live.version-converged")
def test_every_answer_is_the_release(clients: Clients, limits: Limits) -> None:
    """One in a hundred that is still blue is a path, a cache or an Ingress that was forgotten."""

    def all_are() -> None:
        answers = clients.api.sample("/version", int(limits["samples"]))

        assert faults.version(answers, clients.release.version) == []

    eventually(all_are, within=clients.target.waiting(limits["within_seconds"]))
