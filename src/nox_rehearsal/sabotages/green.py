"""Green is not what was validated, or not ready for users: before the traffic switch."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import yaml

from nox_rehearsal import release
from nox_rehearsal.checkout import ROOT
from nox_rehearsal.cluster.objects import BLUE, GREEN, PRODUCTION
from nox_rehearsal.day import moments
from nox_rehearsal.parts import images, repository
from nox_rehearsal.sabotages import green_scan
from nox_rehearsal.sabotages.green_release import (
    committed,
    elsewhere,
    published,
    retagged,
    shallow,
    tagged,
    unpublished,
    unpushed,
    written,
)
from nox_rehearsal.sabotages.in_cluster import besides, edited, gone
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import in_production, on_one_pod
from nox_rehearsal.world.state import World

Before = partial(Sabotage, moment="green")

DEPLOYMENT, SERVICE = "nox-api-deployment-green", "nox-api-service-green"
POD = "nox-api-production-green-3"
MANIFEST = "k8s/production/green/deployment.yaml"
ACCEPTED, DRIFT = "green.manifests-accepted", "green.manifests-no-drift"
BACKENDS = "green.switch-backends"
# What looks at the image that the release's tag names.
SAME_BYTES = ("green.image-digest", "green.pod-image", "green.image-scan")
SMOKE = (
    "green.port-forward",
    "green.health",
    "green.version",
    "green.port-forward-closed",
    "green.ready",
    "green.connections",
    "green.blue-token",
    "green.user-pages",
    "green.science",
)
WEBSOCKET = "green.websocket"  # at another port of the Service


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _tag()
    yield from _image()
    yield from green_scan.sabotages()
    yield from _manifests()
    yield from _rollout()
    yield from _smoke()
    yield from _switch()


def _tag() -> Iterator[Sabotage]:
    line = "green.tag-annotated"
    yield Before(line, "lightweight", "made without -a", retagged(annotated=False), "saw 'commit'")
    lower = retagged(message="NOX API v8.0.0 production release")
    yield Before(line, "message", "a small letter in its message", lower, "production release")
    line = "green.tag-pushed"
    yield Before(line, "local", "the remote has none", unpushed, "saw None")
    other = retagged(message="NOX API v8.0.0 Production Release", pushed=False)
    yield Before(line, "other", "the same, made once more after the push", other, ", saw ")
    line = "green.tag-commit"
    later = tagged(committed)
    yield Before(line, "later", "one commit later", later, ", saw ", ("green.image-revision",))
    yield Before(line, "aside", "main does not have it", elsewhere, "is not on main")
    yield Before(
        line, "shallow", "a checkout of depth 1", shallow, "git fetch --unshallow", outcome="unreachable"
    )


def _image() -> Iterator[Sabotage]:
    line = "green.image-published"
    others = ("green.image-digest", "green.image-revision", "green.image-scan", "green.pod-image")
    yield Before(
        line, "absent", "the tag is not in the registry", unpublished, "has no nox-api:v8.0.0", others
    )
    line = "green.image-digest"
    rebuilt = published(lambda world, base: _nox(world, base, created=datetime(2025, 8, 15, tzinfo=UTC)))
    yield Before(line, "rebuilt", "built again after staging", rebuilt, "nox-api-green-1", SAME_BYTES[1:])
    line = "green.image-revision"
    silent = published(lambda world, base: _nox(world, base, labels={_REVISION: None}))
    yield Before(line, "unlabelled", "says nothing of its commit", silent, "saw None", SAME_BYTES)
    other = published(lambda world, base: _nox(world, base, labels={_REVISION: "0" * 40}))
    yield Before(line, "other", "of another commit", other, "'000", SAME_BYTES)


def _manifests() -> Iterator[Sabotage]:
    misspelt = written(MANIFEST, "strategy:", "stratgy:")
    yield Before(ACCEPTED, "misspelt", "a field with a letter missing", misspelt, "stratgy", (DRIFT,))
    yield Before(ACCEPTED, "later", "the checkout is past the tag", committed, "not at v8.0.0")
    blue = written("k8s/production/green/service.yaml", f"namespace: {GREEN}", f"namespace: {BLUE}")
    yield Before(ACCEPTED, "blue", "a file for blue's namespace", blue, "service.yaml", (DRIFT,))
    patch = {"spec": {"maxReplicas": 4}}
    more = edited("HorizontalPodAutoscaler", "nox-api-hpa-green", patch, namespace=GREEN)
    yield Before(DRIFT, "edited", "maxReplicas changed by hand", more, "maxReplicas")
    lost = gone("PodMonitor", "nox-api-podmonitor", namespace=GREEN)
    yield Before(DRIFT, "gone", "the apply stopped half way", lost, "is not there")


def _rollout() -> Iterator[Sabotage]:
    line = "green.rollout"
    name = "registry.nox.example/nox-api:v7.9.3"
    image = [{"op": "replace", "path": "/spec/containers/1/image", "value": name}]
    old = edited("Pod", POD, image, namespace=GREEN)
    yield Before(line, "old-pod", "one of three is 7.9.3", old, "v7.9.3", (BACKENDS,))
    conditions = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    unready = _status([{"op": "replace", "path": "/status/conditions", "value": conditions}])
    yield Before(line, "unready", "a pod is not ready, the Deployment is", unready, "Ready=False")
    behind = {"status": {"observedGeneration": 0}}
    stale = edited("Deployment", DEPLOYMENT, behind, namespace=GREEN, status=True)
    yield Before(line, "behind", "an older generation is observed", stale, "observedGeneration")
    candidate = {"spec": {"template": {"metadata": {"labels": {"version": "8.0.0-rc1"}}}}}
    rc1 = edited("Deployment", DEPLOYMENT, candidate, namespace=GREEN)
    yield Before(line, "rc1", "a release candidate", rc1, "8.0.0-rc1", (DRIFT,))
    pending = besides(_job("nox-api-migrate"))
    yield Before("green.pods-running", "pending", "a job's pod waits", pending, "nox-api-migrate")
    once = _status([{"op": "replace", "path": "/status/containerStatuses/1/restartCount", "value": 1}])
    yield Before("green.pod-restarts", "once", "a pod died and came back", once, f"{POD}/nox-api")
    path = "/status/containerStatuses/1/imageID"
    digest = f"registry.nox.example/nox-api@sha256:{'0' * 64}"
    bytes_ = _status([{"op": "replace", "path": path, "value": digest}])
    others = ("green.rollout", BACKENDS)
    yield Before("green.pod-image", "cached", "a node had an older image", bytes_, POD, others)


def _smoke() -> Iterator[Sabotage]:
    line = SMOKE[0]
    nowhere = [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 3002}]
    shut = edited("Service", SERVICE, nowhere, namespace=GREEN)
    yield Before(
        line, "nowhere", "port 80 leads to a closed one", shut, "refused", (*SMOKE[1:], DRIFT, BACKENDS)
    )
    ports = [{"op": "replace", "path": "/spec/ports/0/port", "value": 8080}]
    other = edited("Service", SERVICE, ports, namespace=GREEN)
    others = (*SMOKE[1:], ACCEPTED, DRIFT, BACKENDS)
    yield Before(line, "port", "the Service has another port", other, "no port 80", others)
    forbidden = edited("Role", "noxgate-look", _without("pods/portforward"), namespace=GREEN)
    yield Before(
        line,
        "forbidden",
        "this account may not forward",
        forbidden,
        "cannot",
        (*SMOKE[1:], WEBSOCKET),
        outcome="unreachable",
    )
    degraded = {"answers": {"GET /health": {"status": 200, "json": {"status": "degraded"}}}}
    for name, what, plan_, because in (
        ("one-degraded", "one pod is degraded, with 200", degraded, "degraded"),
        ("one-503", "one pod answers 503", {"answers": {"GET /health": {"status": 503}}}, "503"),
    ):
        yield Before("green.health", name, what, _one_pod(plan_), because)
    old = _one_pod({"settings": {"version": "7.9.3"}})
    yield Before("green.version", "one-old", "one of three pods is blue's", old, "7.9.3")
    near = _one_pod({"settings": {"version": "8.0.0-rc1"}})
    yield Before("green.version", "one-rc1", "one is a release candidate", near, "8.0.0-rc1")
    yield Before(SMOKE[3], "left-open", "a kubectl still forwards", _left_open, "port-forward")


def _switch() -> Iterator[Sabotage]:
    line = "green.switch-dry-run"
    name = "/spec/rules/0/http/paths/4/backend/service/name"
    patch = [{"op": "replace", "path": name, "value": "nox-api-service-other"}]
    changed = edited("Ingress", "nox-api-ingress", patch, namespace=PRODUCTION)
    yield Before(line, "changed", "a path changed since pre-flight", changed, "refuses it", (BACKENDS,))
    short = written(moments.SWITCH, None, lambda text: _steps(text, "/paths/11/"))
    yield Before(line, "one-left", "leaves /ws on blue", short, "/ws", (BACKENDS,))
    lost = gone("Service", SERVICE, namespace=PRODUCTION)
    yield Before(BACKENDS, "elsewhere", "a Service of another namespace", lost, f"no Service {SERVICE}")
    to_blue = {"spec": {"externalName": f"nox-api-service-blue.{BLUE}.svc.cluster.local"}}
    back = edited("Service", SERVICE, to_blue, namespace=PRODUCTION)
    yield Before(BACKENDS, "blue", "of green's name, and leads to blue", back, "nox-api-blue-1")


_LOOK = ROOT / "docs" / "roles" / "look.yaml"
_REVISION = "org.opencontainers.image.revision"


def _nox(
    world: World,
    base: images.BuiltImage,
    *,
    created: datetime | None = None,
    labels: Mapping[str, str | None] | None = None,
) -> images.BuiltImage:
    revision = repository.git(world.source, "rev-parse", f"v{release.VERSION}^{{commit}}").strip()
    return images.nox_api(release.VERSION, revision=revision, on=base, created=created, labels=labels)


def _status(patch: list[dict[str, Any]]) -> Switch:
    return edited("Pod", POD, patch, namespace=GREEN, status=True)


def _one_pod(fault: dict[str, Any]) -> Switch:
    return in_production(on_one_pod(**fault), green=True)


def _job(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": GREEN, "labels": {"app": "nox-api-migrate"}},
        "spec": {"containers": [{"name": "migrate", "image": "registry.nox.example/nox-api:v8.0.0"}]},
    }


def _without(resource: str) -> dict[str, Any]:
    """The role that lets the gate look, without one of its rights."""
    role = yaml.safe_load(_LOOK.read_text(encoding="utf-8"))
    return {"rules": [rule for rule in role["rules"] if resource not in rule["resources"]]}


def _steps(text: str, without: str) -> str:
    return json.dumps([step for step in json.loads(text) if without not in step["path"]])


@contextmanager
def _left_open(world: World) -> Iterator[None]:
    """As `kubectl port-forward` in a terminal that was forgotten; it listens nowhere, and gets no request."""
    words = (f"--kubeconfig={world.kubeconfig}", "port-forward", f"svc/{SERVICE}", "8080:80", "-n", GREEN)
    command = ["kubectl", "-c", "import signal; signal.pause()", *words]
    with subprocess.Popen(command, executable=sys.executable) as process:
        try:
            yield
        finally:
            process.kill()
