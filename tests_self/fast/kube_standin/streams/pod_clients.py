"""A session with one of the stand-in's credentials, and the documented role for it."""

from pathlib import Path

import httpx
import yaml
from tests_self.kubernetes.servers import Server

from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.session import KubeSession

LOOK = Path(__file__).parents[4] / "docs" / "roles" / "look.yaml"
POD = "nox-api-0"


def session(server: Server, user: str = "admin") -> KubeSession:
    return KubeSession(settings.cluster(of_production(user, server)))


def of_production(user: str, server: Server) -> Target:
    return Target(
        name="production",
        path=Path("production.toml"),
        serves=("green",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        kubeconfig=str(server.kubeconfig(user)),
    )


def bind(admin: httpx.Client, namespace: str) -> None:
    """The documented role, to the user of the credential `reader`."""
    role = yaml.safe_load(LOOK.read_text())
    role["metadata"]["namespace"] = namespace
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "noxgate-look", "namespace": namespace},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": role["metadata"]["name"],
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "release-gate"}],
    }
    root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    for plural, body in {"roles": role, "rolebindings": binding}.items():
        assert admin.post(f"{root}/{plural}", json=body).status_code == 201
