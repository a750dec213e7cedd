"""Where a ServiceMonitor or a PodMonitor looks: which ports its endpoints name, and who has them.

As the Prometheus operator makes scrape jobs of them: the first setting that is there counts, names are
regular expressions that fit as a whole, and a pod's port is one that a container declares.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from noxgate.systems.kubernetes.workload import name

Json = Mapping[str, Any]


def unscraped_services(
    endpoints: Iterable[Json], services: Sequence[Json], pods: Sequence[Json]
) -> list[str]:
    """Endpoints of a ServiceMonitor that find no port; `pods` are those of the Services."""
    found = []
    for endpoint in endpoints:
        if port := endpoint.get("port"):
            lack = [name(one) for one in services if not _named(port, one["spec"].get("ports"))]
            found += [f"port {port}: not a port of Service {each}" for each in lack]
        else:
            found += _lacking("targetPort", endpoint.get("targetPort"), pods)
    return found


def unscraped_pods(endpoints: Iterable[Json], pods: Sequence[Json]) -> list[str]:
    """Endpoints of a PodMonitor that find no port."""
    found = []
    for endpoint in endpoints:
        key = next((each for each in ("port", "portNumber", "targetPort") if endpoint.get(each)), "port")
        found += _lacking(key, endpoint.get(key), pods)
    return found


def _lacking(key: str, wanted: str | int | None, pods: Sequence[Json]) -> list[str]:
    """Pods that do not declare the port; without a port, every port of a pod is scraped."""
    if not wanted:
        return [f"names no port, so that each port is scraped: {key} is missing"]
    if not pods:
        return [f"{key} {wanted}: there is no pod to declare it"]
    lack = []
    for pod in pods:
        ports = [port for container in _running(pod["spec"]) for port in container.get("ports") or []]
        numbers = [port.get("containerPort") for port in ports]
        if not (wanted in numbers if isinstance(wanted, int) else _named(wanted, ports)):
            lack.append(name(pod))
    return [f"{key} {wanted}: no container of {each} declares it" for each in lack]


def _named(wanted: str, ports: Iterable[Json] | None) -> bool:
    try:
        return any(re.fullmatch(wanted, port.get("name") or "") for port in ports or [])
    except re.error:
        return False


def _running(pod_spec: Json) -> list[Json]:
    """Containers, and those that start first and stay."""
    stay = [one for one in pod_spec.get("initContainers") or [] if one.get("restartPolicy") == "Always"]
    return [*(pod_spec.get("containers") or []), *stay]
