"""What the server checks of pods and of what runs them."""

from collections.abc import Iterator

from noxgate.rehearsal.kubernetes import names, quantities, selectors
from noxgate.rehearsal.kubernetes.answers import Json
from noxgate.rehearsal.kubernetes.causes import (
    Cause,
    invalid,
    required,
    show,
    unique,
    unsupported,
)


def container(container: Json, path: str) -> Iterator[Cause]:
    if container.get("name"):
        yield from names.dns_label(container["name"], f"{path}.name")
    if not container.get("image"):
        yield required(f"{path}.image")
    for name, limit in container.get("resources", {}).get("limits", {}).items():
        asked = container["resources"].get("requests", {}).get(name)
        if asked is not None and quantities.value(asked) > quantities.value(limit):
            yield invalid(
                f"{path}.resources.requests",
                show(asked),
                f"must be less than or equal to {name} limit of {limit}",
            )
    yield from unique(container.get("ports", []), "name", f"{path}.ports")


def env(variable: Json, path: str) -> Iterator[Cause]:
    name = variable.get("name", "")
    if name and ("=" in name or not name.isprintable()):
        yield invalid(f"{path}.name", show(name), "a valid environment variable name must not contain '='")
    source = variable.get("valueFrom")
    if source is None:
        return
    if variable.get("value"):
        yield invalid(f"{path}.valueFrom", '""', "may not be specified when `value` is not empty")
    if len(source) != 1:
        yield invalid(
            f"{path}.valueFrom",
            '""',
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            if not source
            else "may not have more than one field specified at a time",
        )


def pod_spec(spec: Json, path: str) -> Iterator[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    yield from unique([*containers, *spec.get("initContainers", [])], "name", f"{path}.containers")
    yield from unique(spec.get("volumes", []), "name", f"{path}.volumes")
    volumes = {volume.get("name") for volume in spec.get("volumes", [])}
    for index, container in enumerate(containers):
        for at, mount in enumerate(container.get("volumeMounts", [])):
            if mount.get("name") and mount["name"] not in volumes:
                where = f"{path}.containers[{index}].volumeMounts[{at}].name"
                yield Cause("FieldValueNotFound", f"Not found: {show(mount['name'])}", where)


def workload(workload: Json, _: str) -> Iterator[Cause]:
    """A deployment's or replica set's selector must select the pods of its own template."""
    kind, spec = workload["kind"], workload.get("spec", {})
    selector, metadata = spec.get("selector"), spec.get("template", {}).get("metadata", {})
    if selector is None:
        return
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", show(selector), f"empty selector is invalid for {kind.lower()}")
        return
    yield from names.labels(selector.get("matchLabels", {}), "spec.selector.matchLabels")
    yield from names.labels(metadata.get("labels", {}), "spec.template.labels")
    found = metadata.get("labels") or {}
    if not selectors.by_selector(selector)(found):
        yield invalid(
            "spec.template.metadata.labels", show(found), "`selector` does not match template `labels`"
        )
    policy = spec.get("template", {}).get("spec", {}).get("restartPolicy")
    if policy in {"OnFailure", "Never"}:
        yield unsupported("spec.template.spec.restartPolicy", policy, ("Always",))


def job(job: Json, _: str) -> Iterator[Cause]:
    policy = job.get("spec", {}).get("template", {}).get("spec", {}).get("restartPolicy")
    if policy == "Always":
        yield Cause(
            "FieldValueRequired",
            'Required value: valid values: "OnFailure", "Never"',
            "spec.template.spec.restartPolicy",
        )


def autoscaler(spec: Json, path: str) -> Iterator[Cause]:
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid(f"{path}.minReplicas", str(least), "must be greater than or equal to 1")
    if most < 1:
        yield invalid(f"{path}.maxReplicas", str(most), "must be greater than 0")
    elif most < least:
        yield invalid(f"{path}.maxReplicas", str(most), "must be greater than or equal to `minReplicas`")


def budget(spec: Json, path: str) -> Iterator[Cause]:
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield invalid(path, show(spec), "minAvailable and maxUnavailable cannot be both set")
