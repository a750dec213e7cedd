"""Green with its traffic: a Deployment, three pods, a Service, its endpoints and an Ingress."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests_self.kubernetes.servers import Server
from tests_self.service import DEPLOYMENT, GREEN

from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession

Json = dict[str, Any]
NUMBERS = itertools.count(1)
LABELS = {"app": "nox-api"}
IMAGE = "registry.nox.example/nox-api:v8.0.0"
PORTS = [{"name": "http", "containerPort": 3000}]


@dataclass
class Green3:
    """A namespace with green in it: three pods, a Service, its endpoints, an Ingress; changed, then made."""

    namespace: str
    objects: dict[str, Json]

    def __getitem__(self, name: str) -> Json:
        return self.objects[name]

    def make(self, admin: httpx.Client) -> None:
        body = {"metadata": {"name": self.namespace}}
        assert admin.post("/api/v1/namespaces", json=body).status_code == 201
        for each in self.objects.values():
            group, plural = PLACES[each["kind"]]
            path = f"/{group}/namespaces/{self.namespace}/{plural}"
            answer = admin.post(path, json={key: each[key] for key in each if key != "status"})
            assert answer.status_code == 201, answer.text
            if "status" in each:
                where = f"{path}/{each['metadata']['name']}/status"
                headers = {"content-type": "application/merge-patch+json"}
                assert admin.patch(where, json={"status": each["status"]}, headers=headers).is_success


PLACES = {
    "Deployment": ("apis/apps/v1", "deployments"),
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "Pod": ("api/v1", "pods"),
    "Service": ("api/v1", "services"),
}


def deployment(name: str = DEPLOYMENT, containers: list[Json] | None = None) -> Json:
    made = containers or [{"name": "nox-api", "image": IMAGE, "ports": PORTS}]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": made}}
    spec = {"replicas": 3, "selector": {"matchLabels": LABELS}, "template": template}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def pod(number: int, owner: str = DEPLOYMENT, containers: list[Json] | None = None) -> Json:
    made = containers or [{"name": "nox-api", "image": IMAGE, "ports": PORTS}]
    reference = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{owner}-5d4f",
        "uid": "u",
        "controller": True,
    }
    statuses = [
        {"name": each["name"], "image": each["image"], "imageID": f"{each['image']}@sha256:{each['name']}"}
        for each in made
    ]
    return {
        "kind": "Pod",
        "metadata": {"name": f"{owner}-{number}", "labels": LABELS, "ownerReferences": [reference]},
        "spec": {"containers": made},
        "status": {
            "phase": "Running",
            "podIP": f"10.1.0.{number}",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": statuses,
        },
    }


def endpoint(number: int, owner: str = DEPLOYMENT) -> Json:
    target = {"kind": "Pod", "name": f"{owner}-{number}"}
    return {"addresses": [f"10.1.0.{number}"], "conditions": {"ready": True}, "targetRef": target}


def service(name: str = GREEN) -> Json:
    spec = {"selector": LABELS, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]}
    return {"kind": "Service", "metadata": {"name": name}, "spec": spec}


def endpoint_slice(name: str, *endpoints: Json, port: int = 3000) -> Json:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": list(endpoints),
        "ports": [{"name": "web", "port": port}],
    }


def ingress(name: str = "nox-api-ingress", host: str = "api.nox.example", **paths: str) -> Json:
    entries = [
        {"path": path, "pathType": "Prefix", "backend": {"service": {"name": to, "port": {"number": 80}}}}
        for path, to in (paths or {"/": GREEN}).items()
    ]
    return {
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [{"host": host, "http": {"paths": entries}}]},
    }


def seen_as(server: Server, user: str) -> Iterator[Kube]:
    target = Target(
        name="production",
        path=Path("production.toml"),
        serves=(),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        kubeconfig=str(server.kubeconfig(user)),
    )
    session = KubeSession(settings.cluster(target))
    yield Kube(session, session, lambda _: None)
    session.close()
