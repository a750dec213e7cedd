"""The objects of deploy/, applied to a server."""

import httpx
import yaml
from tests_self.deployed import Object

HOME = "nox-release-gate"

PLACES = {
    "Namespace": "api/v1/{ns}namespaces",
    "ServiceAccount": "api/v1/{ns}serviceaccounts",
    "ConfigMap": "api/v1/{ns}configmaps",
    "Secret": "api/v1/{ns}secrets",
    "Deployment": "apis/apps/v1/{ns}deployments",
    "Service": "api/v1/{ns}services",
    "PersistentVolumeClaim": "api/v1/{ns}persistentvolumeclaims",
    "Role": "apis/rbac.authorization.k8s.io/v1/{ns}roles",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/{ns}rolebindings",
    "ClusterRole": "apis/rbac.authorization.k8s.io/v1/{ns}clusterroles",
    "ClusterRoleBinding": "apis/rbac.authorization.k8s.io/v1/{ns}clusterrolebindings",
    "NetworkPolicy": "apis/networking.k8s.io/v1/{ns}networkpolicies",
    "Job": "apis/batch/v1/{ns}jobs",
    "CronJob": "apis/batch/v1/{ns}cronjobs",
}


def place(obj: Object) -> str:
    """The path of an object at the API server."""
    namespace = obj["metadata"].get("namespace", "")
    where = PLACES[obj["kind"]].format(ns=f"namespaces/{namespace}/" if namespace else "")
    return f"/{where}/{obj['metadata']['name']}"


def apply(client: httpx.Client, obj: Object) -> httpx.Response:
    """As `kubectl apply --server-side --validate=strict` sends it."""
    return client.patch(
        place(obj),
        content=yaml.safe_dump(obj).encode(),
        params={"fieldManager": "test", "fieldValidation": "Strict", "force": "true"},
        headers={"content-type": "application/apply-patch+yaml"},
    )
