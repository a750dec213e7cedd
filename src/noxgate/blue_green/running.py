"""Which image really runs in a Deployment's pods: by digest, since a tag may have moved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from noxgate.blue_green.side import Side
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import application
from noxgate.systems.kubernetes.workload import controller, living, name, selector
from noxgate.systems.registry.answers import Image
from noxgate.systems.registry.names import Reference, named

Json = Mapping[str, Any]


def deployment_of(side: Side) -> Json:
    """The Deployment. Raises AssertionError if it does not exist."""
    return side.kube.need("Deployment", side.deployment, side.namespace)


def running(side: Side) -> Mapping[str, str]:
    """Pod -> the image, by its digest, that runs in the application's container of the Deployment's pods."""
    found = deployment_of(side)
    ours = application(found["spec"]["template"]["spec"], side.container)
    return image_ids(pods_of(side.kube, found), str(ours.get("name")))


def began(side: Side) -> dict[str, datetime]:
    """Pod -> when the application's container began, of the Deployment's pods.

    One that restarted, or says nothing, is left out: it may be as old as any.
    """
    found = deployment_of(side)
    ours = str(application(found["spec"]["template"]["spec"], side.container).get("name"))
    return {
        name(pod): datetime.fromisoformat(running["startedAt"])
        for pod in pods_of(side.kube, found)
        for status in (pod.get("status") or {}).get("containerStatuses") or []
        for running in [(status.get("state") or {}).get("running") or {}]
        if status["name"] == ours and running.get("startedAt") and not status.get("restartCount")
    }


def pods_of(kube: Kube, deployment: Json, labels: str | None = None) -> list[Json]:
    """The living pods of a Deployment, by its selector or wider labels, and those without an owner.

    Not those of another Deployment beside it, nor of a job, though they have the same labels.
    """
    namespace = deployment["metadata"]["namespace"]
    chosen = labels if labels is not None else selector(deployment)
    sets = {name(each): controller(each) for each in kube.list("ReplicaSet", namespace, chosen)}
    ours = {None, ("Deployment", name(deployment))}
    pods = living(kube.list("Pod", namespace, chosen))
    return [pod for pod in pods if _keeper(controller(pod), sets) in ours]


def application_pods(side: Side) -> list[Json]:
    """The living pods of the application and those without an owner; while its Deployment is missing, all."""
    found = side.kube.get("Deployment", side.deployment, side.namespace)
    return labelled_pods(side) if found is None else pods_of(side.kube, found, side.label)


def labelled_pods(side: Side) -> list[Json]:
    """The living pods that have the application's label, whosever they are."""
    return living(side.kube.list("Pod", side.namespace, side.label))


def _keeper(
    of_pod: tuple[str, str] | None, sets: Mapping[str, tuple[str, str] | None]
) -> tuple[str, str] | None:
    """Who keeps a pod: of a ReplicaSet's, who keeps that."""
    if of_pod is not None and of_pod[0] == "ReplicaSet":
        return sets.get(of_pod[1])
    return of_pod


def image_ids(pods: list[Json], container: str) -> Mapping[str, str]:
    """Pod -> imageID of a container; "" for a pod that does not say, or lacks the container."""
    return {
        name(pod): next(
            (
                str(status.get("imageID", ""))
                for status in (pod.get("status") or {}).get("containerStatuses") or []
                if status["name"] == container
            ),
            "",
        )
        for pod in pods
    }


def one_digest(running: Mapping[str, str]) -> list[str]:
    """The digest that every pod runs; empty if they differ, or do not say."""
    found = {image_id.rpartition("@")[2] for image_id in running.values()}
    return sorted(found) if len(found) == 1 and found != {""} else []


def strangers_to(image: Image, running: Mapping[str, str]) -> dict[str, str]:
    """Pods that run other bytes; where an image is one of several platforms', nodes name either digest."""
    ours = {image.digest, image.manifest_digest}
    return {
        pod: image_id.rpartition("@")[2] or "does not say which image it runs"
        for pod, image_id in running.items()
        if image_id.rpartition("@")[2] not in ours
    }


def shipped_deployment(manifests: tuple[Document, ...], side: Side) -> Json:
    """The Deployment as the release ships it. Raises AssertionError if it ships none, or several."""
    deployments = [each for each in manifests if each.kind == "Deployment"]
    found = [each.content for each in deployments if each.name == side.deployment]
    seen = [each.name for each in deployments]
    assert len(found) == 1, f"expected one Deployment {side.deployment} in the manifests, saw {seen}"
    return found[0]


def released(manifests: tuple[Document, ...], version: str, side: Side) -> str:
    """HOST/NAME:vVERSION, of the name that the shipped Deployment gives; AssertionError without one."""
    deployments = [each for each in manifests if each.kind == "Deployment"]
    ours: list[Reference] = [
        named(application(each.content["spec"]["template"]["spec"], side.container)["image"])
        for each in deployments
        if each.name == side.deployment
    ]
    names = {f"{each.host}/{each.repository}" for each in ours}
    seen = sorted(names) or f"none of it among {[each.name for each in deployments]}"
    assert len(names) == 1, f"expected one image in the shipped Deployment {side.deployment}, saw {seen}"
    return f"{names.pop()}:v{version}"
