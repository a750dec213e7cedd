"""What the controllers are told: which process a pod stands for, and how it is."""

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

PROBE = "kube-probe/1.32"  # what the kubelet calls itself: the API's faults leave it alone
PATIENCE = 1.0  # seconds that a probe waits
LATE = 3  # in a row end readiness, as a kubelet's failureThreshold: a busy machine stands still for one


@dataclass(frozen=True)
class Slot:
    """A process of the rehearsal that a pod of this Deployment may stand for."""

    namespace: str
    name: str
    part: str
    ip: str
    ports: Mapping[str, int]  # container port -> real port
    image: str
    image_id: str
    deployment: str


class Probe(NamedTuple):
    """What the kubelet asks to learn whether a pod is ready."""

    port: int
    path: str


@dataclass(frozen=True)
class Process:
    """One part as the supervisor knows it; no pid: it does not run. `exit` is how its last run ended."""

    pid: int | None = None
    starts: int = 0
    exit: int | None = None


@dataclass(frozen=True)
class ControllerSettings:
    """What the controllers are started with."""

    server: str
    ca: Path
    token: str
    processes: Path
    ingress: Path  # nginx's folder
    sites: Mapping[str, str]  # NAMESPACE/INGRESS -> the site that it decides
    slots: tuple[Slot, ...]

    @classmethod
    def read(cls, path: Path) -> "ControllerSettings":
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            server=found["server"],
            ca=Path(found["ca"]),
            token=found["token"],
            processes=Path(found["processes"]),
            ingress=Path(found["ingress"]["folder"]),
            sites=found["ingress"]["sites"],
            slots=tuple(Slot(**slot) for slot in found["pods"]),
        )


CONTAINER = "nox-api"


def read_processes(path: Path) -> dict[str, Process]:
    """The supervisor's file, by part; empty if it is not there yet."""
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {part: Process(**process) for part, process in found.items()}


def of_process(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container that the process stands for; any other, such as a sidecar, is made up."""
    found: list[Mapping[str, Any]] = pod["spec"]["containers"]
    return next((each for each in found if each["name"] == CONTAINER), found[0])


def probe_of(pod: Mapping[str, Any], slot: Slot) -> Probe | None:
    """Where the readiness probe asks, on this machine; None if the pod is ready as soon as it runs."""
    container = of_process(pod)
    asked = (container.get("readinessProbe") or {}).get("httpGet")
    if asked is None:
        return None
    names = {each.get("name"): each["containerPort"] for each in container.get("ports") or []}
    number = names.get(asked["port"], asked["port"])
    return Probe(slot.ports.get(str(number), 0), asked.get("path", "/"))


@dataclass
class Readiness:
    """What the kubelet knows by one probe. An answer counts at once, which is quicker than a kubelet."""

    is_ready: bool = False
    late: int = 0

    def looked(self, probe: Probe) -> bool:
        """Whether the pod is ready, after one more look."""
        answer = answers(probe)
        self.late = self.late + 1 if answer is None else 0
        if answer is not None or self.late >= LATE:
            self.is_ready = answer is True
        return self.is_ready


def answers(probe: Probe) -> bool | None:
    """The readiness probe: 200 to 399, and None if nothing is said within a second."""
    with closing(http.client.HTTPConnection("127.0.0.1", probe.port, timeout=PATIENCE)) as connection:
        try:
            connection.request("GET", probe.path, headers={"user-agent": PROBE})
            answer = connection.getresponse()
            answer.read()
        except TimeoutError:
            return None
        except (OSError, http.client.HTTPException):
            return False
        return 200 <= answer.status < 400  # noqa: PLR2004 (the kubelet's rule)
