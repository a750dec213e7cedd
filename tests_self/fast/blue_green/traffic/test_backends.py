"""What is behind an Ingress: all ready pods of the one Deployment, by their own addresses and ports."""

from collections.abc import Callable, Sequence

import httpx
import pytest
from tests_self.fast.blue_green.traffic.given import (
    IMAGE,
    PORTS,
    Green3,
    Json,
    deployment,
    endpoint,
    endpoint_slice,
    ingress,
    pod,
    service,
)
from tests_self.service import BLUE, GREEN, SERVICE, side

from noxgate.blue_green.ingress_meaning import routes, switch_patch
from noxgate.blue_green.running import running_images
from noxgate.blue_green.switching import colours, different_routes, wished_routes
from noxgate.blue_green.traffic import ExpectedPods, wrong_backends
from noxgate.systems.kubernetes.kube import Kube

API = {"name": "nox-api", "image": IMAGE, "ports": [{"name": "http", "containerPort": 3000}]}
PROXY = {"name": "proxy", "image": IMAGE, "ports": [{"name": "http", "containerPort": 15000}]}
METRICS = {
    "name": "meter",
    "image": IMAGE,
    "ports": [{"name": "http", "containerPort": 9, "protocol": "UDP"}],
}
SIDECAR = {"name": "door", "image": IMAGE, "restartPolicy": "Always"}


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
