"""Which image really runs in a Deployment's pods: by digest, since a tag may have moved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from noxgate.blue_green.side import Side
from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import application
from noxgate.systems.kubernetes.workload import (
    condition,
    controller,
    desired_pods,
    held_back,
    living,
    name,
    phases,
    scaled,
    selector,
)
from noxgate.systems.registry.answers import Image
from noxgate.systems.registry.names import ImageName, named

Json = Mapping[str, Any]


def deployment_of(side: Side) -> Json:
    """The Deployment. Raises AssertionError if it does not exist.

    Raises UnreachableError if Argo's Rollout keeps its pods in its place.
    """
    found = side.kube.get("Deployment", side.deployment, side.namespace)
    if found is None or not desired_pods(found):
        kept = [
            name(each)
            for each in side.kube.list_where_served("Rollout", "argoproj.io", "rollouts", side.namespace)
            if _is_in_place(each["spec"], side) or name(each) == side.deployment
        ]
        if kept:
            raise UnreachableError(
                f"Rollout {kept[0]} of Argo keeps the pods of {side.deployment} in {side.namespace}: "
                "the gate can read Deployments alone"
            )
    assert found is not None, f"Deployment {side.deployment} is not there in {side.namespace}"
    return found


def _is_in_place(rollout: Json, side: Side) -> bool:
    """Whether a Rollout's spec refers to the Deployment, or selects pods of the application's label."""
    labels = (rollout.get("selector") or {}).get("matchLabels") or {}
    return (rollout.get("workloadRef") or {}).get("name") == side.deployment or side.label in {
        f"{key}={value}" for key, value in labels.items()
    }


def autoscaler_of(kube: Kube, deployment: str, namespace: str, usual: str) -> Json:
    """The HPA of its usual name, or the one that KEDA made for the Deployment.

    Raises AssertionError if there is neither.
    """
    kind = "HorizontalPodAutoscaler"
    found = kube.get(kind, usual, namespace)
    if found is not None:
        return found
    made = [
        hpa
        for hpa in kube.list(kind, namespace)
        if scaled(hpa) == ("Deployment", deployment) and (controller(hpa) or ("",))[0] == "ScaledObject"
    ]
    paused = [] if made else [why for each in by_keda(kube, deployment, namespace) for why in held_back(each)]
    said = f": {'; '.join(paused)}" if paused else ""
    assert len(made) == 1, f"{kind} {usual} is not there in {namespace}, nor one that KEDA made{said}"
    return made[0]


def by_keda(kube: Kube, deployment: str, namespace: str) -> list[Json]:
    """The ScaledObjects by which KEDA scales a Deployment."""
    found = kube.list_where_served("ScaledObject", "keda.sh", "scaledobjects", namespace)
    return [each for each in found if scaled(each) == ("Deployment", deployment)]


def running_images(side: Side) -> Mapping[str, str]:
    """Pod -> the image, by its digest, that runs in the application's container of the Deployment's pods."""
    found = deployment_of(side)
    ours = application(found["spec"]["template"]["spec"], side.container)
    return image_ids(pods_of(side.kube, found), str(ours.get("name")))


def starts_of(side: Side) -> dict[str, datetime]:
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


def astray(kube: Kube, namespace: str) -> dict[str, str]:
    """Pod -> its phase, of those that neither run nor have done what they were for.

    A pod that failed has done no harm where its Job is complete: a later one did the work.
    """
    pods = kube.list("Pod", namespace)
    assert living(pods) != [], f"no pod in {namespace} is alive"
    keepers = {name(pod): controller(pod) for pod in pods}
    found = {pod: phase for pod, phase in phases(pods).items() if phase not in {"Running", "Succeeded"}}
    failed = (keepers[pod] for pod, phase in found.items() if phase == "Failed")
    jobs = {keeper for keeper in failed if keeper is not None and keeper[0] == "Job"}
    done = {job for job in jobs if condition(kube.get("Job", job[1], namespace) or {}, "Complete") == "True"}
    return {pod: phase for pod, phase in found.items() if phase != "Failed" or keepers[pod] not in done}


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
    """Pods that run other bytes; where an image is one of several platforms', nodes name either digest.

    A node that loaded the image, and did not pull it, names it by its configuration, which names its layers.
    """
    ours = {image.digest, image.manifest_digest, image.config_digest}
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


def release_image(manifests: tuple[Document, ...], version: str, side: Side) -> str:
    """HOST/NAME:vVERSION, of the name that the shipped Deployment gives; AssertionError without one."""
    deployments = [each for each in manifests if each.kind == "Deployment"]
    ours: list[ImageName] = [
        named(application(each.content["spec"]["template"]["spec"], side.container)["image"])
        for each in deployments
        if each.name == side.deployment
    ]
    names = {f"{each.host}/{each.repository}" for each in ours}
    seen = sorted(names) or f"none of it among {[each.name for each in deployments]}"
    assert len(names) == 1, f"expected one image in the shipped Deployment {side.deployment}, saw {seen}"
    return f"{names.pop()}:v{version}"
