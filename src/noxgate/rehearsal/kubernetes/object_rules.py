"""What the server checks of secrets, config maps, definitions and events."""

import re
from collections.abc import Iterator

from noxgate.rehearsal.kubernetes.answers import Json
from noxgate.rehearsal.kubernetes.causes import Cause, invalid, required, show


def secret(secret: Json, _: str) -> Iterator[Cause]:
    wanted = {
        "kubernetes.io/tls": ("tls.crt", "tls.key"),
        "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    }
    for name in wanted.get(secret.get("type", ""), ()):
        if name not in secret.get("data", {}):
            yield required(f"data[{name}]")
    yield from keys(secret)


def keys(holder: Json, _: str = "") -> Iterator[Cause]:
    for name in [*holder.get("data", {}), *holder.get("binaryData", {})]:
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", name) or name in {".", ".."}:
            yield invalid(
                f"data[{name}]",
                show(name),
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                "'[-._a-zA-Z0-9]+')",
            )


def definition(definition: Json, _: str) -> Iterator[Cause]:
    spec = definition.get("spec", {})
    expected = f"{spec.get('names', {}).get('plural', '')}.{spec.get('group', '')}"
    if definition["metadata"].get("name") != expected:
        shown = show(definition["metadata"].get("name", ""))
        yield invalid("metadata.name", shown, 'must be spec.names.plural+"."+spec.group')
    storage = [version for version in spec.get("versions", []) if version.get("storage")]
    if spec.get("versions") and len(storage) != 1:
        yield invalid(
            "spec.versions",
            show(spec["versions"]),
            "must have exactly one version marked as storage version",
        )
    for index, version in enumerate(spec.get("versions", [])):
        if not version.get("schema", {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")


def event(event: Json, _: str) -> Iterator[Cause]:
    namespace = event.get("involvedObject", {}).get("namespace", "")
    if namespace and namespace != event["metadata"].get("namespace"):
        yield invalid("involvedObject.namespace", show(namespace), "does not match event.namespace")
