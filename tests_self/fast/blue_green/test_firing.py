"""Whose alerts fire: staging's, which one Prometheus may watch by rules of the same names, are not ours."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from noxgate.blue_green.monitored.watched import firing_alerts

if TYPE_CHECKING:
    from noxgate.systems.prometheus.client import Prometheus

OURS = {"nox-production", "nox-production-green", "nox-production-blue"}


def asked(query: str, *, name: str = "Few", state: str = "firing", **labels: str) -> list[str]:
    """What is found where one alert of one rule is there."""
    alert = SimpleNamespace(name=name, state=state, labels=labels)
    rules: list[Any] = [SimpleNamespace(name=name, query=query, alerts=[alert])]
    prometheus = cast("Prometheus", SimpleNamespace(rules=lambda: rules))
    return firing_alerts(prometheus, {"Few", "Gone"}, OURS)


@pytest.mark.parametrize(
    "query",
    [
        'sum(up{namespace="nox-production-green"}) < 2',
        'sum(up{job="nox-api",namespace=~"nox-production-(blue|green)"}) < 2',
        'sum(up{namespace="nox-staging-green"}) < sum(up{namespace="nox-production-green"})',
        'sum(up{job="nox-api"}) < 2',
        "vector(1)",
    ],
)
def test_ours_by_the_rule(query: str) -> None:
    """A rule that names no namespace watches all of them."""
    assert asked(query) == ["Few {}"]


@pytest.mark.parametrize(
    "query",
    ['sum(up{namespace="nox-staging-green"}) < 2', 'sum(up{namespace=~"nox-staging-.*"}) < 2'],
)
def test_of_another_namespace(query: str) -> None:
    assert asked(query) == []


def test_by_the_alerts_own_namespace() -> None:
    """Its rule may have any name."""
    assert asked("vector(1)", name="QueueStands", namespace="nox-production-green") != []
    assert asked("vector(1)", name="QueueStands", namespace="nox-staging-green") == []


def test_pending_is_not_firing() -> None:
    assert asked("vector(1)", state="pending") == []
