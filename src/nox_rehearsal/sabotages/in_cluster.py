"""Ways to break the rehearsal's cluster, and the manifests that it was made from."""

import base64
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from nox_rehearsal.cluster import controlling
from nox_rehearsal.cluster.objects import STAGING, Api, administrator, path_of
from nox_rehearsal.cluster.processes import CONTAINER
from nox_rehearsal.cluster.release import documents_of
from nox_rehearsal.parts import repository
from nox_rehearsal.sabotages.sabotage import Switch
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually

Json = dict[str, Any]
EDITOR = "kubectl-edit"  # the field manager of people
_SERVERS = ("resourceVersion", "managedFields")


@contextmanager
def frozen(world: World) -> Iterator[None]:
    """The controllers stand still, so that what is broken stays as it is, without consequences."""
    pid = World.load(world.folder).pids[controlling.NAME]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        with administrator(world) as api:
            eventually(lambda: _settled(api), within=30, every=0.05)


def edited(kind: str, name: str, patch: Any, *, namespace: str = STAGING, status: bool = False) -> Switch:
    """An object is edited by hand: a merge patch, or a JSON patch where it is a list."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with administrator(world) as api, frozen(world), _kept(api, kind, name, namespace):
            _patch(api, path_of(kind, name, namespace) + ("/status" if status else ""), patch)
            yield

    return on


def gone(kind: str, name: str, *, namespace: str = STAGING) -> Switch:
    """An object is deleted."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = path_of(kind, name, namespace)
        with administrator(world) as api, frozen(world):
            kept = api.send("GET", path)
            api.send("DELETE", path)
            try:
                yield
            finally:
                del kept["metadata"]["resourceVersion"], kept["metadata"]["uid"]
                api.send("POST", path.rpartition("/")[0], json=kept)

    return on


def besides(content: Json) -> Switch:
    """An object more than there should be."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        metadata = content["metadata"]
        with administrator(world) as api, frozen(world):
            api.apply(content)
            try:
                yield
            finally:
                api.send("DELETE", path_of(content["kind"], metadata["name"], metadata["namespace"]))

    return on


@contextmanager
def served(world: World, group: str, kind: str, plural: str, version: str = "v1") -> Iterator[None]:
    """The cluster serves one more kind, as once somebody has installed its controller."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    called = f"{plural}.{group}"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": called},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }
    with administrator(world) as api:
        api.apply(definition)
        try:
            yield
        finally:
            api.send("DELETE", path_of("CustomResourceDefinition", called, ""))


def secret(name: str, key: str, value: str | None, *, namespace: str = STAGING) -> Switch:
    """A Secret's key has another value, or is not there."""
    encoded = None if value is None else base64.b64encode(value.encode()).decode()
    return edited("Secret", name, {"data": {key: encoded}}, namespace=namespace)


def shipped(file: str, old: str, new: str, *, applied: bool = False) -> Switch:
    """A file of the release repository says something else; `applied`: and so does the cluster."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.source / file
        before = path.read_text(encoding="utf-8")
        assert old in before, f"{file} does not say {old!r}"
        with ExitStack() as stack:
            stack.enter_context(_released(world, file, before.replace(old, new, 1)))
            if applied:
                api = stack.enter_context(administrator(world))
                stack.enter_context(frozen(world))
                for content in documents_of(path):
                    metadata = content["metadata"]
                    stack.enter_context(_kept(api, content["kind"], metadata["name"], metadata["namespace"]))
                    api.apply(content)
            yield

    return on


def added(file: str, text: str | Callable[[World], str]) -> Switch:
    """The release repository has a file more, or one written anew."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with _released(world, file, text if isinstance(text, str) else text(world)):
            yield

    return on


@contextmanager
def _released(world: World, file: str, text: str) -> Iterator[None]:
    """The release itself has this file: committed, and pushed."""
    before = repository.head(world.source)
    (world.source / file).write_text(text, encoding="utf-8")
    repository.commit(world.source, file)
    try:
        yield
    finally:
        repository.back_to(world.source, before)


@contextmanager
def dead(world: World) -> Iterator[None]:
    """A pod's process has ended, and its status says so; in the end a new pod, without a past, is ready."""
    name = max(world.pods)
    worlds.stop(world, name)
    with administrator(world) as api:
        _wait_for(api, name, ready=False)
        try:
            yield
        finally:
            worlds.start(world, name)
            api.send("DELETE", path_of("Pod", name, STAGING), params={"gracePeriodSeconds": "0"})
            _wait_for(api, name, ready=True)


@contextmanager
def restarted(world: World) -> Iterator[None]:
    """A pod's process died and came back."""
    with dead(world):
        name = max(world.pods)
        worlds.start(world, name)
        with administrator(world) as api:
            _wait_for(api, name, ready=True, restarts=1)
        yield


def _settled(api: Api) -> None:
    """The controllers have seen the Deployment as it is now."""
    deployment = api.get("Deployment", "nox-api-deployment-green", STAGING)
    status, generation = deployment["status"], deployment["metadata"]["generation"]
    assert status.get("observedGeneration") == generation, f"{status} for generation {generation}"
    assert status.get("readyReplicas") == status.get("updatedReplicas") == deployment["spec"]["replicas"], (
        status
    )


def _wait_for(api: Api, name: str, *, ready: bool, restarts: int = 0) -> None:
    def as_wished() -> None:
        found = [pod for pod in api.list("Pod", STAGING) if pod["metadata"]["name"] == name]
        statuses = [each for pod in found for each in pod.get("status", {}).get("containerStatuses", [])]
        seen = [(each["ready"], each["restartCount"]) for each in statuses if each["name"] == CONTAINER]
        assert seen == [(ready, restarts)], seen
        status = api.get("Deployment", "nox-api-deployment-green", STAGING)["status"]
        assert (status.get("readyReplicas") == status["replicas"]) is ready, status

    eventually(as_wished, within=30, every=0.05)


@contextmanager
def _kept(api: Api, kind: str, name: str, namespace: str) -> Iterator[Mapping[str, Any]]:
    """The object is as before at the end, its status too."""
    path = path_of(kind, name, namespace)
    before = api.send("GET", path)
    for field in _SERVERS:
        before["metadata"].pop(field, None)
    try:
        yield before
    finally:
        for part in ("", "/status") if "status" in before else ("",):
            before["metadata"]["resourceVersion"] = api.send("GET", path)["metadata"]["resourceVersion"]
            api.send("PUT", path + part, json=before)


def _patch(api: Api, path: str, patch: Any) -> None:
    kind = "json-patch" if isinstance(patch, list) else "merge-patch"
    headers = {"content-type": f"application/{kind}+json"}
    api.send("PATCH", path, params={"fieldManager": EDITOR}, content=json.dumps(patch), headers=headers)
