"""What the server checks of containers, in the order in which it does."""

from collections.abc import Iterator, Mapping
from typing import Any

from kube_standin.objects import names, quantities
from kube_standin.validation.pods.probes import lifecycle, probes
from kube_standin.validation.pods.security import descending, security
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import (
    LAST_PORT,
    PORT_RANGE,
    Cause,
    check_port,
    duplicate,
    forbidden,
    invalid,
    not_found,
    required,
    show,
    unsupported,
)

PROTOCOLS = ("SCTP", "TCP", "UDP")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
CONVERTIBLE = frozenset({*FIELDS, "metadata.annotations", "metadata.labels", "spec.restartPolicy"})
RESOURCES = tuple(
    f"{part}.{name}" for part in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)
ORDINARY_INIT = "may not be set for init containers without restartPolicy=Always"


def containers(spec: Json, path: str) -> Iterator[Cause]:
    """The containers and the init containers of a pod."""
    ordinary, place = spec.get("containers") or [], f"{path}.containers"
    if not ordinary:
        yield required(place)
    names_seen: set[str] = set()
    for index, container in enumerate(ordinary):
        here = f"{place}[{index}]"
        yield from _common(container, here, spec)
        yield from _named_once(container, here, names_seen)
        yield from lifecycle(container.get("lifecycle"), spec, f"{here}.lifecycle")
        yield from probes(container, spec, here)
        if "restartPolicy" in container:
            yield forbidden(f"{here}.restartPolicy", "may not be set for non-init containers")
    yield from _host_ports(ordinary, place)
    place = f"{path}.initContainers"
    for index, container in enumerate(spec.get("initContainers") or []):
        here = f"{place}[{index}]"
        yield from _common(container, here, spec)
        yield from _init(container, here, spec, names_seen)


def _init(container: Json, path: str, spec: Json, names_seen: set[str]) -> Iterator[Cause]:
    policy = container.get("restartPolicy")
    if policy is not None and policy != "Always":
        yield unsupported(f"{path}.restartPolicy", policy, ("Always",))
    yield from _named_once(container, path, names_seen)
    yield from _host_ports([container], path.rpartition("[")[0])
    if policy == "Always":
        yield from lifecycle(container.get("lifecycle"), spec, f"{path}.lifecycle")
        yield from probes(container, spec, path)
        return
    for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            yield forbidden(f"{path}.{name}", ORDINARY_INIT)


def _named_once(container: Json, path: str, seen: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if name in seen:
        yield duplicate(f"{path}.name", name)
    elif name:
        seen.add(name)


def _common(container: Json, path: str, spec: Json) -> Iterator[Cause]:
    if not container.get("name"):
        yield required(f"{path}.name")
    else:
        yield from names.dns_label(container["name"], f"{path}.name")
    if not container.get("image"):
        yield required(f"{path}.image")
    policy = container.get("terminationMessagePolicy")
    if policy and policy not in MESSAGE_POLICIES:
        yield unsupported(f"{path}.terminationMessagePolicy", policy, MESSAGE_POLICIES)
    yield from _ports(container.get("ports") or [], f"{path}.ports")
    for index, variable in enumerate(container.get("env") or []):
        yield from _variable(variable, f"{path}.env[{index}]")
    yield from _env_from(container.get("envFrom") or [], f"{path}.envFrom")
    volumes = {volume.get("name"): volume for volume in spec.get("volumes") or []}
    yield from _mounts(container, volumes, f"{path}.volumeMounts")
    policy = container.get("imagePullPolicy")
    if policy and policy not in PULL_POLICIES:
        yield unsupported(f"{path}.imagePullPolicy", policy, PULL_POLICIES)
    yield from resources(container.get("resources") or {}, f"{path}.resources")
    yield from security(container.get("securityContext") or {}, f"{path}.securityContext")


def _ports(ports: list[Json], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        here, name = f"{path}[{index}]", port.get("name", "")
        wrong = list(names.port_name(name, f"{here}.name")) if name else []
        yield from wrong
        if name in seen:
            yield duplicate(f"{here}.name", name)
        elif name and not wrong:
            seen.add(name)
        yield from check_port(port.get("containerPort") or 0, f"{here}.containerPort", needed=True)
        host_port = port.get("hostPort") or 0
        if host_port and not 0 < host_port <= LAST_PORT:
            yield invalid(f"{here}.hostPort", str(host_port), PORT_RANGE)
        protocol = port.get("protocol")
        if protocol and protocol not in PROTOCOLS:
            yield unsupported(f"{here}.protocol", protocol, PROTOCOLS)


def _host_ports(found: list[Json], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, container in enumerate(found):
        for at, port in enumerate(container.get("ports") or []):
            if not port.get("hostPort"):
                continue
            text = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if text in seen:
                yield duplicate(f"{path}[{index}].ports[{at}].hostPort", text)
            seen.add(text)


def _variable(variable: Json, path: str) -> Iterator[Cause]:
    name = variable.get("name", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from names.variable(name, f"{path}.name")
    source, path = variable.get("valueFrom"), f"{path}.valueFrom"
    if source is None:
        return
    yield from _source(source, path)
    if not source:
        yield invalid(
            path,
            '""',
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        )
    elif variable.get("value"):
        yield invalid(path, '""', "may not be specified when `value` is not empty")
    elif len(source) > 1:
        yield invalid(path, '""', "may not have more than one field specified at a time")


def _source(source: Json, path: str) -> Iterator[Cause]:
    if "fieldRef" in source:
        yield from field_ref(source["fieldRef"], f"{path}.fieldRef")
    if "resourceFieldRef" in source:
        yield from resource_ref(source["resourceFieldRef"], f"{path}.resourceFieldRef")
    for name in ("configMapKeyRef", "secretKeyRef"):
        if name in source:
            yield from _key_ref(source[name], f"{path}.{name}")


def field_ref(reference: Json, path: str, choices: tuple[str, ...] = FIELDS) -> Iterator[Cause]:
    field = reference.get("fieldPath", "")
    place = f"{path}.fieldPath"
    if not field:
        yield required(place)
        return
    plain, bracket, rest = field.partition("['")
    subscripted = bool(bracket) and rest.endswith("']")
    if (plain if subscripted else field) not in CONVERTIBLE:
        why = f"error converting fieldPath: field label not supported: {field}"
        yield invalid(place, show(field), why)
    elif subscripted:
        if plain in {"metadata.annotations", "metadata.labels"}:
            key = rest[:-2]
            yield from names.qualified(key.lower() if plain.endswith("annotations") else key, path)
        else:
            yield invalid(path, show(plain), "does not support subscript")
    elif field not in choices:
        yield unsupported(place, field, choices)


def resource_ref(reference: Json, path: str) -> Iterator[Cause]:
    resource = reference.get("resource", "")
    if not resource:
        yield required(f"{path}.resource")
    elif resource not in RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield unsupported(f"{path}.resource", resource, RESOURCES)


def _key_ref(reference: Json, path: str) -> Iterator[Cause]:
    yield from names.dns_subdomain(reference.get("name", ""), f"{path}.name")
    if not reference.get("key"):
        yield required(f"{path}.key")
    else:
        yield from names.key(reference["key"], f"{path}.key")


def _env_from(sources: list[Json], path: str) -> Iterator[Cause]:
    for index, source in enumerate(sources):
        here = f"{path}[{index}]"
        if source.get("prefix"):
            yield from names.variable(source["prefix"], f"{here}.prefix")
        given = [name for name in ("configMapRef", "secretRef") if name in source]
        for name in given:
            reference = source[name].get("name", "")
            if not reference:
                yield required(f"{here}.{name}.name")
            else:
                yield from names.dns_subdomain(reference, f"{here}.{name}.name")
        if not given:
            yield invalid(path, '""', "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield invalid(path, '""', "may not have more than one field specified at a time")


def _mounts(container: Json, volumes: Mapping[Any, Json], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    devices = {device.get("name") for device in container.get("volumeDevices") or []}
    for index, mount in enumerate(container.get("volumeMounts") or []):
        here, name, place = f"{path}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{here}.name")
        if name not in volumes:
            yield not_found(f"{here}.name", name)
        if not place:
            yield required(f"{here}.mountPath")
        if place in seen:
            yield invalid(f"{here}.mountPath", show(place), "must be unique")
        seen.add(place)
        if name in devices:
            yield invalid(f"{here}.name", show(name), "must not already exist in volumeDevices")
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                yield from descending(mount[field], f"{path}.{field}")
        if mount.get("subPath") and mount.get("subPathExpr"):
            why = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{here}.subPathExpr", show(mount["subPathExpr"]), why)


def resources(given: Json, path: str) -> Iterator[Cause]:
    limits, asked = given.get("limits") or {}, given.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", asked)):
        for name, amount in amounts.items():
            place = f"{path}.{part}[{name}]"
            yield from resource_name(name, place)
            if quantities.value(amount) < 0:
                yield invalid(place, show(amount), "must be greater than or equal to 0")
            limit = limits.get(name) if part == "requests" else None
            if (
                limit is not None
                and _overcommits(name)
                and quantities.value(amount) > quantities.value(limit)
            ):
                why = f"must be less than or equal to {name} limit of {limit}"
                yield invalid(f"{path}.requests", show(amount), why)
            elif (
                limit is not None
                and quantities.value(amount) != quantities.value(limit)
                and not _overcommits(name)
            ):
                yield invalid(f"{path}.requests", show(amount), f"must be equal to {name} limit of {limit}")
            elif part == "requests" and limit is None and not _overcommits(name):
                yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")


def resource_name(name: str, path: str) -> Iterator[Cause]:
    """The name of a resource that a container may ask for."""
    if "/" in name:
        yield from names.qualified(name, path)
    elif name not in {"cpu", "memory", "ephemeral-storage"} and not name.startswith("hugepages-"):
        yield from names.qualified(name, path)
        yield invalid(path, show(name), "must be a standard resource type or fully qualified")
        yield invalid(path, show(name), "must be a standard resource for containers")


def _overcommits(name: str) -> bool:
    """Whether more may be promised than there is: of what Kubernetes itself knows, but huge pages."""
    known = "/" not in name or "kubernetes.io/" in name
    return known and not name.startswith("hugepages-")
