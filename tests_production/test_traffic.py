"""Runbook 4, traffic switch: the Ingress leads to green everywhere, and users get the release alone."""

from typing import TYPE_CHECKING

import pytest

from nox_service import answers as faults
from nox_service.clients import Clients
from noxgate.blue_green.side import Side
from noxgate.blue_green.switching import (
    colours,
    differing,
    ingress_before,
    kept,
    live_ingress,
    switched,
)
from noxgate.blue_green.traffic import Green, ingresses_of, rivals, wrong_backends
from noxgate.look.waiting import eventually
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.forward import Forward, pod_port
from noxgate.systems.prometheus import exposition

if TYPE_CHECKING:
    from noxgate.look.http import Answer

PORT = 80
AT_A_TIME = 20  # samples between two looks at the pods


@pytest.mark.runbook("live.traffic-switch")
def test_ingress_leads_to_green_alone(clients: Clients) -> None:
    """Every host and path that it had, to a Service within its reach, with green's ready pods alone."""
    green, target, service = clients.green, clients.target, clients.service
    before = ingress_before(target, service)
    after = live_ingress(clients.switch_point)
    namespaces = dict.fromkeys(
        each for each in (target.namespace, target.green_namespace, target.blue_namespace) if each
    )
    others = ingresses_of(green.kube, list(namespaces), clients.observe)

    assert colours(after, service) == {service.green.service}
    assert differing(after, switched(before, service, service.green.service)) == {}
    assert {field: value for field, value in kept(after).items() if value != kept(before)[field]} == {}
    assert wrong_backends(green.kube, after, Green.of(green), service) == []
    assert rivals(after, others) == {}


@pytest.mark.runbook("live.health-every-replica")
def test_every_pod_serves_healthy_answers(clients: Clients, limits: Limits) -> None:
    """By the pods' own counters of /version, which no probe asks: a ready pod may still get no traffic."""
    samples = limits["samples"]
    before = served(clients.green, clients.forward)
    idle = set(before)
    answers: list[Answer] = []
    while idle and len(answers) < samples:
        answers += clients.api.sample("/health", AT_A_TIME)
        clients.api.sample("/version", AT_A_TIME)
        now = served(clients.green, clients.forward)
        idle = {pod for pod in now if now[pod] <= before.get(pod, 0)}

    assert before != {}
    assert answers != []
    assert faults.health(answers) == []
    assert idle == set()


@pytest.mark.runbook("live.version-converged")
def test_every_answer_is_the_release(clients: Clients, limits: Limits) -> None:
    """One in a hundred that is still blue is a path, a cache or an Ingress that was forgotten."""

    def all_are() -> None:
        answers = clients.api.sample("/version", int(limits["samples"]))

        assert answers != []
        assert faults.version(answers, clients.release.version) == []

    eventually(all_are, within=clients.target.waiting(limits["within_seconds"]))


def served(green: Side, forward: Forward) -> dict[str, float]:
    """Pod -> the requests for /version that it has answered."""
    service = green.kube.need("Service", green.service, green.namespace)
    found = {}
    for pod in Green.of(green).pods.values():
        pod_name = pod["metadata"]["name"]
        with forward.to_pod(green.namespace, pod_name, pod_port(service, PORT, pod)) as way:
            answer = exposition.asked(way.get)
        assert answer.status == 200, f"{pod_name}: GET /metrics: HTTP {answer.status}"
        found[pod_name] = sum(
            sample.value
            for sample in exposition.read(answer)
            if sample.name == "http_requests_total" and sample.labels.get("path") == "/version"
        )
    return found
