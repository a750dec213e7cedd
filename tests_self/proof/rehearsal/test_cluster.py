"""The rehearsal's cluster: true to its processes, still when nothing happens, and open to kubectl."""

import os
import subprocess
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from tests_self.kubernetes.servers import kubectl_path

from nox_rehearsal.cluster.objects import BLUE, GREEN, PRODUCTION, STAGING, Api, administrator
from nox_rehearsal.sabotages.in_cluster import dead
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually

SERVICE = "kubernetes.io/service-name=nox-api-service-green"
KUBECTL = [
    ["get", "pods,svc,ingress,hpa", "-n", STAGING],
    ["get", "secrets", "-n", PRODUCTION],
    ["get", "all", "-n", PRODUCTION, "-o", "yaml"],
    ["get", "pods", "-n", BLUE],
    ["describe", "deployment,pod,service,ingress,hpa", "-n", STAGING],
    ["apply", "-f", "k8s/staging/", "-n", STAGING, "--dry-run=server"],
    ["apply", "-f", "k8s/production/green/", "-n", GREEN, "--dry-run=server"],
    ["diff", "-f", "k8s/staging/"],
    ["logs", "deployment/nox-api-deployment-green", "-n", STAGING, "--tail=5"],
    ["wait", "--for=condition=ready", "pod", "-l", "app=nox-api", "-n", STAGING, "--timeout=60s"],
    ["rollout", "status", "deployment/nox-api-deployment-green", "-n", STAGING, "--timeout=60s"],
    ["auth", "can-i", "list", "pods", "-n", STAGING],
]


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with administrator(world) as api:
        yield api


def ready(api: Api) -> tuple[dict[str, bool], list[bool], int]:
    """Pods and endpoints by readiness, and what the Deployment counts."""
    pods = {
        pod["metadata"]["name"]: all(each["ready"] for each in pod["status"]["containerStatuses"])
        for pod in api.list("Pod", STAGING)
    }
    endpoints = [
        endpoint["conditions"]["ready"]
        for each in api.list("EndpointSlice", STAGING, SERVICE)
        for endpoint in each["endpoints"]
    ]
    deployment = api.get("Deployment", "nox-api-deployment-green", STAGING)
    return pods, endpoints, deployment["status"].get("readyReplicas", 0)


def test_a_pod_is_as_its_process_is(world: World, api: Api) -> None:
    """Ended: not ready, no endpoint, and nginx leads past it. Started again: ready."""

    def all_up() -> None:
        assert ready(api) == (dict.fromkeys(world.pods, True), [True] * 3, 3)

    def one_down() -> None:
        pods, endpoints, count = ready(api)
        upstreams = (world.folder / "ingress" / "upstreams-staging.conf").read_text()
        assert pods == {name: name != max(world.pods) for name in world.pods}
        assert sorted(endpoints) == [False, True, True]
        assert count == 2
        assert f":{world.pods[max(world.pods)]} " not in upstreams
        assert f":{world.pods[min(world.pods)]} " in upstreams

    all_up()
    with dead(world):
        eventually(one_down, within=30, every=0.05)  # the controllers go from one to the next
    eventually(all_up, within=30, every=0.05)


def test_nothing_is_written_while_nothing_happens(api: Api) -> None:
    """Resource versions stand still: who watches is not woken for nothing."""

    def versions() -> dict[str, Any]:
        kinds = ("Deployment", "ReplicaSet", "Pod", "EndpointSlice", "HorizontalPodAutoscaler", "Ingress")
        things = [thing for kind in kinds for thing in api.list(kind, "")]
        return {thing["metadata"]["uid"]: thing["metadata"]["resourceVersion"] for thing in things}

    def still() -> None:
        first = versions()
        Event().wait(1)  # three ticks
        assert versions() == first

    eventually(still, within=30, every=0)  # once what earlier tests broke is mended


def test_an_ingress_that_leads_nowhere(world: World, api: Api) -> None:
    """A backend in another namespace is accepted, and answers 503; the other paths go on."""
    path = "/apis/networking.k8s.io/v1/namespaces/nox-production/ingresses/nox-api-ingress"
    before = api.send("GET", path)
    version = before["spec"]["rules"][0]["http"]["paths"][1]["backend"]["service"]
    assert version["name"] == "nox-api-service-blue"
    version["name"] = "nox-api-service-elsewhere"
    api.send("PUT", path, json=before)

    def status(of: str) -> int:
        command = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "--cacert", str(world.ca_file)]
        done = subprocess.run(
            [*command, world.production_url + of], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    def leads_nowhere() -> None:
        assert (status("/version"), status("/health")) == (503, 200)

    try:
        eventually(leads_nowhere, within=30, every=0.1)
    finally:
        again = api.send("GET", path)
        again["spec"]["rules"][0]["http"]["paths"][1]["backend"]["service"]["name"] = "nox-api-service-blue"
        api.send("PUT", path, json=again)
    eventually(lambda: _is(status("/version"), 200), within=30, every=0.1)


@pytest.mark.parametrize("words", KUBECTL if kubectl_path() else [], ids=" ".join)
def test_kubectl(words: list[str], world: World) -> None:
    """The runbook's own commands, and others that an engineer would type."""
    kubectl = kubectl_path()
    assert kubectl is not None
    environment = {**os.environ, "KUBECONFIG": str(world.kubeconfig)}
    done = subprocess.run(
        [kubectl, *words], cwd=world.source, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_status_shows_the_cluster(world: World) -> None:
    parts = {row.part: row for row in worlds.status(world.name)}

    assert parts["kubernetes"].address == world.kubernetes_url
    assert parts["controllers"].alive


def _is(seen: int, wanted: int) -> None:
    assert seen == wanted
