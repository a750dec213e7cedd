"""The rollback manifests: each object once, as it is live, and such that `kubectl apply` can take it."""

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.kubernetes.servers import Server, stand_in
from tests_self.service import BLUE, GREEN, INGRESS, SERVICE

from noxgate.blue_green.rollback_manifests import KINDS, RollbackManifests, servers_fields
from noxgate.blue_green.saved_objects import twice
from noxgate.project.saved import saved_manifests
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession

Json = dict[str, Any]
Objects = dict[str, Json]
NUMBERS = itertools.count(1)
PATHS = [f"/{number}" for number in range(13)]
OWNER = {
    "apiVersion": "keda.sh/v1alpha1",
    "kind": "ScaledObject",
    "name": "nox",
    "uid": "1-1",
    "controller": True,
}
PLACES = {
    "ConfigMap": ("v1", "configmaps"),
    "Deployment": ("apps/v1", "deployments"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "horizontalpodautoscalers"),
    "Ingress": ("networking.k8s.io/v1", "ingresses"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
    "Service": ("v1", "services"),
}


def place(kind: str, namespace: str) -> str:
    version, plural = PLACES[kind]
    root = "apis" if "/" in version else "api"
    return f"/{root}/{version}/namespaces/{namespace}/{plural}"


def live() -> Objects:
    """What a namespace holds, awkward and right: a policy named default, an owned autoscaler."""
    backend = {"service": {"name": BLUE, "port": {"number": 80}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": backend} for path in PATHS]
    labels = {"app": "nox-api"}
    container = {"name": "nox-api", "image": "nox-api:v7.9.3"}
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "blue"}
    return {
        "config": {
            "kind": "ConfigMap",
            "metadata": {"name": "settings"},
            "data": {"mode": "live", "level": "info"},
        },
        "deployment": {
            "kind": "Deployment",
            "metadata": {"name": "blue"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
        "ingress": {
            "kind": "Ingress",
            "metadata": {"name": INGRESS},
            "spec": {"rules": [{"host": "api.nox.example", "http": {"paths": paths}}]},
        },
        "policy": {"kind": "NetworkPolicy", "metadata": {"name": "default"}, "spec": {"podSelector": {}}},
        "scaler": {
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "keda-hpa-nox", "ownerReferences": [OWNER]},
            "spec": {"maxReplicas": 9, "scaleTargetRef": scaled},
        },
        "second": {
            "kind": "Ingress",
            "metadata": {"name": "docs"},
            "spec": {"defaultBackend": {"service": {"name": "docs", "port": {"number": 80}}}},
        },
        "service": {"kind": "Service", "metadata": {"name": BLUE}, "spec": {"ports": [{"port": 80}]}},
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


class Night:
    """A namespace with objects, and a file that was saved of it."""

    def __init__(self, server: Server, admin: httpx.Client, folder: Path) -> None:
        self.namespace = f"night-{next(NUMBERS)}"
        self.admin = admin
        self.folder = folder
        self.said: list[str] = []
        assert admin.post("/api/v1/namespaces", json={"metadata": {"name": self.namespace}}).is_success
        for each in live().values():
            self.make(each)
        target = Target(
            name="production",
            path=Path("production.toml"),
            serves=(),
            base_url="https://localhost",
            plain_url="http://localhost",
            namespace=self.namespace,
            backups=folder,
            kubeconfig=str(server.kubeconfig()),
        )
        self.session = KubeSession(settings.cluster(target))
        kube = Kube(self.session, self.session, lambda _: None)
        self.manifests = RollbackManifests(
            saved_manifests(target), kube, SERVICE, lambda each: self.said.append(each.seen)
        )

    def make(self, body: Json) -> None:
        answer = self.admin.post(place(body["kind"], self.namespace), json=body)
        assert answer.is_success, answer.text

    def saved(self) -> Objects:
        """As the documented command saves them."""
        found: Objects = {}
        for name, each in live().items():
            body = self.admin.get(f"{place(each['kind'], self.namespace)}/{each['metadata']['name']}").json()
            body.pop("status", None)
            drop = ("resourceVersion", "uid", "creationTimestamp", "managedFields", "generation")
            body["metadata"] = {key: value for key, value in body["metadata"].items() if key not in drop}
            found[name] = body
        return found

    def write(self, objects: Objects) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects.values())})
        (self.folder / "rollback_manifests_1.yaml").write_text(text)


@pytest.fixture
def night(server: Server, admin: httpx.Client, tmp_path: Path) -> Iterator[Night]:
    made = Night(server, admin, tmp_path)
    yield made
    made.session.close()


def test_what_was_saved_as_it_is_live_is_well(night: Night) -> None:
    night.write(night.saved())
    documents = night.manifests.documents()

    assert night.manifests.lacking(documents) == []
    assert night.manifests.outdated(documents) == {}
    assert night.manifests.refused(documents) == {}
    assert (twice(documents, night.namespace), servers_fields(documents)) == ([], {})


def fewer_paths(saved: Objects) -> None:
    paths = saved["ingress"]["spec"]["rules"][0]["http"]["paths"]
    del paths[4:]


def elsewhere(saved: Objects) -> None:
    saved["ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = GREEN


def another_annotation(saved: Objects) -> None:
    saved["ingress"]["metadata"]["annotations"] = {"nginx.ingress.kubernetes.io/rewrite-target": "/"}


def old_data(saved: Objects) -> None:
    saved["config"]["data"]["mode"] = "drill"


def a_key_less(saved: Objects) -> None:
    del saved["config"]["data"]["level"]


def another_image(saved: Objects) -> None:
    saved["deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] = "nox-api:v7.8.0"


def another_port(saved: Objects) -> None:
    saved["service"]["spec"]["ports"][0]["port"] = 81


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (fewer_paths, "Ingress nox-api-ingress"),
        (elsewhere, "Ingress nox-api-ingress"),
        (another_annotation, "Ingress nox-api-ingress"),
        (old_data, "ConfigMap settings"),
        (a_key_less, "ConfigMap settings"),
        (another_image, "Deployment blue"),
        (another_port, f"Service {BLUE}"),
    ],
)
def test_content_that_is_not_live(night: Night, change: Callable[[Objects], None], where: str) -> None:
    saved = night.saved()
    change(saved)
    night.write(saved)

    assert list(night.manifests.outdated(night.manifests.documents())) == [where]


def test_of_a_config_map_no_value_is_said(night: Night) -> None:
    saved = night.saved()
    old_data(saved)
    night.write(saved)

    assert night.manifests.outdated(night.manifests.documents()) == {"ConfigMap settings": ["data.mode"]}


def test_what_an_autoscaler_has_changed_since_is_no_fault(night: Night) -> None:
    saved = night.saved()
    saved["deployment"]["spec"]["replicas"] = 5
    night.write(saved)

    assert night.manifests.outdated(night.manifests.documents()) == {}


def test_after_the_switch_the_routes_are_those_of_blue(night: Night) -> None:
    saved = night.saved()
    night.write(saved)
    path = f"{place('Ingress', night.namespace)}/{INGRESS}"
    switched = night.admin.get(path).text.replace(BLUE, GREEN)
    assert night.admin.put(path, content=switched, headers={"content-type": "application/json"}).is_success

    assert night.manifests.outdated(night.manifests.documents()) == {}


@pytest.mark.parametrize("says_where", [True, False])
def test_one_object_twice(night: Night, *, says_where: bool) -> None:
    """Also where one of both names no namespace: it is applied to the same."""
    saved = night.saved()
    saved["again"] = copy.deepcopy(saved["config"])
    saved["again"]["data"]["mode"] = "drill"
    if not says_where:
        del saved["again"]["metadata"]["namespace"]
    night.write(saved)

    assert twice(night.manifests.documents(), night.namespace) == ["ConfigMap settings"]


def test_one_name_in_two_groups_is_two_objects(night: Night) -> None:
    saved = night.saved()
    other = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": BLUE}}
    night.write(saved | {"other": other})

    assert twice(night.manifests.documents(), night.namespace) == []


def too_large_for_a_note(_: Night, saved: Objects) -> None:
    saved["config"]["data"]["big"] = "x" * 270_000


def an_address_taken_since(night: Night, saved: Objects) -> None:
    path = f"{place('Service', night.namespace)}/{BLUE}"
    night.admin.delete(path)
    spec = {"ports": [{"port": 80}], "clusterIP": saved["service"]["spec"]["clusterIP"]}
    night.make({"kind": "Service", "metadata": {"name": "other"}, "spec": spec})


def an_owner_that_is_gone(_: Night, saved: Objects) -> None:
    saved["scaler"]["metadata"]["ownerReferences"][0]["uid"] = "2-2"


def a_service_that_leads_nowhere(night: Night, saved: Objects) -> None:
    saved["service"] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop", "namespace": night.namespace},
        "spec": {"type": "ExternalName", "externalName": "shop.gone.svc.cluster.local"},
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (too_large_for_a_note, "kubectl apply notes the object in an annotation"),
        (an_address_taken_since, "is that of Service night-"),
        (an_owner_that_is_gone, "its owner, ScaledObject nox, is not its owner now"),
        (a_service_that_leads_nowhere, "leads to Service shop in gone, which is not there"),
    ],
)
def test_what_apply_would_not_get_past(
    night: Night, change: Callable[[Night, Objects], None], why: str
) -> None:
    saved = night.saved()
    change(night, saved)
    night.write(saved)
    (said,) = night.manifests.refused(night.manifests.documents()).values()

    assert why in said


def test_the_documented_command_names_every_kind() -> None:
    text = (Path(__file__).parents[3] / "docs" / "BACKUP.md").read_text()
    named = re.search(r"kubectl get (\S+) -n nox-production", text)
    assert named is not None
    short = {
        "cm": "ConfigMap",
        "cronjob": "CronJob",
        "deploy": "Deployment",
        "ds": "DaemonSet",
        "hpa": "HorizontalPodAutoscaler",
        "ingress": "Ingress",
        "netpol": "NetworkPolicy",
        "pdb": "PodDisruptionBudget",
        "pvc": "PersistentVolumeClaim",
        "role": "Role",
        "rolebinding": "RoleBinding",
        "sa": "ServiceAccount",
        "sts": "StatefulSet",
        "svc": "Service",
    }

    assert {short[each] for each in named[1].split(",")} == set(KINDS)
