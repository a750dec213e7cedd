"""Drift in a cluster: what people type into live objects, and what belongs there."""

# ruff: noqa: F811 (fixtures of another file)

import json
from typing import Any

import httpx
import pytest
from tests_self.building.drifted import NAMESPACE, Seen, admin, applied, found, kube, path, seen, server  # noqa: F401 (fixtures)
from tests_self.building.kube_clients import of
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server

from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession

MERGE, STRATEGIC, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


def typed(
    admin: httpx.Client, manifest: dict[str, Any], manager: str, patch: Any, form: str = STRATEGIC
) -> None:
    """As `kubectl edit`, `patch` and the others send it."""
    answer = admin.patch(
        f"{path(manifest)}/{manifest['metadata']['name']}",
        content=json.dumps(patch),
        params={"fieldManager": manager},
        headers={"content-type": form},
    )
    assert answer.status_code == 200, answer.text


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "green", "labels": {"app": "nox-api"}},
    "spec": {"selector": {"app": "nox-api"}, "ports": [{"name": "http", "port": 80}]},
}
INGRESS = "nginx.ingress.kubernetes.io/"
BACKEND = {"service": {"name": "nox-api-service-green", "port": {"number": 80}}}


@pytest.mark.parametrize(
    ("patch", "manager", "where"),
    [
        ({"spec": {"defaultBackend": BACKEND}}, "kubectl-patch", "spec.defaultBackend"),
        ({"spec": {"tls": [{"hosts": ["a.example"]}]}}, "kubectl-edit", "spec.tls"),
        *(
            (
                {"metadata": {"annotations": {INGRESS + key: value}}},
                "kubectl-annotate",
                f"annotations.{INGRESS}{key}",
            )
            for key, value in {
                "rewrite-target": "/",
                "canary": "true",
                "whitelist-source-range": "10.0.0.0/8",
                "denylist-source-range": "10.0.0.0/8",
            }.items()
        ),
        ({"metadata": {"labels": {"a": "b"}}}, "kubectl-label", "metadata.labels.a"),
        ({"metadata": {"annotations": {"a": "b"}}}, "my-script", "metadata.annotations.a"),
    ],
)
def test_ingress_by_hand(
    patch: dict[str, Any], manager: str, where: str, admin: httpx.Client, kube: Kube
) -> None:
    """No dry run under a second name is tried for it: its routes belong to one name alone."""
    ingress = examples.ingress()
    applied(admin, ingress)
    assert found(kube, ingress) == []

    typed(admin, ingress, manager, patch)
    assert [where in line for line in found(kube, ingress)] == [True]


def test_annotation_of_a_controller_is_no_drift(admin: httpx.Client, kube: Kube) -> None:
    ingress = examples.ingress()
    applied(admin, ingress)
    typed(admin, ingress, "nginx-ingress-controller", {"metadata": {"annotations": {"a": "b"}}})

    assert found(kube, ingress) == []


@pytest.mark.parametrize("fixed", [None, 30080])
@pytest.mark.parametrize(
    ("patch", "manager", "where"),
    [
        ({"metadata": {"labels": {"a": "b"}}}, "kubectl-label", "metadata.labels.a"),
        ({"metadata": {"annotations": {"a": "b"}}}, "kubectl-annotate", "metadata.annotations.a"),
        ({"spec": {"ports": [{"name": "debug", "port": 81}]}}, "kubectl-edit", "spec.ports[debug]"),
        ({"spec": {"selector": {"x": "y"}}}, "kubectl-patch", "spec.selector.x"),
        ({"spec": {"sessionAffinity": "ClientIP"}}, "kubectl-patch", "spec.sessionAffinity"),
    ],
)
def test_service_by_hand(
    patch: dict[str, Any],
    manager: str,
    where: str,
    fixed: int | None,
    admin: httpx.Client,
    kube: Kube,
) -> None:
    """Also with a fixed nodePort, for which the server refuses the dry run under a second name."""
    service = json.loads(json.dumps(SERVICE))
    if fixed is not None:
        service["spec"] |= {"type": "NodePort"}
        service["spec"]["ports"][0]["nodePort"] = fixed
    applied(admin, service)
    assert found(kube, service) == []

    typed(admin, service, manager, patch)
    assert [
        line for line in found(kube, service) if where not in line and "sessionAffinityConfig" not in line
    ] == []
    assert [line for line in found(kube, service) if where in line] != []


def test_restart_is_no_drift(admin: httpx.Client, kube: Kube) -> None:
    """Kubectl rollout restart, on a template that has no annotation."""
    deployment = examples.deployment()
    applied(admin, deployment)
    note = {"kubectl.kubernetes.io/restartedAt": "2026-11-30T10:00:00Z"}
    typed(admin, deployment, "kubectl-rollout", {"spec": {"template": {"metadata": {"annotations": note}}}})

    assert found(kube, deployment) == []


def test_secret_is_compared_and_not_shown(admin: httpx.Client, kube: Kube, seen: Seen) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "extra"},
        "data": {"a": "c2VjcmV0dmFsdWUx"},
    }
    applied(admin, secret)
    assert found(kube, secret) == []

    typed(admin, secret, "kubectl-edit", {"data": {"a": "c2VjcmV0dmFsdWUy", "b": "c2VjcmV0dmFsdWUz"}})
    assert found(kube, secret) == [
        "data.a: is another text, the manifest says another text",
        "data.b: is another text, the manifest says absent",
    ]
    assert [text for text in ("c2VjcmV0", "secretvalue") if text in str(seen)] == []


@pytest.mark.usefixtures("admin")
def test_namespace_is_no_drift(kube: Kube) -> None:
    """It lies in none itself, and the server labels it."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}

    assert found(kube, namespace) == []


HPA: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "green"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "green"},
        "minReplicas": 3,
        "maxReplicas": 10,
    },
}


@pytest.mark.parametrize("version", ["autoscaling/v2", "autoscaling/v1"])
def test_last_definition_of_an_object_is_compared(
    version: str, admin: httpx.Client, kube: Kube, seen: Seen
) -> None:
    """The one that an apply leaves: that there are two is for another line to refuse."""
    second = {**HPA, "apiVersion": version, "spec": {**HPA["spec"], "maxReplicas": 12}}
    applied(admin, HPA | {"spec": second["spec"]})

    assert found(kube, HPA, second) == []
    assert [each.seen for each in seen if each.seen.endswith("since a later document says it anew")] != []
    assert found(kube, second, HPA) != []


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(("seconds", "lines"), [(60, []), (0, []), (None, ["is not there"])])
def test_job_that_goes_when_it_has_finished(seconds: int | None, lines: list[str], kube: Kube) -> None:
    spec = {"template": {"spec": {"containers": [{"name": "a", "image": "i"}], "restartPolicy": "Never"}}}
    more = {} if seconds is None else {"ttlSecondsAfterFinished": seconds}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {**spec, **more}}

    assert found(kube, job) == lines


def test_rights_by_name_are_enough(server: Server, admin: httpx.Client, seen: Seen) -> None:
    """A role may name the objects: then a second name is not tried, which is said."""
    rights = "/apis/rbac.authorization.k8s.io/v1/namespaces/nox-staging-green"
    rule = {
        "apiGroups": [""],
        "resources": ["services"],
        "verbs": ["get", "patch"],
        "resourceNames": ["green"],
    }
    admin.post(f"{rights}/roles", json=examples.role("by-name", rule))
    admin.post(f"{rights}/rolebindings", json=examples.binding("by-name", "by-name"))
    applied(admin, SERVICE)
    session = KubeSession(settings.cluster(of(server.kubeconfig("reader"))))
    kube = Kube(session, session, seen.append)
    try:
        assert found(kube, SERVICE) == []
        said = "compared with its own fields alone: under a second name bind the role of docs/roles/"
        assert [each.seen for each in seen if each.seen.startswith(said)] != []

        typed(admin, SERVICE, "kubectl-patch", {"spec": {"sessionAffinity": "ClientIP"}})
        assert [line for line in found(kube, SERVICE) if "sessionAffinity" in line] != []
    finally:
        session.close()
        for part in ("roles", "rolebindings"):
            admin.delete(f"{rights}/{part}/by-name")
