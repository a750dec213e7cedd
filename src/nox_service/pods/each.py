"""What each pod of one colour says and does, asked by itself: before users get there, or since."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from nox_service import calculations, pages
from nox_service.pods.one import PodApi, echo, wrong_pods
from nox_service.websocket import new_message, unlike
from noxgate.blue_green.routing import port_for
from noxgate.blue_green.side import Side
from noxgate.blue_green.switching import SwitchPoint, live_ingress
from noxgate.blue_green.traffic import ExpectedPods
from noxgate.look.http import Answer
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import Forward, Way, each_pod, each_pod_alone, pod_port
from noxgate.systems.prometheus.scraped import exposition

SOCKET = "/ws"
PORT = 80


def wrong_answers(
    side: Side, forward: Forward, path: str, look: Callable[[Sequence[Answer]], list[str]]
) -> Mapping[str, Any]:
    """Pod -> what is wrong with its answer."""
    return wrong_pods({pod: look([answer]) for pod, answer in answers(side, forward, path).items()})


def answers(side: Side, forward: Forward, path: str) -> dict[str, Answer]:
    """Pod -> its answer, through the Service's port 80."""
    return each_pod(side.kube, forward, side.namespace, side.service, lambda way: way.get(path))


def ports(side: Side, forward: Forward) -> dict[str, int | None]:
    """Pod -> the port of this machine at which it answered; None if no port was needed."""
    return each_pod(side.kube, forward, side.namespace, side.service, _port)


def _port(way: Way) -> int | None:
    way.get("/version")
    return way.port


def profiles(side: Side, forward: Forward, target: Target) -> dict[str, Answer]:
    """Pod -> the profile that it gives the test user."""
    return each_pod_alone(
        side.kube,
        forward,
        side.namespace,
        side.service,
        lambda way: PodApi(target, way).get(pages.PROFILE, who="test_token"),
    )


def users_pages(side: Side, forward: Forward, target: Target) -> Mapping[str, Any]:
    """Pod -> what is wrong with the pages of a signed-in user."""
    return _wrong_of_each(side, forward, target, pages.each)


def science(side: Side, forward: Forward, target: Target) -> Mapping[str, Any]:
    """Pod -> what is wrong with the two requests that store nothing."""
    return _wrong_of_each(side, forward, target, calculations.each)


def _wrong_of_each(
    side: Side, forward: Forward, target: Target, look: Callable[[PodApi], Mapping[str, Any]]
) -> Mapping[str, Any]:
    found = each_pod_alone(
        side.kube,
        forward,
        side.namespace,
        side.service,
        lambda way: look(PodApi(target, way)),
    )
    return wrong_pods(found)


def sockets(side: Side, forward: Forward, at: SwitchPoint, base_url: str) -> Mapping[str, Any]:
    """Pod -> what is wrong with its echo.

    At the port of the Service that the Ingress has for it, which need not be that of the pages.
    """
    message = new_message()
    public = urlsplit(base_url)
    port = port_for(live_ingress(at), f"{public.path}{SOCKET}", public.hostname or "")
    echoes = each_pod_alone(
        side.kube, forward, side.namespace, side.service, lambda way: echo(way, SOCKET, message), port
    )
    return wrong_pods({pod: unlike(each, message) for pod, each in echoes.items()})


def served(side: Side, forward: Forward) -> dict[str, float]:
    """Pod -> the requests for /version that it has answered."""
    service = side.kube.need("Service", side.service, side.namespace)
    found = {}
    for pod in ExpectedPods.of(side).pods.values():
        pod_name = pod["metadata"]["name"]
        with forward.to_pod(side.namespace, pod_name, pod_port(service, PORT, pod)) as way:
            answer = exposition.asked(way.get)
        if answer.status != HTTPStatus.OK:
            raise AssertionError(f"{pod_name}: GET /metrics: HTTP {answer.status}")
        found[pod_name] = sum(
            sample.value
            for sample in exposition.read(answer)
            if sample.name == "http_requests_total" and sample.labels.get("path") == "/version"
        )
    return found
