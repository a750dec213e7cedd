"""What a pod spec asks of its namespace: environment variables, and keys of Secrets and ConfigMaps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from noxgate.project.service.names import Container

Json = Mapping[str, Any]

# Volumes that are mounted with a Secret: without it the pod does not start.
_SIGNING_IN = (
    ("csi", "nodePublishSecretRef"),
    ("azureFile", "secretName"),
    *((driver, "secretRef") for driver in ("cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos")),
)


@dataclass(frozen=True, order=True)
class Reference:
    """A key that a pod takes: `kind` is Secret or ConfigMap; no key: all of them, or the object itself.

    `optional`: the pod starts without it, too.
    """

    kind: str
    name: str
    key: str | None
    variable: str | None = None  # the environment variable that it becomes
    optional: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" key {self.key}" if self.key is not None else "")


def containers(pod_spec: Json) -> list[Json]:
    """Every container, those that only run at the start too."""
    return [*(pod_spec.get("initContainers") or []), *(pod_spec.get("containers") or [])]


def references(pod_spec: Json, *, optional: bool = False) -> list[Reference]:
    """Every Secret and ConfigMap that a pod needs to run; those marked optional only where asked for.

    The credentials that pull its image are left out: that it runs proves them.
    """
    found = [
        *(reference for container in containers(pod_spec) for reference in _of_container(container)),
        *(reference for volume in pod_spec.get("volumes") or [] for reference in _of_volume(volume)),
    ]
    wanted = {each for each in found if each.optional == optional}
    return sorted(wanted, key=lambda each: (each.kind, each.name, each.key or "", each.variable or ""))


def application(pod_spec: Json, wanted: Container) -> Json:
    """The container of the application, by its name, never by its place among others.

    If the profile does not name it, it is that of the runbook's service, or the only one.
    Raises AssertionError if that cannot be determined.
    """
    found: list[Json] = pod_spec.get("containers") or []
    if not found:
        return {}
    ours = [container for container in found if container.get("name") == wanted.name]
    if ours:
        return ours[0]
    if not wanted.is_named and len(found) == 1:
        return found[0]
    names = ", ".join(str(container.get("name")) for container in found)
    raise AssertionError(
        f'expected a container {wanted.name}, saw {names}: say container = "NAME" in the profile'
    )


def variables(pod_spec: Json, wanted: Container) -> dict[str, str | Reference]:
    """The application's variables by name: what stands there, or where the value is taken from.

    Variables that come with a whole Secret or ConfigMap (envFrom) are not among them.
    """
    found: dict[str, str | Reference] = {}
    for entry in application(pod_spec, wanted).get("env") or []:
        source = _source(entry)
        found[entry["name"]] = source if source is not None else entry.get("value", "")
    return found


def wholes(pod_spec: Json, wanted: Container) -> list[tuple[str, Reference]]:
    """What comes to the application with envFrom: a prefix of the variables' names, and the Secret."""
    return [
        (entry.get("prefix", ""), reference)
        for entry in application(pod_spec, wanted).get("envFrom") or []
        for reference in _whole(entry)
    ]


def _of_container(container: Json) -> Iterator[Reference]:
    for entry in container.get("env") or []:
        source = _source(entry)
        if source is not None and source.kind in {"Secret", "ConfigMap"}:
            yield source
    for entry in container.get("envFrom") or []:
        yield from _whole(entry)


def _source(entry: Json) -> Reference | None:
    source = entry.get("valueFrom") or {}
    for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        if key in source:
            at = source[key]
            return Reference(kind, at.get("name", ""), at["key"], entry["name"], bool(at.get("optional")))
    return None


def _whole(entry: Json) -> Iterator[Reference]:
    for key, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
        if key in entry:
            at = entry[key]
            yield Reference(kind, at.get("name", ""), None, optional=bool(at.get("optional")))


def _of_volume(volume: Json) -> Iterator[Reference]:
    parts = [volume, *((volume.get("projected") or {}).get("sources") or [])]
    for part in parts:
        for of, kind, name in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            source = part.get(of)
            if not source:
                continue
            named, optional = source.get(name) or source.get("name", ""), bool(source.get("optional"))
            keys = [item["key"] for item in source.get("items") or []]
            yield from (Reference(kind, named, key, optional=optional) for key in keys or [None])
    for driver, of in _SIGNING_IN:
        signing_in = (volume.get(driver) or {}).get(of)
        called = signing_in.get("name") if isinstance(signing_in, Mapping) else signing_in
        if called:
            yield Reference("Secret", str(called), None)
