"""When traffic was switched to green, as the live checks know it: the Ingress says so."""

from datetime import datetime
from pathlib import Path

from noxgate.blue_green.switch_time import time_of_switch
from noxgate.blue_green.switching import SwitchPoint, colours, live_ingress
from noxgate.errors import NoxgateError, UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.service.names import Service
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession


class NotSwitchedError(NoxgateError):
    """The Ingress does not lead to green: one line."""


def switched_at(
    target: Target, service: Service, place: Path | None = None, given: datetime | None = None
) -> datetime:
    """When the Ingress was led to green. Raises NotSwitchedError if it leads elsewhere."""

    def unrecorded(_: Observation) -> None:
        """The window's own check looks again, and records what it saw."""

    session = KubeSession(settings.cluster(target))
    try:
        kube = Kube(session, session, unrecorded)
        ingress = live_ingress(SwitchPoint(kube, target.namespace, target.namespaces, service))
    except AssertionError as error:
        raise NotSwitchedError(f"{target.name}: {error}") from None
    finally:
        session.close()
    green = service.green.service
    if colours(ingress, service) != {green}:
        leads = ", ".join(sorted(map(str, colours(ingress, service)))) or "neither blue nor green"
        raise NotSwitchedError(
            f"{target.name}: the window begins with the switch, and the Ingress leads to {leads}, "
            f"not to {green} alone"
        )
    try:
        return time_of_switch(ingress, place, given).at
    except UnreachableError as error:
        raise UnreachableError(f"{target.name}: {error}") from None
