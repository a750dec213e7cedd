"""The cluster's controllers in one process: python -m noxgate.rehearsal.cluster.controllers SETTINGS.

They play the kubelet (pods as their processes are), the Deployment, ReplicaSet, EndpointSlice and HPA
controllers, and the ingress controller (nginx as the Ingress says). They start and stop no process.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from noxgate.rehearsal.cluster import workloads
from noxgate.rehearsal.cluster.endpoints import SERVICE, endpoint_slice
from noxgate.rehearsal.cluster.objects import Api, path_of
from noxgate.rehearsal.cluster.pod_status import pod_status
from noxgate.rehearsal.cluster.processes import Process, Settings, Slot, is_ready, read_processes
from noxgate.rehearsal.cluster.routes import NOWHERE, routes
from noxgate.rehearsal.error import RehearsalError

TICK = 0.3  # seconds between two looks
INGRESS = "ingress"  # the part that is nginx
_KINDS = ("Deployment", "ReplicaSet", "Pod", "Service", "EndpointSlice", "HorizontalPodAutoscaler", "Ingress")
_NO_RUN = Process()

Json = dict[str, Any]
Objects = Sequence[Mapping[str, Any]]


@dataclass
class Controllers:
    """What the controllers remember from one tick to the next."""

    settings: Settings
    api: Api
    starts: dict[str, int] = field(default_factory=dict)  # by pod: of its process, when the pod was new

    def tick(self) -> None:
        """Look at everything once, and write what is not as it should be."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        processes = read_processes(self.settings.processes)
        found = {kind: self.api.list(kind, "") for kind in _KINDS}
        for deployment in found["Deployment"]:
            self._scale(deployment, found["HorizontalPodAutoscaler"])
            self._pods(deployment, found["ReplicaSet"], found["Pod"])
        found["Pod"] = self.api.list("Pod", "")
        for pod in found["Pod"]:
            self._pod_status(pod, processes, now)
        self._statuses(found, now)
        self._slices(found["Service"], found["Pod"], found["EndpointSlice"])
        self._ingresses(found["Ingress"], found["Service"], processes)

    def _scale(self, deployment: Json, autoscalers: Objects) -> None:
        """An HPA raises a Deployment to its minimum."""
        metadata = deployment["metadata"]
        minimum = max((_minimum(hpa) for hpa in autoscalers if _scales(hpa, metadata)), default=0)
        if deployment["spec"].get("replicas", 1) < minimum:
            path = path_of("Deployment", metadata["name"], metadata["namespace"]) + "/scale"
            self._merge(path, {"spec": {"replicas": minimum}})
            deployment["spec"]["replicas"] = minimum

    def _pods(self, deployment: Json, replica_sets: Objects, pods: Objects) -> None:
        """The ReplicaSet of the present template, and exactly the pods that it is to have."""
        namespace = deployment["metadata"]["namespace"]
        wanted = workloads.replica_set(deployment)
        own = _named(replica_sets, namespace, wanted["metadata"]["name"])
        if own is None:
            path = path_of("ReplicaSet", "", namespace).rstrip("/")
            own = self.api.send("POST", path, json=wanted)
        slots = workloads.wished(deployment, self.settings.slots)
        names = {slot.name for slot in slots}
        present = set()
        for pod in pods:
            if not _is_of(pod, deployment, replica_sets):
                continue
            name = pod["metadata"]["name"]
            current = pod["metadata"]["labels"].get(workloads.HASH) == workloads.template_hash(deployment)
            if name in names and current and "deletionTimestamp" not in pod["metadata"]:
                present.add(name)
            else:
                self.api.send("DELETE", path_of("Pod", name, namespace), params={"gracePeriodSeconds": "0"})
        for slot in slots:
            if slot.name not in present:
                path = path_of("Pod", "", namespace).rstrip("/")
                self.api.send("POST", path, json=workloads.pod(own, slot))

    def _pod_status(self, pod: Json, processes: Mapping[str, Process], now: str) -> None:
        metadata = pod["metadata"]
        slot = self._slot(metadata["namespace"], metadata["name"])
        if slot is None:  # nobody's: what it says of itself is left alone
            return
        process = processes.get(slot.part, _NO_RUN)
        known: Mapping[str, Any] = next(iter((pod.get("status") or {}).get("containerStatuses") or []), {})
        first = self.starts.setdefault(metadata["uid"], process.starts - known.get("restartCount", 0))
        ready = process.pid is not None and is_ready(slot.ports["3000"], workloads.probe_path(pod))
        restarts = max(0, process.starts - first)
        status = pod_status(pod, slot, process, ready=ready, restarts=restarts, now=now)
        pod["status"] = self._write_status("Pod", pod, status)

    def _statuses(self, found: Mapping[str, list[Json]], now: str) -> None:
        for deployment in found["Deployment"]:
            own = [pod for pod in found["Pod"] if _is_of(pod, deployment, found["ReplicaSet"])]
            self._write_status("Deployment", deployment, workloads.deployment_status(deployment, own, now))
        for replica_set in found["ReplicaSet"]:
            name = replica_set["metadata"]["name"]
            own = [
                pod
                for pod in found["Pod"]
                if name in _owners(pod) and _namespace(pod) == _namespace(replica_set)
            ]
            self._write_status("ReplicaSet", replica_set, workloads.replica_set_status(replica_set, own))
        for hpa in found["HorizontalPodAutoscaler"]:
            scaled = [one for one in found["Deployment"] if _scales(hpa, one["metadata"])]
            own = [pod for one in scaled for pod in found["Pod"] if _is_of(pod, one, found["ReplicaSet"])]
            ready = sum(map(workloads.ready_of, own))
            status = workloads.autoscaler_status(hpa, scaled[0] if scaled else None, ready, now)
            self._write_status("HorizontalPodAutoscaler", hpa, status)

    def _slices(self, services: Objects, pods: Objects, slices: list[Json]) -> None:
        for service in services:
            if not service["spec"].get("selector"):
                continue
            namespace = _namespace(service)
            wanted = endpoint_slice(service, [pod for pod in pods if _namespace(pod) == namespace])
            name = wanted["metadata"]["name"]
            present = _named(slices, namespace, name)
            path = path_of("EndpointSlice", name, namespace)
            if present is None:
                slices.append(self.api.send("POST", path.rpartition("/")[0], json=wanted))
            elif {key: present.get(key) or [] for key in ("endpoints", "ports")} != {
                key: wanted[key] for key in ("endpoints", "ports")
            }:
                self.api.send("PUT", path, json=wanted)
        names = {(_namespace(one), one["metadata"]["name"]) for one in services}
        for each in slices:
            of = _namespace(each), (each["metadata"].get("labels") or {}).get(SERVICE)
            if of not in names and each["metadata"]["name"] == f"{of[1]}-pods":
                self.api.send("DELETE", path_of("EndpointSlice", each["metadata"]["name"], of[0]))

    def _ingresses(self, ingresses: Objects, services: Objects, processes: Mapping[str, Process]) -> None:
        """Write what nginx includes, and have it read again where something changed."""
        slices = self.api.list("EndpointSlice", "")
        changed = False
        for key, site in self.settings.sites.items():
            namespace, _, name = key.partition("/")
            ingress = _named(ingresses, namespace, name)
            found = NOWHERE
            if ingress is not None:
                found = routes(site, ingress, services, slices, self.settings.slots)
                self._write_status("Ingress", ingress, {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}})
            changed |= _write(self.settings.ingress / f"upstreams-{site}.conf", found.upstreams)
            changed |= _write(self.settings.ingress / f"paths-{site}.conf", found.paths)
        master = processes.get(INGRESS, _NO_RUN).pid
        if changed and master is not None:
            with suppress(ProcessLookupError):
                os.kill(master, signal.SIGHUP)

    def _slot(self, namespace: str, name: str) -> Slot | None:
        for slot in self.settings.slots:
            if (slot.namespace, slot.name) == (namespace, name):
                return slot
        return None

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


def _write(file: Path, text: str) -> bool:
    """Write a file whole or not at all; whether it says something else than before."""
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return False
    draft = file.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
    return True


def _minimum(hpa: Mapping[str, Any]) -> int:
    return int(hpa["spec"].get("minReplicas", 1))


def _scales(hpa: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    target = hpa["spec"]["scaleTargetRef"]
    return (target["kind"], target["name"]) == ("Deployment", metadata["name"]) and (
        _namespace(hpa) == metadata["namespace"]
    )


def _is_of(pod: Mapping[str, Any], deployment: Mapping[str, Any], replica_sets: Objects) -> bool:
    """Whether a pod is of one of the Deployment's ReplicaSets, the present one or an earlier one."""
    namespace, name = _namespace(deployment), deployment["metadata"]["name"]
    owners = {
        each["metadata"]["name"]
        for each in replica_sets
        if _namespace(each) == namespace and name in _owners(each)
    }
    return _namespace(pod) == namespace and bool(owners & _owners(pod))


def _owners(thing: Mapping[str, Any]) -> set[str]:
    return {owner["name"] for owner in thing["metadata"].get("ownerReferences") or []}


def _namespace(thing: Mapping[str, Any]) -> str:
    return str(thing["metadata"]["namespace"])


def _named(things: Objects, namespace: str, name: str) -> Any:
    return next(
        (each for each in things if (_namespace(each), each["metadata"]["name"]) == (namespace, name)), None
    )


def main(arguments: list[str]) -> int:
    """Run until told to end; an API server that is away for a while is waited for."""
    settings = Settings.read(Path(arguments[0]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    controllers = Controllers(settings, Api(settings.server, settings.ca, settings.token))
    while True:
        try:
            controllers.tick()
        except (RehearsalError, httpx.TransportError) as error:  # such as an object changed in between
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        time.sleep(TICK)  # noqa: TID251 (a controller's own beat)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
