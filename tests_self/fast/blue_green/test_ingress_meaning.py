"""An Ingress by meaning, and the switch of its backends as the API server takes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests_self.kubernetes.servers import stand_in

from noxgate.blue_green.ingress_meaning import routes, services, switch_patch
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube, RefusedError
from noxgate.systems.kubernetes.session import KubeSession

BLUE, GREEN, OTHER = "nox-api-service-blue", "nox-api-service-green", "docs"
HOSTS = {"api.nox.example": ("/", "/api", "/ws"), "old.nox.example": ("/",)}
JSON_PATCH = "application/json-patch+json"


def backend(service: str, port: int = 80) -> dict[str, Any]:
    return {"service": {"name": service, "port": {"number": port}}}


def ingress(*services: str, hosts: Any = HOSTS) -> dict[str, Any]:
    """One path after another leads to the services, the last of them for all that follow."""
    names = iter(services)
    service = services[0]
    rules = []
    for host, paths in hosts.items():
        entries = []
        for path in paths:
            service = next(names, service)
            entries.append({"path": path, "pathType": "Prefix", "backend": backend(service)})
        rules.append({"host": host, "http": {"paths": entries}})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "nox-api-ingress"},
        "spec": {"rules": rules, "tls": [{"hosts": list(hosts), "secretName": "nox-api-tls"}]},
    }


def test_routes() -> None:
    """Each by host, path and path type."""
    found = routes(ingress(BLUE))

    assert list(found) == [
        ("api.nox.example", "/", "Prefix"),
        ("api.nox.example", "/api", "Prefix"),
        ("api.nox.example", "/ws", "Prefix"),
        ("old.nox.example", "/", "Prefix"),
    ]
    assert found["api.nox.example", "/ws", "Prefix"] == backend(BLUE)


def test_a_route_that_stands_twice() -> None:
    """Which of them counts is the controller's choice."""
    with pytest.raises(AssertionError, match="expected each route once"):
        routes(ingress(BLUE, hosts={"api.nox.example": ("/", "/")}))


def test_every_service_that_is_led_to() -> None:
    """The default backend counts, and so does a backend other than a Service."""
    made = ingress(BLUE, OTHER)
    assert services(made) == {BLUE, OTHER}
    made["spec"]["defaultBackend"] = {"resource": {"kind": "Bucket", "name": "pages"}}
    assert services(made) == {BLUE, OTHER, None}
    assert services({"spec": {"defaultBackend": backend(GREEN)}}) == {GREEN}


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """A cluster with one Ingress, of which every path leads to blue."""
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as server:
        with server.client() as client:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nox"}}
            assert client.post("/api/v1/namespaces", json=namespace).status_code == 201
            path = "/apis/networking.k8s.io/v1/namespaces/nox/ingresses"
            assert client.post(path, json=ingress(BLUE)).status_code == 201
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


def live(kube: Kube) -> Any:
    found = kube.get("Ingress", "nox-api-ingress", "nox")
    assert found is not None
    return found


def test_the_switch_changes_every_backend_and_nothing_else(kube: Kube) -> None:
    """And the way back undoes it."""
    before = live(kube)
    forth, back = switch_patch(before, BLUE, GREEN), switch_patch(before, GREEN, BLUE)
    after = kube.dry_run_patch("Ingress", "nox-api-ingress", "nox", forth, JSON_PATCH)
    again = kube.dry_run_patch("Ingress", "nox-api-ingress", "nox", [*forth, *back], JSON_PATCH)

    assert routes(after) == dict.fromkeys(routes(before), backend(GREEN))
    assert after["spec"]["tls"] == before["spec"]["tls"]
    assert again["spec"] == before["spec"]
    assert live(kube)["spec"] == before["spec"]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(ingress(GREEN), id="it was switched already"),
        pytest.param(
            ingress(BLUE, BLUE, BLUE, BLUE, hosts=HOSTS | {"new.example": ("/",)}), id="a rule less"
        ),
    ],
)
def test_a_switch_made_for_another_state_is_refused(kube: Kube, seen: dict[str, Any]) -> None:
    """Whole: no path is changed where one of them is not as it was."""
    (old,) = services(seen)
    assert old is not None
    patch = switch_patch(seen, old, "any")
    with pytest.raises(RefusedError):
        kube.dry_run_patch("Ingress", "nox-api-ingress", "nox", patch, JSON_PATCH)
