"""Blue or green: where it is, and what its Deployment, Service and container are called there."""

from dataclasses import dataclass

from noxgate.project.service.names import Colour, Container, Service
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube


@dataclass(frozen=True)
class Side:
    """One of the two in one namespace, and the client that looks there. `label` is of its pods."""

    kube: Kube
    namespace: str
    deployment: str
    service: str
    label: str
    container: Container


def side_of(kube: Kube, target: Target, service: Service, namespace: str, colour: Colour) -> Side:
    """As the runbook's service and the profile call it."""
    container = service.application(target.container)
    return Side(kube, namespace, colour.deployment, colour.service, service.label, container)
