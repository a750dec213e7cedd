"""Staging's pods, Services, Ingress and HPA are not what the release needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nox_rehearsal.cluster.objects import STAGING, administrator, path_of
from nox_rehearsal.sabotages.in_cluster import (
    added,
    besides,
    dead,
    edited,
    frozen,
    gone,
    restarted,
    shipped,
)
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.state import World

DEPLOYMENT = "nox-api-deployment-green"
SERVICE = "nox-api-service-green"
HPA = "nox-api-hpa-green"
POD = "nox-api-green-3"
DRIFT = "staging.manifests-no-drift"
_BEHAVIOUR = {"stabilizationWindowSeconds": 60}
_CANARY = {"": "true", "-weight": "50"}
ROUTES = ("staging.service-endpoints", "staging.ingress-backends")


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _manifests()
    yield from _rollout()
    yield from _routing()
    yield from _autoscaling()


def _manifests() -> Iterator[Sabotage]:
    line = "staging.manifests-accepted"
    misspelt = shipped("k8s/staging/deployment.yaml", "strategy:", "stratgy:")
    yield Sabotage(line, "misspelt", "a field with a letter missing", misspelt, "stratgy", (DRIFT,))
    unknown = added(
        "k8s/staging/vpa.yaml",
        "apiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {name: nox}\nspec: {}\n",
    )
    yield Sabotage(
        line, "unknown-kind", "a kind whose CRD is absent", unknown, "VerticalPodAutoscaler", (DRIFT,)
    )
    no_type = shipped("k8s/staging/ingress.yaml", "            pathType: Exact\n", "")
    yield Sabotage(line, "path-type", "a path without its type", no_type, "pathType", (DRIFT,))

    line = "staging.manifests-unique"
    twice = added("k8s/staging/z-service.yaml", _text("k8s/staging/service.yaml"))
    yield Sabotage(line, "twice", "one Service in two files", twice, "z-service.yaml")
    elsewhere = shipped("k8s/staging/service.yaml", "namespace: nox-staging-green", "namespace: nox-staging")
    yield Sabotage(
        line,
        "elsewhere",
        "a file for another namespace",
        elsewhere,
        "service.yaml",
        ("staging.manifests-accepted", DRIFT),
    )

    edit = edited("HorizontalPodAutoscaler", HPA, {"spec": {"maxReplicas": 4}})
    yield Sabotage(DRIFT, "edited", "maxReplicas changed by hand", edit, "maxReplicas")
    port = [{"op": "add", "path": "/spec/ports/-", "value": {"name": "debug", "port": 5678}}]
    debug = edited("Service", SERVICE, port)
    yield Sabotage(DRIFT, "added", "a port added by hand", debug, "ports[debug]", ROUTES[:1])
    quiet = edited("HorizontalPodAutoscaler", HPA, {"spec": {"behavior": {"scaleDown": _BEHAVIOUR}}})
    yield Sabotage(DRIFT, "added-field", "a field that no manifest has", quiet, "behavior")
    lost = gone("PrometheusRule", "nox-api-alerts")
    yield Sabotage(DRIFT, "gone", "an object was deleted", lost, "is not there", ("staging.prometheus-rule",))


def _rollout() -> Iterator[Sabotage]:
    line = "staging.rollout"
    status = edited("Deployment", DEPLOYMENT, {"status": {"observedGeneration": 1}}, status=True)
    yield Sabotage(
        line,
        "behind",
        "an older generation is observed",
        status,
        "observedGeneration",
        ("staging.deployment",),
    )
    old = edited("Pod", POD, _image("v7.9.3"))
    yield Sabotage(line, "old-pod", "3 of 3 are ready, one is 7.9.3", old, "v7.9.3", ROUTES)
    other = edited("Pod", POD, _digest("0" * 64), status=True)
    yield Sabotage(line, "other-bytes", "the same tag, another digest", other, "unlike", ROUTES)
    unready = edited("Pod", POD, [_replace_condition()], status=True)
    yield Sabotage(line, "unready", "a pod is not ready, the Deployment is", unready, "Ready=False")
    fewer = edited(
        "Deployment", DEPLOYMENT, {"status": {"readyReplicas": 2, "availableReplicas": 2}}, status=True
    )
    yield Sabotage(line, "two-ready", "two of three are ready", fewer, "readyReplicas")
    down = ("staging.deployment", "staging.prometheus-targets-up")
    yield Sabotage(line, "dead", "a pod's process died", dead, "readyReplicas", down)
    left_over = besides(_pod("nox-api-blue-9", "v7.9.3"))
    yield Sabotage(
        line,
        "left-over",
        "a pod of blue is still there",
        left_over,
        "nox-api-blue-9",
        ("staging.pod-restarts", "staging.pod-monitor", "staging.prometheus-targets-up"),
    )
    yield Sabotage("staging.pod-restarts", "once", "a pod died and came back", restarted, f"{POD}/nox-api")

    line = "staging.deployment"
    conditions = [{"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}]
    unavailable = edited("Deployment", DEPLOYMENT, {"status": {"conditions": conditions}}, status=True)
    yield Sabotage(
        line, "unavailable", "there, and not available", unavailable, "expected 'True', saw 'False'"
    )
    candidate = edited("Deployment", DEPLOYMENT, _label("8.0.0-rc1"))
    yield Sabotage(line, "rc1", "a release candidate", candidate, "8.0.0-rc1", ("staging.rollout", DRIFT))


def _routing() -> Iterator[Sabotage]:
    line = "staging.service-endpoints"
    yield Sabotage(
        line,
        "blue-too",
        "selects blue as well",
        _selects_blue,
        "nox-api-blue-9",
        (
            "staging.ingress-backends",
            "staging.rollout",
            "staging.pod-restarts",
            "staging.pod-monitor",
            "staging.prometheus-targets-up",
        ),
    )
    yield Sabotage(
        line,
        "none-ready",
        "endpoints, none ready",
        _none_ready,
        "no ready endpoint",
        ("staging.ingress-backends",),
    )

    line = "staging.service-endpoints"
    nowhere = edited_slices(lambda entry: entry | {"ports": []})
    yield Sabotage(line, "no-port", "ready, and no port leads there", nowhere, "no ready", ROUTES[1:])
    line = "staging.ingress-backends"
    rival = besides(_rival())
    yield Sabotage(line, "rival", "a canary takes its share of the host", rival, "nox-canary")
    name = "/spec/rules/0/http/paths/4/backend/service/name"
    elsewhere = [{"op": "replace", "path": name, "value": "nox-api-service-blue"}]
    other = edited("Ingress", "nox-api-ingress", elsewhere)
    yield Sabotage(line, "elsewhere", "a Service of another namespace", other, "no Service", (DRIFT,))
    number = "/spec/rules/0/http/paths/0/backend/service/port/number"
    wrong = edited("Ingress", "nox-api-ingress", [{"op": "replace", "path": number, "value": 8080}])
    yield Sabotage(line, "port", "a port that the Service has not", wrong, "8080", (DRIFT,))


def _autoscaling() -> Iterator[Sabotage]:
    line = "staging.hpa-conditions"
    conditions = [
        {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
        {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"},
    ]
    deaf = edited("HorizontalPodAutoscaler", HPA, {"status": {"conditions": conditions}}, status=True)
    yield Sabotage(line, "no-metrics", "able to scale, but not active", deaf, "FailedGetResourceMetric")
    unread = edited(
        "HorizontalPodAutoscaler", HPA, {"status": {"currentMetrics": [{"type": ""}]}}, status=True
    )
    yield Sabotage(
        line, "unread", "active, though a metric has no value", unread, "without a value: Resource cpu"
    )
    stateful = edited("HorizontalPodAutoscaler", HPA, {"spec": {"scaleTargetRef": {"kind": "StatefulSet"}}})
    others = ("staging.hpa-unique", DRIFT)
    yield Sabotage(line, "other-kind", "scales a StatefulSet of that name", stateful, "StatefulSet", others)
    line = "staging.hpa-minimum"
    two = shipped("k8s/staging/autoscaler.yaml", "minReplicas: 3", "minReplicas: 2", applied=True)
    yield Sabotage(line, "two", "two pods are enough for it", two, "expected >= 3, saw 2")
    line = "staging.hpa-unique"
    second: dict[str, Any] = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "nox-api-hpa", "namespace": STAGING},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": DEPLOYMENT},
            "maxReplicas": 2,
        },
    }
    yield Sabotage(line, "second", "an HPA that no file defines", besides(second), "nox-api-hpa, ")


@contextmanager
def _selects_blue(world: World) -> Iterator[None]:
    """A pod of blue in the same namespace, and endpoints as a looser selector would make them."""
    slices = {"addressType": "IPv4", "ports": [{"name": "http", "port": 3000, "protocol": "TCP"}]}
    endpoint = {
        "addresses": ["10.1.0.99"],
        "conditions": {"ready": True},
        "targetRef": {"kind": "Pod", "name": "nox-api-blue-9", "namespace": STAGING},
    }
    labels = {"kubernetes.io/service-name": SERVICE}
    more = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{SERVICE}-more", "namespace": STAGING, "labels": labels},
        "endpoints": [endpoint],
        **slices,
    }
    with besides(_pod("nox-api-blue-9", "v7.9.3"))(world), besides(more)(world):
        yield


def _rival() -> dict[str, Any]:
    backend = {"service": {"name": "nox-api-service-blue", "port": {"number": 80}}}
    path = {"path": "/version", "pathType": "Exact", "backend": backend}
    canary = {f"nginx.ingress.kubernetes.io/canary{key}": value for key, value in _CANARY.items()}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "nox-canary", "namespace": STAGING, "annotations": canary},
        "spec": {"rules": [{"host": "localhost", "http": {"paths": [path]}}]},
    }


def edited_slices(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Switch:
    """The endpoints of the Service are otherwise."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with _slices(world, change):
            yield

    return on


@contextmanager
def _none_ready(world: World) -> Iterator[None]:
    def unready(entry: dict[str, Any]) -> dict[str, Any]:
        endpoints = [{**endpoint, "conditions": {"ready": False}} for endpoint in entry["endpoints"]]
        return entry | {"endpoints": endpoints}

    with _slices(world, unready):
        yield


@contextmanager
def _slices(world: World, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
    with administrator(world) as api, frozen(world):
        found = api.list("EndpointSlice", STAGING, f"kubernetes.io/service-name={SERVICE}")
        paths = [path_of("EndpointSlice", each["metadata"]["name"], STAGING) for each in found]
        for path, each in zip(paths, found, strict=True):
            for field in ("resourceVersion", "managedFields"):
                each["metadata"].pop(field, None)
            api.send("PUT", path, json=change(each))
        try:
            yield
        finally:
            for path, each in zip(paths, found, strict=True):
                api.send("PUT", path, json=each)


def _text(file: str) -> Any:
    return lambda world: (world.source / file).read_text(encoding="utf-8")


def _pod(name: str, tag: str) -> dict[str, Any]:
    image = f"registry.nox.example/nox-api:{tag}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": STAGING, "labels": {"app": "nox-api", "colour": "blue"}},
        "spec": {
            "containers": [
                {"name": "nox-api", "image": image, "ports": [{"name": "http", "containerPort": 3000}]}
            ]
        },
    }


def _image(tag: str) -> list[dict[str, str]]:
    image = f"registry.nox.example/nox-api:{tag}"
    return [{"op": "replace", "path": "/spec/containers/1/image", "value": image}]


def _digest(digest: str) -> list[dict[str, str]]:
    image = f"registry.nox.example/nox-api@sha256:{digest}"
    return [{"op": "replace", "path": "/status/containerStatuses/1/imageID", "value": image}]


def _label(version: str) -> dict[str, Any]:
    return {"spec": {"template": {"metadata": {"labels": {"version": version}}}}}


def _replace_condition() -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    return {"op": "replace", "path": "/status/conditions", "value": conditions}
