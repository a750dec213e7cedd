"""Which image really runs in a Deployment's pods: by digest, since a tag may have moved."""

from collections.abc import Mapping
from typing import Any

from noxgate.clients.kube import Kube
from noxgate.clients.manifests import Document
from noxgate.clients.pod_spec import application
from noxgate.clients.registry_answers import Image, Reference, reference
from noxgate.clients.workload import living, name, selector

Json = Mapping[str, Any]


def running(kube: Kube, namespace: str, deployment: str) -> Mapping[str, str]:
    """Pod -> the image, by its digest, that runs in the Deployment's first container."""
    found = kube.need("Deployment", deployment, namespace)
    pods = living(kube.list("Pod", namespace, selector(found)))
    return image_ids(pods, found["spec"]["template"]["spec"]["containers"][0]["name"])


def image_ids(pods: list[Json], container: str) -> Mapping[str, str]:
    """Pod -> imageID of a container; a pod that does not say, or has no such container, has ""."""
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
    """The digest that every pod runs; empty where they differ, or do not say."""
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


def released(manifests: tuple[Document, ...], version: str) -> str:
    """HOST/NAME:vVERSION, of the name that the shipped Deployment gives; AssertionError without one."""
    shipped: list[Reference] = [
        reference(application(each.content["spec"]["template"]["spec"])["image"])
        for each in manifests
        if each.kind == "Deployment"
    ]
    names = {f"{each.host}/{each.repository}" for each in shipped}
    assert len(names) == 1, f"expected one image in the shipped Deployments, saw {sorted(names) or 'none'}"
    return f"{names.pop()}:v{version}"
