"""A client of Prometheus."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from noxgate.look.observation import Observation, Patience
from noxgate.systems import settings
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.session import PrometheusSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


def client(
    loopback: "Loopback", url: str | None, observed: list[Observation] | None = None, **changes: Any
) -> Prometheus:
    """A client of the Prometheus at that address."""
    session = PrometheusSession(
        settings.prometheus(replace(loopback.target(9), prometheus_url=url, **changes))
    )
    session.patience = Patience("Prometheus", look=60)
    loopback.at_end.append(session.close)
    return Prometheus(session, (observed if observed is not None else []).append)
