"""After the traffic switch: users get something else than green, or green is not well."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from nox_rehearsal.cluster.objects import BLUE, GREEN, PRODUCTION
from nox_rehearsal.parts import ingress, pages
from nox_rehearsal.sabotages.in_cluster import besides, edited, frozen, gone
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import altered, answer, in_production, on_one_pod, settings
from nox_rehearsal.world.state import World

After = partial(Sabotage, moment="live")

INGRESS = "nox-api-ingress"
POD = "nox-api-production-green-3"
REPLICAS, CONVERGED = "live.health-every-replica", "live.version-converged"
CROWD = 84  # connections: more than 80 % of what 100 leaves for all but superusers


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _traffic()
    yield from _public()
    yield from _oauth()
    yield from _pods()
    yield from _tools()


def _traffic() -> Iterator[Sabotage]:
    line = "live.traffic-switch"
    name = "/spec/rules/0/http/paths/4/backend/service/name"
    still = _ingress([{"op": "replace", "path": name, "value": "nox-api-service-blue"}])
    yield After(line, "one-blue", "one path still leads to blue", still, "nox-api-service-blue")
    lost = _ingress([{"op": "remove", "path": "/spec/rules/0/http/paths/11"}])
    yield After(line, "lost", "the path of the WebSocket is gone", lost, "/ws")
    no_host = _ingress([{"op": "remove", "path": "/spec/rules/0/host"}])
    yield After(line, "no-host", "every path is there, for any host", no_host, "localhost")
    open_ = _ingress([{"op": "remove", "path": "/spec/tls"}])
    yield After(line, "no-tls", "the certificate is no longer named", open_, "tls")
    unreachable = gone("Service", "nox-api-service-green", namespace=PRODUCTION)
    yield After(line, "elsewhere", "green's Service is in another namespace", unreachable, "no Service")
    rival = besides(_rival())
    yield After(line, "rival", "a canary takes its share, from blue's namespace", rival, "nox-canary")
    below = besides(_rival("/api/v1", "nox-api-v1", canary=False))
    yield After(line, "below", "another Ingress has a path below one of ours", below, "nox-api-v1")
    silent = upstream(_without_first)
    yield After(REPLICAS, "idle", "a ready pod gets no traffic", silent, "nox-api-production-green-")
    others = ("live.version",)
    yield After(CONVERGED, "mixed", "one answer in four is blue's", _mixed_with_blue, "7.9.3", others)


def _public() -> Iterator[Sabotage]:
    line = "live.health"
    degraded = _one_pod(answers={"GET /health": {"status": 200, "json": {"status": "degraded"}}})
    yield After(line, "degraded", "one pod is degraded, with 200", degraded, "degraded", (REPLICAS,))
    shut = _one_pod(answers={"GET /health": {"status": 503, "json": {"status": "healthy"}}})
    yield After(line, "one-503", "one pod says healthy, with 503", shut, "503", (REPLICAS,))
    line = "live.version"
    old = _one_pod(settings={"version": "7.9.3"})
    yield After(line, "one-old", "one of three pods is blue's", old, "7.9.3", (CONVERGED,))
    near = in_production(settings(version="8.0.0-rc1"))
    yield After(line, "rc1", "a release candidate", near, "8.0.0-rc1", (CONVERGED,))
    line = "live.ready"
    alone = _one_pod(answers={"GET /ready": {"status": 503, "json": {"status": "not ready"}}})
    yield After(line, "one-pod", "one pod does not reach its database", alone, "503")
    lying = in_production(answer("GET /ready", status=200, json={"status": "ready", "failed": ["database"]}))
    yield After(line, "failed", "ready, and something failed", lying, "failed")


def _oauth() -> Iterator[Sabotage]:
    staging = "client_id=nox-staging"
    for provider in ("google", "github", "microsoft"):
        path = f"GET /api/auth/{provider}/url"
        other = in_production(altered(path, "client_id=nox-production", staging))
        line = f"live.oauth-{provider}"
        yield After(line, "staging", "staging's client", other, "nox-staging")
    callback = in_production(altered("GET /api/auth/github/url", "%2Fcallback", "%2Fcallback%2F"))
    yield After("live.oauth-github", "callback", "a slash behind the callback", callback, "redirect_uri")


def _pods() -> Iterator[Sabotage]:
    line = "live.pods-steady"
    once = _status([{"op": "replace", "path": "/status/containerStatuses/1/restartCount", "value": 1}])
    others = ("live.log-errors",)  # what it logged before was not kept
    yield After(line, "restarted", "a container restarted once", once, f"{POD}/nox-api", others)
    conditions = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    unready = _status([{"op": "replace", "path": "/status/conditions", "value": conditions}])
    yield After(line, "unready", "a pod is not ready", unready, "Ready=False")


def _tools() -> Iterator[Sabotage]:
    line = "live.grafana-dashboard"
    blue = _page(pages.DASHBOARDS, lambda _: json.dumps(pages.dashboard(BLUE)))
    yield After(line, "blue", "it shows blue", blue, BLUE)
    nowhere = _page(pages.DASHBOARDS, lambda _: json.dumps(pages.dashboard("nox-production-geen")))
    yield After(line, "empty", "its panels are empty", nowhere, "Requests")
    line = "live.sentry-issues"
    issue = {
        "shortId": "NOX-API-42",
        "title": "KeyError: 'boiling_point'",
        "firstSeen": "2999-01-01T00:00:00+00:00",
        "count": "1",
        "status": "unresolved",
    }
    old = issue | {"firstSeen": "2000-01-01T00:00:00+00:00", "lastSeen": issue["firstSeen"]}
    for name, what, shown in (
        ("new", "an issue that is new", issue),
        ("regressed", "an old issue that came back", old | {"substatus": "regressed"}),
    ):
        yield After(line, name, what, _page(pages.ISSUES, partial(_said, shown)), "NOX-API-42")


def _ingress(patch: list[dict[str, Any]]) -> Switch:
    return edited("Ingress", INGRESS, patch, namespace=PRODUCTION)


def _status(patch: list[dict[str, Any]]) -> Switch:
    return edited("Pod", POD, patch, namespace=GREEN, status=True)


def _one_pod(**fault: Any) -> Switch:
    return in_production(on_one_pod(**fault), green=True)


def _rival(at: str = "/version", name: str = "nox-canary", *, canary: bool = True) -> dict[str, Any]:
    annotations = {
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": "5",
    }
    backend = {"service": {"name": "nox-api-service-blue", "port": {"number": 80}}}
    path = {"path": at, "pathType": "Exact", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": BLUE, "annotations": annotations if canary else {}},
        "spec": {"rules": [{"host": "localhost", "http": {"paths": [path]}}]},
    }


def upstream(change: Callable[[str], str]) -> Switch:
    """The controller of the ingress is behind: nginx leads elsewhere than the Ingress says."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with frozen(world), ingress.leading(world, change):
            yield

    return on


def _without_first(text: str) -> str:
    start, rest = at_servers(text)
    return start + rest[rest.index("\n") + 1 :]


@contextmanager
def _mixed_with_blue(world: World) -> Iterator[None]:
    more = f"    server 127.0.0.1:{min(world.blue_pods.values())} fail_timeout=1s;\n"
    with upstream(lambda text: more.join(at_servers(text)))(world):
        yield


def at_servers(text: str) -> tuple[str, str]:
    """The text before and from the first server of the Service's port 80."""
    first = text.index("    server ", text.index("nox-api-service-green_80 {"))
    return text[:first], text[first:]


def _said(issue: Mapping[str, str], _: str) -> str:
    return json.dumps([issue])


def _page(file: str, change: Callable[[str], str]) -> Switch:
    """A tool shows something else."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.folder / pages.NAME / file
        before = path.read_text(encoding="utf-8")
        path.write_text(change(before), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")

    return on
