"""What is behind an Ingress: all ready pods of the one Deployment, by their own addresses and ports."""

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests_self.kubernetes.servers import Server, stand_in
from tests_self.service import BLUE, DEPLOYMENT, GREEN, SERVICE, side

from noxgate.blue_green.ingress_meaning import routes, switch_patch
from noxgate.blue_green.running import running_images
from noxgate.blue_green.switching import colours, different_routes, wished_routes
from noxgate.blue_green.traffic import ExpectedPods, ingresses_of, rivals, wrong_backends
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.systems.kubernetes.workload import without_room

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

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


API = {"name": "nox-api", "image": IMAGE, "ports": [{"name": "http", "containerPort": 3000}]}
PROXY = {"name": "proxy", "image": IMAGE, "ports": [{"name": "http", "containerPort": 15000}]}
METRICS = {
    "name": "meter",
    "image": IMAGE,
    "ports": [{"name": "http", "containerPort": 9, "protocol": "UDP"}],
}
SIDECAR = {"name": "door", "image": IMAGE, "restartPolicy": "Always"}


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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def kube(server: Server) -> Iterator[Kube]:
    yield from seen_as(server, "admin")


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


@pytest.fixture
def green() -> Green3:
    numbers = (1, 2, 3)
    objects = {"deployment": deployment(), "service": service(), "ingress": ingress()}
    objects |= {f"pod {number}": pod(number) for number in numbers}
    objects["slice"] = endpoint_slice(GREEN, *map(endpoint, numbers))
    return Green3(f"green-{next(NUMBERS)}", objects)


def wrong(kube: Kube, green: Green3) -> list[str]:
    found = kube.need("Ingress", "nox-api-ingress", green.namespace)
    return [
        said for said, _ in wrong_backends(kube, found, ExpectedPods.of(side(kube, green.namespace)), SERVICE)
    ]


def test_a_whole_green_is_well(admin: httpx.Client, kube: Kube, green: Green3) -> None:
    green.make(admin)

    assert wrong(kube, green) == []


def one_of_three(green: Green3) -> None:
    green["slice"]["endpoints"] = [endpoint(1)]


def one_not_ready(green: Green3) -> None:
    green["slice"]["endpoints"][1]["conditions"]["ready"] = False


def wrong_number(green: Green3) -> None:
    green["slice"]["ports"] = [{"name": "web", "port": 9999}]


def wrong_name(green: Green3) -> None:
    green["slice"]["ports"] = [{"name": "metrics", "port": 3000}]


def of_nobody(green: Green3) -> None:
    del green["slice"]["endpoints"][2]["targetRef"]


def of_another_address(green: Green3) -> None:
    green["slice"]["endpoints"][2]["addresses"] = ["10.9.9.9"]


def of_a_second_deployment(green: Green3) -> None:
    """Of the same labels and the same image: it is neither rolled out nor scaled."""
    green.objects["second"] = deployment("nox-api-canary")
    green.objects["pod 4"] = pod(4, "nox-api-canary")
    green["slice"]["endpoints"].append(endpoint(4, "nox-api-canary"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            one_of_three,
            "only 1 of 3 ready pods: not ['nox-api-deployment-green-2', 'nox-api-deployment-green-3']",
        ),
        (one_not_ready, "only 2 of 3 ready pods: not ['nox-api-deployment-green-2']"),
        (wrong_number, "port 9999 of nox-api-deployment-green-1, which listens at 3000"),
        (wrong_name, "no ready endpoint"),
        (of_nobody, "leads to ['10.1.0.3, which belongs to no pod']"),
        (of_another_address, "10.9.9.9, which is not nox-api-deployment-green-3's"),
        (of_a_second_deployment, "leads to ['nox-api-canary-4']"),
    ],
)
def test_behind_the_service(
    admin: httpx.Client, kube: Kube, green: Green3, change: Callable[[Green3], None], said: str
) -> None:
    change(green)
    green.make(admin)
    (found,) = wrong(kube, green)

    assert found.startswith(f"Service {GREEN}: ")
    assert said.replace("\\'", "'") in found.replace("\\'", "'").replace('"', "'")


@pytest.mark.parametrize(
    "change",
    [
        lambda green: (
            green["pod 2"]["status"].update(conditions=[{"type": "Ready", "status": "False"}])
            or green["slice"]["endpoints"][1]["conditions"].update(ready=False)
        ),
        lambda green: green["service"]["spec"].update(
            ports=[{"name": "web", "port": 80, "targetPort": 3000}]
        ),
        lambda green: [
            green[f"pod {number}"]["spec"].update(containers=[API, PROXY, METRICS]) for number in (1, 2, 3)
        ],
        lambda green: [
            green[f"pod {number}"]["spec"].update(
                containers=[{**API, "ports": []}], initContainers=[{**SIDECAR, "ports": PORTS}]
            )
            for number in (1, 2, 3)
        ],
        lambda green: green["slice"]["endpoints"][0]["conditions"].clear(),
        lambda green: green.objects.update(
            canary=deployment("nox-api-canary"), other=pod(9, "nox-api-canary")
        ),
    ],
    ids=[
        "a pod that starts",
        "a port by number",
        "a proxy's port of that name",
        "a sidecar's",
        "a slice that does not say",
        "another's pods, not led to",
    ],
)
def test_odd_and_well(
    admin: httpx.Client, kube: Kube, green: Green3, change: Callable[[Green3], object]
) -> None:
    change(green)
    green.make(admin)

    assert wrong(kube, green) == []


SIX = ("fd00::1", "fd00::2", "fd00::3")


def dual(green: Green3, *six: Json, of: Sequence[int] = (1, 2, 3)) -> None:
    """The Service has addresses of both families, and so have these pods."""
    for number in of:
        addresses = [{"ip": f"10.1.0.{number}"}, {"ip": SIX[number - 1]}]
        green[f"pod {number}"]["status"]["podIPs"] = addresses
    made = {**endpoint_slice(GREEN, *six), "addressType": "IPv6"}
    made["metadata"] = {**made["metadata"], "name": f"{GREEN}-six"}
    green.objects["six"] = made


def six(number: int, *, ready: bool = True) -> Json:
    return {**endpoint(number), "addresses": [SIX[number - 1]], "conditions": {"ready": ready}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda green: dual(green, *map(six, (1, 2, 3))), None),
        (lambda green: dual(green, *map(six, (1, 2)), of=(1, 2)), None),  # the third pod has IPv4 alone
        (lambda green: dual(green, *map(six, (1, 2))), "IPv6: only 2 of 3 ready pods: not "),
        (lambda green: dual(green, *(six(n, ready=False) for n in (1, 2, 3))), "IPv6: no ready endpoint"),
        (lambda green: dual(green, {**six(1), "addresses": ["fd00::9"]}), "leads to "),
        (
            lambda green: (
                green["slice"].update(endpoints=[endpoint(n) for n in (1, 2)])
                or green["pod 3"]["status"].update(podIP=SIX[2])
            ),
            "only 2 of 3 ready pods: not ",
        ),
    ],
    ids=["both", "one pod of IPv4", "a pod less", "none ready", "another's address", "a pod of IPv6 alone"],
)
def test_addresses_of_both_families(
    admin: httpx.Client, kube: Kube, green: Green3, change: Callable[[Green3], None], said: str | None
) -> None:
    """Whoever knows one of them alone has all pods by it, too."""
    change(green)
    green.make(admin)
    found = wrong(kube, green)

    assert [each.startswith(f"Service {GREEN}: {said}") for each in found] == [True] * (said is not None)


def test_a_path_of_another_service(admin: httpx.Client, kube: Kube, green: Green3) -> None:
    """It is not switched, and others than green's pods answer; a path without a pod behind it is said."""
    green.objects["ingress"] = ingress(**{"/": BLUE, "/docs": "nox-docs"})
    green.objects["docs"] = service("nox-docs")
    green.objects["docs slice"] = endpoint_slice("nox-docs", {"addresses": ["10.2.0.1"]}, port=8080)
    green.make(admin)
    before = kube.need("Ingress", "nox-api-ingress", green.namespace)
    patch = switch_patch(before, BLUE, GREEN)
    media_type = "application/json-patch+json"
    after = kube.dry_run_patch("Ingress", "nox-api-ingress", green.namespace, patch, media_type)
    back = [*patch, *switch_patch(before, GREEN, BLUE)]
    again = kube.dry_run_patch("Ingress", "nox-api-ingress", green.namespace, back, media_type)

    assert (colours(before, SERVICE), colours(after, SERVICE)) == ({BLUE}, {GREEN})
    assert different_routes(after, wished_routes(before, SERVICE, GREEN)) == {}
    assert routes(again) == routes(before)
    assert wrong_backends(kube, after, ExpectedPods.of(side(kube, green.namespace)), SERVICE) == []
    headers = {"content-type": "application/merge-patch+json"}
    path = f"/apis/discovery.k8s.io/v1/namespaces/{green.namespace}/endpointslices/nox-docs-x"
    admin.patch(path, json={"endpoints": []}, headers=headers)
    said = wrong_backends(kube, after, ExpectedPods.of(side(kube, green.namespace)), SERVICE)
    assert said == [("Service nox-docs: no ready endpoint", ["api.nox.example/docs"])]


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        (ingress("other", **{"/": "x"}), ["api.nox.example/"]),
        (ingress("other", **{"/api/v1": "x"}), ["api.nox.example/api/v1"]),
        (
            ingress("other", **{"/docs": "x", "/ws/deep": "x"}),
            ["api.nox.example/docs", "api.nox.example/ws/deep"],
        ),
        (ingress("other", host="www.nox.example"), []),
        (ingress("other", **{"/.well-known/acme-challenge/token": "x"}), []),
    ],
)
def test_another_ingress(other: Json, taken: list[str]) -> None:
    ours = ingress() | {"metadata": {"name": "nox-api-ingress", "namespace": "nox-production"}}
    other = copy.deepcopy(other)
    other["metadata"]["namespace"] = "shop"

    assert rivals(ours, [ours, other]) == ({"shop/other": taken} if taken else {})


def test_an_ingress_of_another_class_or_beside_our_paths_is_none() -> None:
    ours = ingress(**{"/api": GREEN}) | {"metadata": {"name": "nox-api-ingress", "namespace": "nox"}}
    ours["spec"]["ingressClassName"] = "public"
    inside = ingress("inside", **{"/api/v1": "x"}) | {"metadata": {"name": "inside", "namespace": "nox"}}
    inside["spec"]["ingressClassName"] = "internal"
    beside = ingress("beside", **{"/apiary": "x", "/": "y"}) | {
        "metadata": {"name": "beside", "namespace": "nox"}
    }

    assert rivals(ours, [inside, beside]) == {}


CLASS, CANARY = "kubernetes.io/ingress.class", "nginx.ingress.kubernetes.io/canary"


@pytest.mark.parametrize(
    ("named", "notes", "is_rival"),
    [
        ("public", {CLASS: "alb"}, False),
        ("public", {CLASS: "public"}, True),
        (None, {CLASS: "alb"}, True),  # ours is of the default class: which one is not known
        ("public", {}, True),
        ("public", {CANARY: "true", f"{CANARY}-weight": "0"}, False),
        ("public", {CANARY: "true", f"{CANARY}-by-header": "x-tester"}, False),
        ("public", {CANARY: "true", f"{CANARY}-weight": "5"}, True),
        ("public", {CANARY: "true", f"{CANARY}-by-cookie": "chosen"}, True),
        ("public", {CANARY: "false", f"{CANARY}-weight": "0"}, True),
    ],
)
def test_what_annotations_say_of_a_rival(named: str | None, notes: dict[str, str], *, is_rival: bool) -> None:
    """A class by the older way, and a canary to which no share of the requests goes."""
    ours = ingress(**{"/": GREEN}) | {"metadata": {"name": "nox-api-ingress", "namespace": "nox"}}
    ours["spec"] |= {"ingressClassName": named} if named else {}
    other = ingress("other", **{"/": "x"})
    other["metadata"] = {"name": "other", "namespace": "nox", "annotations": notes}

    assert bool(rivals(ours, [other])) is is_rival


def test_namespaces_that_cannot_be_looked_at_are_said(
    admin: httpx.Client, server: Server, kube: Kube, green: Green3
) -> None:
    green.make(admin)
    role = {"metadata": {"name": "r"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list"]}]}
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{green.namespace}"
    admin.post(f"{rbac}/roles", json=role)
    subjects = [{"kind": "User", "name": "release-gate", "apiGroup": "rbac.authorization.k8s.io"}]
    reference = {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
    admin.post(
        f"{rbac}/rolebindings", json={"metadata": {"name": "b"}, "subjects": subjects, "roleRef": reference}
    )
    said: list[Observation] = []
    everywhere = ingresses_of(kube, [green.namespace], said.append)
    assert said == []
    for narrow in seen_as(server, "reader"):
        there = ingresses_of(narrow, [green.namespace], said.append)

    assert len(there) == 1 <= len(everywhere)
    assert [each.seen for each in said] == [
        f"not looked at: Ingresses of other namespaces than {green.namespace}"
    ]


def test_a_sidecar_may_stand_first(admin: httpx.Client, kube: Kube, green: Green3) -> None:
    """The digest of the release is the application's."""
    containers: list[Json] = [
        {"name": "db-proxy", "image": "registry.nox.example/db-proxy:2.11"},
        {"name": "nox-api", "image": IMAGE, "ports": PORTS},
    ]
    green.objects["deployment"] = deployment(containers=containers)
    for number in (1, 2, 3):
        green.objects[f"pod {number}"] = pod(number, containers=containers)
    green.make(admin)

    assert set(running_images(side(kube, green.namespace)).values()) == {f"{IMAGE}@sha256:nox-api"}
    assert wrong(kube, green) == []


@pytest.mark.parametrize(
    ("spec", "conditions", "said"),
    [
        ({"minReplicas": 3, "maxReplicas": 3}, [], "no room: minReplicas and maxReplicas are both 3"),
        ({"maxReplicas": 1}, [], "no room"),
        (
            {"minReplicas": 3, "maxReplicas": 9},
            [{"type": "ScalingLimited", "status": "True"}],
            "at its limit",
        ),
    ],
)
def test_an_autoscaler_without_room(spec: Json, conditions: list[Json], said: str) -> None:
    assert (without_room({"spec": spec, "status": {"conditions": conditions}}) or "").startswith(said)


def test_an_autoscaler_with_room() -> None:
    conditions = [{"type": "ScalingLimited", "status": "False"}]

    assert (
        without_room({"spec": {"minReplicas": 3, "maxReplicas": 9}, "status": {"conditions": conditions}})
        is None
    )
