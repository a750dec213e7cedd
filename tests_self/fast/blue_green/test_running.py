"""Which image runs: of the application's container by its name, and of the one Deployment's own pods."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests_self.building.kube_clients import custom_kind
from tests_self.kubernetes.servers import Server, stand_in
from tests_self.service import CONTAINER, DEPLOYMENT, side

from noxgate.blue_green.running import (
    application_pods,
    astray,
    autoscaler_of,
    deployment_of,
    pods_of,
    release_image,
    running_images,
    starts_of,
    strangers_to,
)
from noxgate.errors import UnreachableError
from noxgate.project.service.names import Container
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import application, variables
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.kubernetes.workload import name, versions
from noxgate.systems.registry.answers import Image

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
    assert release_image(shipped(made), "8.0.0", GREEN) == f"{HOST}/nox-api:v8.0.0"


def test_a_container_of_another_name() -> None:
    """The profile's name decides; where it says none, the only one is meant."""
    web = {"name": "web", "image": f"{HOST}/nox:v8.0.0"}
    spec = {"containers": [PROXY, web]}

    assert application({"containers": [web]}, CONTAINER) == web
    assert application(spec, WEB) == web
    assert (
        release_image(shipped(deployment(PROXY, web)), "8.0.1", replace(GREEN, container=WEB))
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

    assert release_image(manifests, "8.0.0", GREEN) == f"{HOST}/nox-api:v8.0.0"
    with pytest.raises(AssertionError, match=r"saw none of it among \['nox-worker'\]"):
        release_image(manifests[:1], "8.0.0", GREEN)


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
    assert running_images(side(kube, "nox")) == {
        f"{DEPLOYMENT}-1-x": f"{HOST}/nox-api@{digest('a')}",
        "by-hand": f"{HOST}/nox-api@{digest('d')}",
    }
    assert set(running_images(side(kube, "nox", "nox-worker"))) == {"nox-worker-1-x", "by-hand"}
    assert (
        running_images(side(kube, "nox", "nox-worker", PROXYS))["nox-worker-1-x"]
        == f"{HOST}/db-proxy@{digest('9')}"
    )


def test_since_when_pods_run(kube: Kube) -> None:
    """By the application's own container; of one that restarted it is not known how old it is."""
    assert starts_of(side(kube, "nox")) == {f"{DEPLOYMENT}-1-x": datetime(2026, 12, 1, 20, 0, tzinfo=UTC)}


def test_pods_by_wider_labels(kube: Kube) -> None:
    found = kube.need("Deployment", DEPLOYMENT, "nox")

    assert sorted(map(name, pods_of(kube, found, "app=nox-api"))) == ["by-hand", f"{DEPLOYMENT}-1-x"]
    assert pods_of(kube, found, "app=other") == []


def test_pods_of_the_application(kube: Kube) -> None:
    """A job's pod with its labels serves no users: it is not asked for metrics or readiness."""
    assert sorted(map(name, application_pods(side(kube, "nox")))) == ["by-hand", f"{DEPLOYMENT}-1-x"]
    everybody = ["by-hand", f"{DEPLOYMENT}-1-x", "nox-migrate-x", "nox-worker-1-x"]
    assert sorted(map(name, application_pods(side(kube, "nox", "not-there-yet")))) == everybody


# ---------------------------------------------------------------- what a whole namespace runs

DONE, GAVE_UP = [{"type": "Complete", "status": "True"}], [{"type": "Failed", "status": "True"}]


@pytest.mark.parametrize(
    ("conditions", "phase", "said"),
    [
        (DONE, "Failed", {}),  # its first pod failed, the retry did its job
        (GAVE_UP, "Failed", {"tried-x": "Failed"}),
        ([], "Failed", {"tried-x": "Failed"}),  # how it ends is not known yet
        (None, "Failed", {"tried-x": "Failed"}),  # the job is gone, its pod is not
        (DONE, "Pending", {"tried-x": "Pending"}),
        (GAVE_UP, "Succeeded", {}),
    ],
)
def test_a_pod_that_failed_counts_until_its_job_is_done(
    server: Server, kube: Kube, conditions: list[Json] | None, phase: str, said: Json
) -> None:
    jobs, pods = "/apis/batch/v1/namespaces/tried/jobs", "/api/v1/namespaces/tried/pods"
    merge = {"content-type": "application/merge-patch+json"}
    template = {"spec": {"restartPolicy": "Never", "containers": [API]}}
    job = {"metadata": {"name": "tried", "namespace": "tried"}, "spec": {"template": template}}
    gone = {"kind": "Job", "metadata": {"name": "gone", "uid": "00000000-0000-4000-8000-000000000000"}}
    with server.client() as client:
        client.post("/api/v1/namespaces", json={"metadata": {"name": "tried"}})
        serves = {"metadata": {"name": "serves"}, "spec": {"containers": [API]}}
        client.post(pods, json=serves)
        client.patch(f"{pods}/serves/status", json={"status": {"phase": "Running"}}, headers=merge)
        made = gone if conditions is None else {"kind": "Job", **_post(client, jobs, job)}
        status = {"status": {"conditions": conditions or []}}
        client.patch(f"{jobs}/tried/status", json=status, headers=merge)
        pod = {"metadata": {"name": "tried-x", **_owned("Job", made)}, "spec": template["spec"]}
        _post(client, pods, pod)
        client.patch(f"{pods}/tried-x/status", json={"status": {"phase": phase}}, headers=merge)

        try:
            assert astray(kube, "tried") == said
        finally:
            client.delete(f"{pods}/tried-x?gracePeriodSeconds=0")
            client.delete(f"{jobs}/tried?propagationPolicy=Background")


def test_a_namespace_without_a_pod(kube: Kube) -> None:
    with pytest.raises(AssertionError, match="no pod in nowhere"):
        astray(kube, "nowhere")


# ---------------------------------------------------------------- its autoscaler


@pytest.mark.parametrize(
    ("called", "of", "owner", "is_found"),
    [
        ("usual", DEPLOYMENT, None, True),
        ("keda-hpa-nox", DEPLOYMENT, "ScaledObject", True),
        ("keda-hpa-nox", "another", "ScaledObject", False),
        ("other", DEPLOYMENT, None, False),  # which somebody made beside it, or in its place
    ],
)
def test_whose_autoscaler_counts(
    server: Server, kube: Kube, called: str, of: str, owner: str | None, *, is_found: bool
) -> None:
    places = "/apis/autoscaling/v2/namespaces/nox/horizontalpodautoscalers"
    reference = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": owner,
        "name": "nox",
        "uid": "00000000-0000-4000-8000-000000000000",
        "controller": True,
    }
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": of}
    hpa = {
        "metadata": {"name": called, "ownerReferences": [reference] if owner else []},
        "spec": {"scaleTargetRef": target, "maxReplicas": 5},
    }
    with server.client() as client:
        _post(client, places, hpa)
        try:
            if is_found:
                assert name(autoscaler_of(kube, DEPLOYMENT, "nox", "usual")) == called
            else:
                with pytest.raises(AssertionError, match="usual is not there in nox, nor one that KEDA made"):
                    autoscaler_of(kube, DEPLOYMENT, "nox", "usual")
        finally:
            client.delete(f"{places}/{called}")


# ---------------------------------------------------------------- pods that Argo keeps

OF_LABEL = {"selector": {"matchLabels": {"app": "nox-api"}}}
OF_DEPLOYMENT = {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": DEPLOYMENT}}


@pytest.mark.parametrize(
    ("replicas", "spec", "called", "error"),
    [
        (None, OF_LABEL, "nox", UnreachableError),
        (None, {}, DEPLOYMENT, UnreachableError),
        (0, OF_DEPLOYMENT, "nox", UnreachableError),
        (None, {"selector": {"matchLabels": {"app": "docs"}}}, "docs", AssertionError),
        (None, None, "", AssertionError),
        (0, None, "", None),  # after a rollback nothing is left of green
        (3, OF_DEPLOYMENT, "nox", None),  # not taken over yet: its own pods serve
    ],
)
def test_a_rollout_in_place_of_the_deployment(
    server: Server,
    kube: Kube,
    replicas: int | None,
    spec: Json | None,
    called: str,
    error: type[Exception] | None,
) -> None:
    """What the gate cannot read is not charged to the release."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    rollouts = "/apis/argoproj.io/v1alpha1/namespaces/argo/rollouts"
    deployments = "/apis/apps/v1/namespaces/argo/deployments"
    here = side(kube, "argo")
    with server.client() as client:
        client.post("/api/v1/namespaces", json={"metadata": {"name": "argo"}})
        client.post(definitions, json=custom_kind("Rollout", "argoproj.io", "rollouts", "v1alpha1"))
        if replicas is not None:
            made = deployment(API)
            made["metadata"]["namespace"] = "argo"
            _post(client, deployments, {**made, "spec": {**made["spec"], "replicas": replicas}})
        if spec is not None:
            body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": called}}
            _post(client, rollouts, {**body, "spec": spec})
        try:
            if error is None:
                assert name(deployment_of(here)) == DEPLOYMENT
            else:
                said = "^Rollout .* of Argo keeps" if error is UnreachableError else "is not there in argo"
                with pytest.raises(error, match=said):
                    deployment_of(here)
        finally:
            client.delete(f"{rollouts}/{called}")
            client.delete(f"{deployments}/{DEPLOYMENT}")


def test_the_bytes_by_any_name_of_theirs() -> None:
    """Of an index, of the platform's manifest, of the configuration where the image was loaded by hand."""
    index, manifest, config, other = map(digest, "abcd")
    image = Image(index, manifest, config, None, "amd64", "linux", (), (), {}, {}, {}, ())
    pods = {
        "index": f"{HOST}/nox-api@{index}",
        "manifest": f"docker-pullable://mirror/nox-api@{manifest}",
        "loaded": config,
        "other": f"{HOST}/nox-api@{other}",
        "silent": "",
    }

    assert strangers_to(image, pods) == {"other": other, "silent": "does not say which image it runs"}


def test_an_autoscaler_that_keda_took_away(server: Server, kube: Kube) -> None:
    """A ScaledObject that is paused has no HPA: that is said, and by which annotation."""
    definition = custom_kind("ScaledObject", "keda.sh", "scaledobjects", "v1alpha1")
    metadata = {"name": "nox", "annotations": {"autoscaling.keda.sh/paused-replicas": "3"}}
    thing = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    with server.client() as client:
        _post(client, definitions, definition)
        places = "/apis/keda.sh/v1alpha1/namespaces/nox/scaledobjects"
        _post(client, places, thing | {"spec": {"scaleTargetRef": {"name": DEPLOYMENT}}})
        try:
            with pytest.raises(AssertionError, match=r"ScaledObject nox is paused by .*paused-replicas: 3"):
                autoscaler_of(kube, DEPLOYMENT, "nox", "usual")
        finally:
            client.delete(f"{definitions}/scaledobjects.keda.sh")
