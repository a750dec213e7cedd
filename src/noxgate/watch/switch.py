"""When traffic was switched to green, as the live checks know it: the Ingress says so."""

from datetime import datetime

from noxgate.clients.ingress_meaning import changed_at, services
from noxgate.clients.kube import Kube
from noxgate.clients.kube_session import KubeSession
from noxgate.clients.observation import Observation
from noxgate.clients.switching import GREEN, live_ingress
from noxgate.target import Target, UnreachableError


class NotSwitchedError(Exception):
    """The Ingress does not lead to green: one line."""


def switched_at(target: Target) -> datetime:
    """When the Ingress was led to green; NotSwitchedError where it leads elsewhere."""

    def unrecorded(_: Observation) -> None:
        """The window's own check looks again, and records what it saw."""

    session = KubeSession(target)
    try:
        ingress = live_ingress(Kube(session, session, unrecorded), target)
    except AssertionError as error:
        raise NotSwitchedError(f"{target.name}: {error}") from None
    finally:
        session.close()
    if services(ingress) != {GREEN}:
        leads = ", ".join(sorted(map(str, services(ingress))))
        raise NotSwitchedError(
            f"{target.name}: the window begins with the switch, and the Ingress leads to {leads}, "
            f"not to {GREEN} alone"
        )
    at = changed_at(ingress)
    if at is None:
        raise UnreachableError(f"{target.name}: the Ingress does not say when it was switched")
    return at
