"""Kinds that only the server knows: where they live is what its discovery says."""

import httpx
import pytest
from tests_self.building.kube_clients import Scripted
from tests_self.fast.systems.kubernetes.api_server.given import refusals

from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube


def test_kind_that_only_the_server_knows(admin: httpx.Client, kube: Kube) -> None:
    """By its discovery, and where it lives: a PriorityClass is in no namespace."""
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": {}}
    served = admin.get("/apis/scheduling.k8s.io/v1").status_code == 200
    cls = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "p"},
        "value": 7,
    }

    assert served
    assert refusals(kube, cls) == []
    assert refusals(kube, {**cls, "value": "high"}) != []
    assert [*refusals(kube, lease)] in (
        [],
        ["the cluster knows no Lease of coordination.k8s.io/v1: its kinds are not installed"],
    )


@pytest.mark.parametrize(
    ("kind", "version", "served", "path"),
    [
        (
            "Certificate",
            "cert-manager.io/v1",
            ("certificates", True),
            "/apis/cert-manager.io/v1/namespaces/n/certificates",
        ),
        (
            "HTTPRoute",
            "gateway.networking.k8s.io/v1",
            ("httproutes", True),
            "/apis/gateway.networking.k8s.io/v1/namespaces/n/httproutes",
        ),
        (
            "ClusterIssuer",
            "cert-manager.io/v1",
            ("clusterissuers", False),
            "/apis/cert-manager.io/v1/clusterissuers",
        ),
        (
            "Service",
            "serving.knative.dev/v1",
            ("services", True),
            "/apis/serving.knative.dev/v1/namespaces/n/services",
        ),
        (
            "Ingress",
            "networking.internal.knative.dev/v1",
            ("ingresses", True),
            "/apis/networking.internal.knative.dev/v1/namespaces/n/ingresses",
        ),
    ],
)
def test_place_of_a_kind_is_what_discovery_says(
    kind: str, version: str, served: tuple[str, bool], path: str
) -> None:
    """A name that another group has, too, is its own kind; subresources are not kinds."""
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}}
    resources = [
        {"name": f"{served[0]}/status", "kind": kind, "namespaced": served[1]},
        {"name": served[0], "kind": kind, "namespaced": served[1]},
    ]
    missing = KubeAnswer(404, {"kind": "Status", "message": "not found", "details": {"name": "a"}})
    accepted = KubeAnswer(200, {"kind": kind, "metadata": {"name": "a"}})
    discovery = KubeAnswer(200, {"kind": "APIResourceList", "resources": resources})
    session = Scripted([discovery, missing, accepted, accepted])
    Kube(session, session, lambda _: None).try_apply(manifest, "n")

    tried = next(asked for asked in session.asked if "dryRun" in str(asked))
    assert tried[1] == path


def test_kind_that_nobody_knows() -> None:
    """As kubectl has it: its CRD is not installed."""
    manifest = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "a"}}
    for answer in (
        KubeAnswer(404, {"kind": "Status"}),
        KubeAnswer(200, {"kind": "APIResourceList", "resources": []}),
    ):
        session = Scripted([answer])
        with pytest.raises(AssertionError, match=r"the cluster knows no Certificate of cert-manager\.io/v1"):
            Kube(session, session, lambda _: None).try_apply(manifest, "n")
