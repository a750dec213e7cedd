"""What the rehearsal's cluster holds before its controllers start: kinds, rights, secrets, manifests."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from nox_rehearsal.checkout import HERE, ROOT
from nox_rehearsal.cluster.kubeconfig import USERS
from nox_rehearsal.cluster.release import PRODUCTION_RULES, documents, documents_of
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts.certificates import Pair
from nox_rehearsal.parts.pods import Deployment
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually
from noxgate.machine.tls import trusting

Json = dict[str, Any]

STAGING = "nox-staging-green"
PRODUCTION = "nox-production"
BLUE = "nox-production-blue"
GREEN = "nox-production-green"
_KINDS = HERE / "cluster" / "kinds"
_ROLES = ROOT / "docs" / "roles"
# NOX's pods are warned of, since they say no security context, and taken all the same.
_POD_SECURITY = {
    "pod-security.kubernetes.io/enforce": "baseline",
    "pod-security.kubernetes.io/warn": "restricted",
}
# Kind -> API version and plural, of what the rehearsal writes.
_RESOURCES = {
    "Certificate": ("cert-manager.io/v1", "certificates"),
    "ConfigMap": ("v1", "configmaps"),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "customresourcedefinitions"),
    "Deployment": ("apps/v1", "deployments"),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "horizontalpodautoscalers"),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", "httproutes"),
    "Ingress": ("networking.k8s.io/v1", "ingresses"),
    "IngressRoute": ("traefik.io/v1alpha1", "ingressroutes"),
    "Job": ("batch/v1", "jobs"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
    "Namespace": ("v1", "namespaces"),
    "Pod": ("v1", "pods"),
    "PodMonitor": ("monitoring.coreos.com/v1", "podmonitors"),
    "PrometheusRule": ("monitoring.coreos.com/v1", "prometheusrules"),
    "ReplicaSet": ("apps/v1", "replicasets"),
    "Role": ("rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings"),
    "ScaledObject": ("keda.sh/v1alpha1", "scaledobjects"),
    "Secret": ("v1", "secrets"),
    "Service": ("v1", "services"),
    "TraefikService": ("traefik.io/v1alpha1", "traefikservices"),
    "ServiceMonitor": ("monitoring.coreos.com/v1", "servicemonitors"),
}


class Api:
    """The cluster's API server, as its administrator sees it."""

    def __init__(self, server: str, ca_file: Path, token: str) -> None:
        self._client = httpx.Client(
            base_url=server,
            headers={"authorization": f"Bearer {token}"},
            verify=trusting(ca_file),
            timeout=10,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def apply(self, content: Json) -> Json:
        """Server-side apply, as kubectl does it; RehearsalError with the server's words if it is refused."""
        metadata = content["metadata"]
        return self.send(
            "PATCH",
            path_of(content["kind"], metadata["name"], metadata.get("namespace", "")),
            params={"fieldManager": "kubectl", "force": "true"},
            content=json.dumps(content),
            headers={"content-type": "application/apply-patch+yaml"},
        )

    def get(self, kind: str, name: str, namespace: str) -> Json:
        return self.send("GET", path_of(kind, name, namespace))

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Json]:
        path = path_of(kind, "", namespace).rstrip("/")
        items: list[Json] = self.send("GET", path, params={"labelSelector": selector})["items"]
        return items

    def resource(self, kind: str) -> tuple[str, str]:
        """API version and plural of a kind."""
        return _RESOURCES[kind]

    def send(self, method: str, path: str, **options: Any) -> Json:
        """The answer's body. Raises RehearsalError for one that is not good."""
        answer = self._client.request(method, path, **options)
        body: Json = answer.json()
        if answer.is_error:
            raise RehearsalError(f"{method} {path}: HTTP {answer.status_code}: {body.get('message')}")
        return body


@contextmanager
def administrator(world: World) -> Iterator[Api]:
    """The API of a world's cluster, as its administrator."""
    api = Api(world.kubernetes_url, world.ca_file, world.admin_token)
    try:
        yield api
    finally:
        api.close()


def path_of(kind: str, name: str, namespace: str) -> str:
    """The path of one object."""
    version, plural = _RESOURCES[kind]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{where}/{plural}/{name}"


def furnish(api: Api, source: Path, environments: Mapping[str, Mapping[str, str]], certificate: Pair) -> None:
    """Put everything into an empty cluster; `environments` are the applications' variables by namespace."""
    for content in documents(_KINDS):
        api.apply(content)
    for namespace in (STAGING, PRODUCTION, BLUE, GREEN):
        labels = _POD_SECURITY
        api.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
        )
        for content in _rights(namespace):
            api.apply(content)
    for namespace, environment in environments.items():
        for content in _settings(namespace, environment):
            api.apply(content)
    for namespace in (STAGING, PRODUCTION):
        api.apply(_tls(namespace, certificate))
    for folder in ("staging", "production/blue", "production/edge"):
        for content in documents(source / "k8s" / folder):
            api.apply(content)
    for content in documents_of(source / PRODUCTION_RULES):  # before what they look at
        api.apply(content)


def wait_until_ready(api: Api, deployments: Iterable[Deployment], *, within: float) -> None:
    """Wait until the controllers have said that every pod is ready. Raises RehearsalError if they do not."""
    for deployment in deployments:

        def all_ready(deployment: Deployment = deployment) -> None:
            status = api.get("Deployment", deployment.name, deployment.namespace).get("status", {})
            assert status.get("readyReplicas") == len(deployment.pods), f"{deployment.name}: {status}"

        try:
            eventually(all_ready, within=within, every=0.05)
        except AssertionError as error:
            raise RehearsalError(f"not ready after {within:g} s: {error}") from None


def _rights(namespace: str) -> Iterator[Json]:
    """The roles that the documentation gives, word for word, each bound to its user."""
    beside = documents_of(_ROLES / "beside.yaml")
    for (name, user), more in zip(USERS.items(), beside, strict=True):
        for role in (*documents_of(_ROLES / f"{name}.yaml"), more):
            role["metadata"]["namespace"] = namespace
            yield role
            yield _bound(role, user)


def _bound(role: Json, user: str) -> Json:
    """The binding of a role to a user, under the role's name."""
    metadata = {"name": role["metadata"]["name"], "namespace": role["metadata"]["namespace"]}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": metadata["name"]},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


def _settings(namespace: str, environment: Mapping[str, str]) -> Iterator[Json]:
    """The Secrets and the ConfigMap that the pod spec refers to."""
    oauth = {
        name.lower().replace("_", "-"): value for name, value in environment.items() if "_CLIENT_" in name
    }
    api = {
        name.lower().replace("_", "-"): environment[name]
        for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    }
    security = {"api-key": environment["AI_SECURITY_API_KEY"]}
    for name, data in {
        "nox-api-secrets": api,
        "oauth-secrets": oauth,
        "ai-security-secrets": security,
    }.items():
        yield _object(
            "Secret",
            name,
            namespace,
            type="Opaque",
            data={key: _encoded(value) for key, value in data.items()},
        )
    yield _object("ConfigMap", "nox-api-config", namespace, data={"public-url": environment["PUBLIC_URL"]})


def _tls(namespace: str, certificate: Pair) -> Json:
    data = {"tls.crt": certificate.certificate.decode(), "tls.key": certificate.key.decode()}
    encoded = {key: _encoded(value) for key, value in data.items()}
    return _object("Secret", "nox-api-tls", namespace, type="kubernetes.io/tls", data=encoded)


def _object(kind: str, name: str, namespace: str, **content: Any) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **content}


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
