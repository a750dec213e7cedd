"""Ports that monitors name, by the operator's own order: healthy ones in each form, and near misses."""

from collections.abc import Mapping
from typing import Any

import pytest

from noxgate.blue_green.monitored.monitors import unscraped_pods, unscraped_services

SERVICE = {
    "metadata": {"name": "nox-api-service-green"},
    "spec": {"ports": [{"name": "http", "port": 80, "targetPort": "web"}]},
}
POD: Mapping[str, Any] = {
    "metadata": {"name": "a"},
    "spec": {
        "initContainers": [
            {"name": "migrate", "ports": [{"name": "once", "containerPort": 1}]},
            {"name": "proxy", "restartPolicy": "Always", "ports": [{"containerPort": 15090}]},
        ],
        "containers": [
            {"name": "nox-api", "ports": [{"name": "web", "containerPort": 3000}]},
            {"name": "exporter", "ports": [{"name": "metrics", "containerPort": 9102}]},
        ],
    },
}


@pytest.mark.parametrize(
    "endpoint",
    [
        {"port": "http"},
        {"port": "http|metrics"},
        {"targetPort": "metrics"},
        {"targetPort": 9102},
        {"targetPort": 15090},
        {"port": "http", "targetPort": "nowhere"},  # the first counts
        {"port": "", "targetPort": "web"},
    ],
)
def test_service_monitor_that_finds_its_port(endpoint: Mapping[str, Any]) -> None:
    assert unscraped_services([endpoint], [SERVICE], [POD]) == []


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"port": "web"}, "port web: not a port of Service nox-api-service-green"),
        ({"port": "metrics", "targetPort": "metrics"}, "port metrics: not a port of Service"),
        ({"targetPort": "http"}, "targetPort http: no container of a declares it"),
        ({"targetPort": 80}, "targetPort 80: no container of a declares it"),
        ({"targetPort": "3000"}, "targetPort 3000: no container"),  # text is a name
        ({"targetPort": "once"}, "targetPort once: no container"),
        ({"port": "htt"}, "port htt: not a port"),
        ({"port": "http["}, "port http[: not a port"),
        ({"path": "/metrics"}, "names no port"),
    ],
)
def test_service_monitor_that_finds_none(endpoint: Mapping[str, Any], said: str) -> None:
    (found,) = unscraped_services([endpoint], [SERVICE], [POD])

    assert said in found


@pytest.mark.parametrize(
    "endpoint",
    [
        {"port": "web"},
        {"portNumber": 9102},
        {"targetPort": 3000},
        {"targetPort": "metrics"},
        {"port": "web", "portNumber": 1},
        {"portNumber": 3000, "targetPort": "nowhere"},
    ],
)
def test_pod_monitor_that_finds_its_port(endpoint: Mapping[str, Any]) -> None:
    assert unscraped_pods([endpoint], [POD]) == []


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"port": "http"}, "port http: no container of a declares it"),
        ({"portNumber": 80}, "portNumber 80: no container of a declares it"),
        ({"portNumber": 1}, "portNumber 1: no container"),
        ({"portNumber": 0}, "names no port"),
        ({}, "names no port"),
    ],
)
def test_pod_monitor_that_finds_none(endpoint: Mapping[str, Any], said: str) -> None:
    (found,) = unscraped_pods([endpoint], [POD])

    assert said in found


def test_a_port_of_pods_that_are_not_there() -> None:
    """The Service's own port is there all the same."""
    assert unscraped_services([{"targetPort": "web"}], [SERVICE], []) == [
        "targetPort web: there is no pod to declare it"
    ]
    assert unscraped_services([{"port": "http"}], [SERVICE], []) == []


def test_each_pod_and_each_service_has_the_port() -> None:
    """One of many that lacks it is not scraped."""
    other = {"metadata": {"name": "b"}, "spec": {"containers": [{"name": "nox-api"}]}}

    assert unscraped_pods([{"port": "web"}], [POD, other]) == ["port web: no container of b declares it"]
    assert unscraped_services([{"targetPort": "web"}], [SERVICE], [other, POD]) == [
        "targetPort web: no container of b declares it"
    ]
