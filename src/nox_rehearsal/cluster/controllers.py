"""The cluster's controllers in one process: python -m nox_rehearsal.cluster.controllers SETTINGS.

They play the kubelet (pods as their processes are), the Deployment, ReplicaSet, EndpointSlice and HPA
controllers, and the ingress controller (nginx as the Ingress says). They start and stop no process.
"""

import json
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from nox_rehearsal.cluster import autoscaling, workloads
from nox_rehearsal.cluster.endpoints import CONTROLLER, MANAGED_BY, SERVICE, endpoint_slice, is_as
from nox_rehearsal.cluster.ingresses import Nginx
from nox_rehearsal.cluster.objects import Api, path_of
from nox_rehearsal.cluster.pod_status import CREATING, pod_status
from nox_rehearsal.cluster.processes import (
    ControllerSettings,
    Probe,
    Process,
    Readiness,
    Slot,
    of_process,
    probe_of,
    read_processes,
)
from nox_rehearsal.cluster.routes import NOWHERE, routes
from nox_rehearsal.error import RehearsalError

TICK = 0.3  # seconds between two looks
INGRESS = "ingress"  # the part that is nginx
_KINDS = ("Deployment", "ReplicaSet", "Pod", "Service", "EndpointSlice", "HorizontalPodAutoscaler", "Ingress")
_NO_RUN = Process()

Json = dict[str, Any]
Objects = Sequence[Mapping[str, Any]]


@dataclass
class Controllers:
    """What the controllers remember from one tick to the next."""

    settings: ControllerSettings
    api: Api
    problems: list[str] = field(default_factory=list)  # of the last look at everything
    _nginx: Nginx = field(init=False)
    _slots: dict[tuple[str, str], Slot] = field(init=False)
    _first: dict[str, int] = field(default_factory=dict)  # pod's uid -> its first start of the process
    _probes: set[Probe] = field(default_factory=set)
    _readiness: defaultdict[Probe, Readiness] = field(default_factory=lambda: defaultdict(Readiness))
    _settled: object = None  # what was seen when nothing was left to write
    _prober: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=8))

    def __post_init__(self) -> None:
        self._nginx = Nginx(self.settings.ingress)
        self._slots = {(slot.namespace, slot.name): slot for slot in self.settings.slots}

    def tick(self) -> bool:
        """Look, and where something has changed, write what is not as it should be; whether nothing had."""
        processes = read_processes(self.settings.processes)
        probes = dict(zip(self._probes, self._prober.map(self._is_ready, self._probes), strict=True))
        # One cheap look tells whether anything at all was written since, by anybody.
        listed = self.api.send("GET", "/api/v1/namespaces", params={"fieldSelector": "metadata.name=default"})
        seen = listed["metadata"]["resourceVersion"], processes, probes
        if seen == self._settled:
            self._nginx.reload(processes.get(INGRESS, _NO_RUN).pid)  # it may have been away
            return True
        self._settled, self.problems = None, []
        self._look(processes, probes, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if not self.problems:
            self._settled = seen
        return False

    def _look(self, processes: Mapping[str, Process], probes: Mapping[Probe, bool], now: str) -> None:
        found = {kind: self.api.list(kind, "") for kind in _KINDS}
        self._each(found["Deployment"], lambda each: self._deployment(each, found))
        self._each([pod for pod in found["Pod"] if _is_ending(pod)], self._remove)
        found["Pod"] = self.api.list("Pod", "")
        self._probes = set()
        self._each(found["Pod"], lambda each: self._pod(each, processes, probes, now))
        self._each(found["Deployment"], lambda each: self._deployment_status(each, found, now))
        self._each(found["ReplicaSet"], lambda each: self._replica_set_status(each, found["Pod"]))
        self._each(found["HorizontalPodAutoscaler"], lambda each: self._autoscaler(each, found, now))
        self._slices(found)
        self._ingresses(found, processes)

    def _each(self, things: Sequence[Json], act: Callable[[Json], object]) -> None:
        """One object that is odd, or has changed in between, does not hold up the others."""
        for thing in things:
            try:
                act(thing)
            except (RehearsalError, LookupError, TypeError, ValueError) as error:
                name = f"{_namespace(thing)}/{thing['metadata']['name']}"
                self.problems.append(f"{name}: {type(error).__name__}: {error}")

    def _deployment(self, deployment: Json, found: Mapping[str, list[Json]]) -> None:
        """At least what its HPA wants, the ReplicaSet of its template, and exactly its pods."""
        namespace, name = _namespace(deployment), deployment["metadata"]["name"]
        hpas = [hpa for hpa in found["HorizontalPodAutoscaler"] if autoscaling.scales(hpa, deployment)]
        minimum = max(map(autoscaling.minimum_of, hpas), default=0)
        if 0 < workloads.replicas_of(deployment) < minimum:  # scaled to 0, an HPA is off
            deployment["spec"]["replicas"] = minimum
            self._merge(path_of("Deployment", name, namespace) + "/scale", {"spec": {"replicas": minimum}})
        wanted = workloads.replica_set(deployment)
        sets = found["ReplicaSet"]
        if _named(sets, namespace, wanted["metadata"]["name"]) is None:
            sets.append(self.api.send("POST", _folder("ReplicaSet", namespace), json=wanted))
        for each in _owned(sets, deployment):
            is_present = each["metadata"]["name"] == wanted["metadata"]["name"]
            count = wanted["spec"]["replicas"] if is_present else 0
            if each["spec"].get("replicas") != count:
                path = path_of("ReplicaSet", each["metadata"]["name"], namespace)
                each.update(self._merge(path, {"spec": {"replicas": count}}))
        slots = {slot.name: slot for slot in workloads.wished(deployment, self.settings.slots)}
        for pod in _pods_of(deployment, found):
            digest = pod["metadata"]["labels"].get(workloads.HASH)
            is_current = digest == workloads.template_hash(deployment) and not _is_ending(pod)
            if not (is_current and slots.pop(pod["metadata"]["name"], None)):
                self._remove(pod)
        owner = _named(sets, namespace, wanted["metadata"]["name"])
        for slot in slots.values():
            self.api.send("POST", _folder("Pod", namespace), json=workloads.pod(owner, slot))

    def _remove(self, pod: Json) -> None:
        """What the kubelet does in the end to a pod that is to go."""
        metadata = pod["metadata"]
        path = path_of("Pod", metadata["name"], metadata["namespace"])
        if not metadata.get("finalizers"):
            self.api.send("DELETE", path, params={"gracePeriodSeconds": "0"})

    def _pod(
        self, pod: Json, processes: Mapping[str, Process], probes: Mapping[Probe, bool], now: str
    ) -> None:
        metadata = pod["metadata"]
        slot = self._slots.get((metadata["namespace"], metadata["name"]))
        if slot is None:  # without an owner: what it says of itself is left alone
            return
        process = processes.get(slot.part, _NO_RUN)
        probe = probe_of(pod, slot)
        ready = True
        if probe is not None:
            self._probes.add(probe)
            ready = probes[probe] if probe in probes else self._is_ready(probe)
        starts = process.starts - self._first_start(pod, process) + 1
        status = pod_status(pod, slot, process, ready=ready, starts=starts, now=now)
        pod["status"] = self._write_status("Pod", pod, status)

    def _is_ready(self, probe: Probe) -> bool:
        return self._readiness[probe].looked(probe)

    def _first_start(self, pod: Json, process: Process) -> int:
        """Which start of the process was the pod's first: the present one, or else the next."""
        first = process.starts if process.pid is not None else process.starts + 1
        name = of_process(pod)["name"]
        for known in (pod.get("status") or {}).get("containerStatuses") or []:
            if known["name"] != name:
                continue
            if (known["state"].get("waiting") or {}).get("reason") != CREATING:  # written before this process
                first = process.starts - known["restartCount"]
        return self._first.setdefault(pod["metadata"]["uid"], first)

    def _deployment_status(self, deployment: Json, found: Mapping[str, list[Json]], now: str) -> None:
        status = workloads.deployment_status(deployment, _pods_of(deployment, found), now)
        deployment["status"] = self._write_status("Deployment", deployment, status)

    def _replica_set_status(self, replica_set: Json, pods: Sequence[Json]) -> None:
        status = workloads.replica_set_status(replica_set, _owned(pods, replica_set))
        self._write_status("ReplicaSet", replica_set, status)

    def _autoscaler(self, hpa: Json, found: Mapping[str, list[Json]], now: str) -> None:
        scaled = next((each for each in found["Deployment"] if autoscaling.scales(hpa, each)), None)
        pods = [] if scaled is None else _pods_of(scaled, found)
        status = autoscaling.autoscaler_status(hpa, scaled, pods, now)
        self._write_status("HorizontalPodAutoscaler", hpa, status)

    def _slices(self, found: dict[str, list[Json]]) -> None:
        """A slice for each Service with a selector, and none for those that are gone."""
        now = {(_namespace(each), each["metadata"]["name"]): each for each in found["EndpointSlice"]}
        services = {(_namespace(each), each["metadata"]["name"]) for each in _selecting(found["Service"])}

        def match(service: Json) -> None:
            namespace = _namespace(service)
            wanted = endpoint_slice(service, [pod for pod in found["Pod"] if _namespace(pod) == namespace])
            key = namespace, wanted["metadata"]["name"]
            if key not in now:
                now[key] = self.api.send("POST", _folder("EndpointSlice", namespace), json=wanted)
            elif not is_as(now[key], wanted):
                now[key] = self.api.send("PUT", path_of("EndpointSlice", key[1], namespace), json=wanted)

        def clear(old: Json) -> None:
            labels = old["metadata"].get("labels") or {}
            if labels.get(MANAGED_BY) == CONTROLLER and (_namespace(old), labels[SERVICE]) not in services:
                self.api.send("DELETE", path_of("EndpointSlice", old["metadata"]["name"], _namespace(old)))
                del now[_namespace(old), old["metadata"]["name"]]

        self._each(_selecting(found["Service"]), match)
        self._each(found["EndpointSlice"], clear)
        found["EndpointSlice"] = list(now.values())

    def _ingresses(self, found: Mapping[str, list[Json]], processes: Mapping[str, Process]) -> None:
        for key, site in self.settings.sites.items():
            namespace, _, name = key.partition("/")
            ingress = _named(found["Ingress"], namespace, name)
            if ingress is None:
                self._nginx.show(site, NOWHERE)
            else:
                self._each([ingress], lambda each, site=site: self._ingress(site, each, found))  # type: ignore[misc]
        self._nginx.reload(processes.get(INGRESS, _NO_RUN).pid)

    def _ingress(self, site: str, ingress: Json, found: Mapping[str, list[Json]]) -> None:
        shown = routes(site, ingress, found["Service"], found["EndpointSlice"], self.settings.slots)
        self._nginx.show(site, shown)
        self._write_status("Ingress", ingress, {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}})

    def _write_status(self, kind: str, thing: Json, status: Json) -> Json:
        """Write a status where it is another than before; the status as it is then."""
        before = thing.get("status") or {}
        if all(before.get(key) == value for key, value in status.items()):
            return before
        metadata = thing["metadata"]
        path = path_of(kind, metadata["name"], metadata["namespace"]) + "/status"
        written: Json = self._merge(path, {"status": status})["status"]
        return written

    def _merge(self, path: str, patch: Json) -> Json:
        headers = {"content-type": "application/merge-patch+json"}
        return self.api.send("PATCH", path, content=json.dumps(patch), headers=headers)


def _folder(kind: str, namespace: str) -> str:
    return path_of(kind, "", namespace).rstrip("/")


def _is_ending(pod: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _selecting(services: Sequence[Json]) -> list[Json]:
    return [service for service in services if service["spec"].get("selector")]


def _pods_of(deployment: Mapping[str, Any], found: Mapping[str, list[Json]]) -> list[Json]:
    """The pods of all of a Deployment's ReplicaSets, the present one and earlier ones."""
    return [pod for each in _owned(found["ReplicaSet"], deployment) for pod in _owned(found["Pod"], each)]


def _owned(things: Sequence[Json], owner: Mapping[str, Any]) -> list[Json]:
    uid = owner["metadata"]["uid"]
    return [
        thing
        for thing in things
        if any(each["uid"] == uid for each in thing["metadata"].get("ownerReferences") or [])
    ]


def _namespace(thing: Mapping[str, Any]) -> str:
    return str(thing["metadata"]["namespace"])


def _named(things: Objects, namespace: str, name: str) -> Any:
    return next(
        (each for each in things if (_namespace(each), each["metadata"]["name"]) == (namespace, name)), None
    )


def main(arguments: list[str]) -> int:
    """Run until told to end; an API server that is away for a while is waited for."""
    settings = ControllerSettings.read(Path(arguments[0]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    controllers = Controllers(settings, Api(settings.server, settings.ca, settings.token))
    said: list[str] = []
    while True:
        try:
            controllers.tick()
            problems = controllers.problems
        except (RehearsalError, httpx.TransportError, ValueError) as error:
            problems = [f"{type(error).__name__}: {error}"]
        if problems != said:  # once, not at every tick
            sys.stderr.writelines(f"{problem}\n" for problem in problems)
            said = problems
        time.sleep(TICK)  # noqa: TID251 (a controller's own beat)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
