"""Which image runs: of the application's container by its name, and of the one Deployment's own pods."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests_self.kubernetes.servers import Server, stand_in
from tests_self.service import CONTAINER, DEPLOYMENT, side

from noxgate.blue_green.running import application_pods, began, pods_of, released, running
from noxgate.project.service.names import Container
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import application, variables
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.kubernetes.workload import name, versions

HOST = "registry.nox.example"
PROXY = {"name": "db-proxy", "image": f"{HOST}/db-proxy:2.11", "env": [{"name": "A", "value": "proxy"}]}
API = {"name": "nox-api", "image": f"{HOST}/nox-api:v8.0.0", "env": [{"name": "A", "value": "api"}]}
WEB, PROXYS = Container("web", is_named=True), Container("db-proxy", is_named=True)
GREEN = side(cast("Kube", None), "nox")  # of which only the names are asked
Json = dict[str, Any]


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def deployment(*containers: Json, called: str = DEPLOYMENT, app: str = "nox-api") -> Json:
    """A Deployment of these containers."""
    labels = {"app": app}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": called, "namespace": "nox", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": list(containers)}},
        },
    }


def shipped(*deployments: Json) -> tuple[Document, ...]:
    """Manifests of these."""
    return tuple(
        Document("d.yaml", at, made["kind"], made["metadata"]["name"], None, made)
        for at, made in enumerate(deployments, 1)
    )


# ---------------------------------------------------------------- whose container


@pytest.mark.parametrize("containers", [(PROXY, API), (API, PROXY), (API,)])
def test_the_applications_container_by_its_name(containers: tuple[Json, ...]) -> None:
    """Wherever a mesh or a proxy puts its own."""
    made = deployment(*containers)
    spec = made["spec"]["template"]["spec"]

    assert application(spec, CONTAINER) == application(spec, Container("nox-api", is_named=True)) == API
    assert variables(spec, CONTAINER) == {"A": "api"}
    assert versions(made["spec"]["template"], CONTAINER) == ["8.0.0"]
    assert released(shipped(made), "8.0.0", GREEN) == f"{HOST}/nox-api:v8.0.0"


def test_a_container_of_another_name() -> None:
    """The profile's name decides; where it says none, the only one is meant."""
    web = {"name": "web", "image": f"{HOST}/nox:v8.0.0"}
    spec = {"containers": [PROXY, web]}

    assert application({"containers": [web]}, CONTAINER) == web
    assert application(spec, WEB) == web
    assert (
        released(shipped(deployment(PROXY, web)), "8.0.1", replace(GREEN, container=WEB))
        == f"{HOST}/nox:v8.0.1"
    )
    with pytest.raises(AssertionError, match="expected a container nox-api, saw db-proxy, web: say cont"):
        application(spec, CONTAINER)
    with pytest.raises(AssertionError, match="expected a container api, saw web: say container ="):
        application({"containers": [web]}, Container("api", is_named=True))
    assert application({}, CONTAINER) == application({"containers": []}, WEB) == {}


def test_the_deployment_by_its_name() -> None:
    """Another one in the namespace has another image, which is not that of the release."""
    worker = deployment({"name": "worker", "image": "redis:7"}, called="nox-worker")
    manifests = shipped(worker, deployment(PROXY, API))

    assert released(manifests, "8.0.0", GREEN) == f"{HOST}/nox-api:v8.0.0"
    with pytest.raises(AssertionError, match=r"saw none of it among \['nox-worker'\]"):
        released(manifests[:1], "8.0.0", GREEN)


# ---------------------------------------------------------------- whose pods


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster with two Deployments of the same labels, a job's pod, and one that somebody made."""
    with stand_in(tmp_path_factory.mktemp("kubernetes")) as running_server:
        with running_server.client() as client:
            _furnish(client)
        yield running_server


def _furnish(client: httpx.Client) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nox"}}
    _post(client, "/api/v1/namespaces", namespace)
    for called, letter in {DEPLOYMENT: "a", "nox-worker": "b"}.items():
        made = _post(
            client, "/apis/apps/v1/namespaces/nox/deployments", deployment(PROXY, API, called=called)
        )
        spec = {key: made["spec"][key] for key in ("selector", "template")}
        replicas = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": f"{called}-1", "labels": {"app": "nox-api"}, **_owned("Deployment", made)},
            "spec": {**spec, "replicas": 1},
        }
        owner = _post(client, "/apis/apps/v1/namespaces/nox/replicasets", replicas)
        _pod(client, f"{called}-1-x", letter, _owned("ReplicaSet", owner))
    job = {"kind": "Job", "metadata": {"name": "nox-migrate", "uid": "00000000-0000-4000-8000-000000000000"}}
    _pod(client, "nox-migrate-x", "c", _owned("Job", job))
    _pod(client, "by-hand", "d", {})


def _owned(kind: str, owner: Json) -> Json:
    version = {"Job": "batch/v1"}.get(kind, "apps/v1")
    about = {key: owner["metadata"][key] for key in ("name", "uid")}
    return {"ownerReferences": [{"apiVersion": version, "kind": kind, "controller": True, **about}]}


def _pod(client: httpx.Client, called: str, letter: str, owned: Json) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": called, "labels": {"app": "nox-api"}, **owned},
        "spec": {"containers": [PROXY, API]},
    }
    _post(client, "/api/v1/namespaces/nox/pods", pod)
    statuses = [
        {
            "name": each["name"],
            "imageID": f"{HOST}/{each['name']}@{digest(its)}",
            "restartCount": int(called == "by-hand"),
            "state": {"running": {"startedAt": f"2026-12-01T20:0{int(its, 16) % 10}:00Z"}},
            "ready": True,
            "image": each["image"],
        }
        for each, its in ((PROXY, "9"), (API, letter))
    ]
    headers = {"content-type": "application/merge-patch+json"}
    status = {"status": {"phase": "Running", "containerStatuses": statuses}}
    answer = client.patch(f"/api/v1/namespaces/nox/pods/{called}/status", json=status, headers=headers)
    assert answer.status_code == 200, answer.text


def _post(client: httpx.Client, path: str, content: Json) -> Json:
    answer = client.post(path, json=content)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


@pytest.fixture
def kube(server: Server) -> Iterator[Kube]:
    target = Target(
        name="production",
        path=Path("production.toml"),
        serves=(),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        kubeconfig=str(server.kubeconfig()),
    )
    session = KubeSession(settings.cluster(target))
    yield Kube(session, session, lambda _: None)
    session.close()


def test_two_deployments_are_told_apart(kube: Kube) -> None:
    """By who keeps a pod, with any labels; one without an owner may be a stranger, and stays."""
    assert running(side(kube, "nox")) == {
        f"{DEPLOYMENT}-1-x": f"{HOST}/nox-api@{digest('a')}",
        "by-hand": f"{HOST}/nox-api@{digest('d')}",
    }
    assert set(running(side(kube, "nox", "nox-worker"))) == {"nox-worker-1-x", "by-hand"}
    assert (
        running(side(kube, "nox", "nox-worker", PROXYS))["nox-worker-1-x"] == f"{HOST}/db-proxy@{digest('9')}"
    )


def test_since_when_pods_run(kube: Kube) -> None:
    """By the application's own container; of one that restarted it is not known how old it is."""
    assert began(side(kube, "nox")) == {f"{DEPLOYMENT}-1-x": datetime(2026, 12, 1, 20, 0, tzinfo=UTC)}


def test_pods_by_wider_labels(kube: Kube) -> None:
    found = kube.need("Deployment", DEPLOYMENT, "nox")

    assert sorted(map(name, pods_of(kube, found, "app=nox-api"))) == ["by-hand", f"{DEPLOYMENT}-1-x"]
    assert pods_of(kube, found, "app=other") == []


def test_pods_of_the_application(kube: Kube) -> None:
    """A job's pod with its labels serves no users: it is not asked for metrics or readiness."""
    assert sorted(map(name, application_pods(side(kube, "nox")))) == ["by-hand", f"{DEPLOYMENT}-1-x"]
    everybody = ["by-hand", f"{DEPLOYMENT}-1-x", "nox-migrate-x", "nox-worker-1-x"]
    assert sorted(map(name, application_pods(side(kube, "nox", "not-there-yet")))) == everybody
