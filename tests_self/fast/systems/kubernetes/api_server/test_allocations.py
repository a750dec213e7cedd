"""Addresses and node ports of Services, which a dry run does not allocate."""

from typing import Any

import httpx
import pytest
from tests_self.building.drifted import NAMESPACE, Seen, applied
from tests_self.building.kube_clients import of
from tests_self.fast.systems.kubernetes.api_server.given import refusals
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server

from noxgate.errors import UnreachableError
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.session import KubeSession


def service(name: str, address: str = "", port: int | None = None) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80} | ({} if port is None else {"nodePort": port})]
    spec = {"ports": ports, "type": "ClusterIP" if port is None else "NodePort"}
    content = spec | ({"clusterIP": address} if address else {})
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": content}


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (service("a", "10.96.0.77"), service("b", "10.96.0.77"), "clusterIP 10.96.0.77"),
        (service("a", port=30077), service("b", port=30077), "nodePort 30077"),
        (service("a", "10.96.0.77"), service("b", "10.96.0.78"), None),
        (service("a", "None"), service("b", "None"), None),
        (service("a"), service("b"), None),
    ],
)
@pytest.mark.parametrize("is_live", [False, True])
def test_what_another_service_has(
    first: dict[str, Any],
    second: dict[str, Any],
    what: str | None,
    *,
    is_live: bool,
    admin: httpx.Client,
    kube: Kube,
) -> None:
    """A dry run allocates nothing: among the manifests, and beside what is live."""
    if is_live:
        applied(admin, first)
    documents = [
        Document("a.yaml", 1, "Service", each["metadata"]["name"], None, each) for each in (first, second)
    ]
    found = kube.refusals(documents, NAMESPACE)

    assert [f"{what}: Service {NAMESPACE}/a has it already" in line for line in found.values()] == (
        [] if what is None else [True]
    )


@pytest.mark.parametrize("wanted", [service("b", "10.96.0.88"), service("b", port=30088)])
def test_what_a_service_of_another_namespace_has(
    wanted: dict[str, Any], admin: httpx.Client, kube: Kube
) -> None:
    """Addresses and node ports are the whole cluster's."""
    admin.post("/api/v1/namespaces", json={"metadata": {"name": "others"}})
    there = {**wanted, "metadata": {"name": "theirs"}}
    assert admin.post("/api/v1/namespaces/others/services", json=there).status_code == 201

    try:
        assert ["Service others/theirs has it already" in each for each in refusals(kube, wanted)] == [True]
    finally:
        admin.delete("/api/v1/namespaces/others/services/theirs")


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("port", "node_ports", "outcome"),
    [
        (80, None, "unreachable"),
        (32768, None, "unreachable"),
        (80, "30000-32767", "refused"),
        (30077, "31000-31999", "refused"),
        (80, "80-90", "accepted"),
        (30077, None, "accepted"),
        (30000, "30000-32767", "accepted"),
    ],
)
def test_node_port_that_the_server_would_not_give(
    port: int, node_ports: str | None, outcome: str, server: Server, seen: Seen
) -> None:
    """A dry run heeds no range, and no API says it: unless the profile does, it is unknown."""
    session = KubeSession(settings.cluster(of(server.kubeconfig(), node_ports=node_ports)))
    kube = Kube(session, session, seen.append)
    wanted = service("a", port=port)
    try:
        if outcome == "unreachable":
            with pytest.raises(UnreachableError, match=f"nodePort {port} is out of .*in node_ports"):
                refusals(kube, wanted)
            bad = Document("b.yaml", 1, "ConfigMap", "b", None, examples.config_map("b", key=True))  # type: ignore[arg-type]
            both = [Document("a.yaml", 1, "Service", "a", None, wanted), bad]
            assert list(kube.refusals(both, NAMESPACE)) == [str(bad)]  # what is known is red
        else:
            words = f"nodePort {port} is out of node_ports, {node_ports}"
            assert [words in line for line in refusals(kube, wanted)] == [True] * (outcome == "refused")
    finally:
        session.close()


def test_what_no_dry_run_shows_is_said(admin: httpx.Client, kube: Kube, seen: Seen) -> None:
    """Until the Service is there, and has it."""
    wanted = service("a", "10.96.0.79")
    assert refusals(kube, wanted) == []
    assert [each.seen for each in seen if "not tried, since a dry run allocates nothing" in each.seen] != []

    applied(admin, wanted)
    seen.clear()
    assert refusals(kube, wanted) == []
    assert [each.seen for each in seen if "not tried" in each.seen] == []
