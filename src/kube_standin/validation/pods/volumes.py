"""What the server checks of a pod's volumes."""

from collections.abc import Callable, Iterator

from kube_standin.objects import names
from kube_standin.validation.pods import containers, security
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, duplicate, forbidden, invalid, required, show, unsupported

MOST_MODE = 0o777
DOWNWARD = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
HOST_PATHS = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)


def volumes(given: list[Json], path: str) -> Iterator[Cause]:
    """All volumes of a pod."""
    seen: set[str] = set()
    for index, volume in enumerate(given):
        here, name = f"{path}[{index}]", volume.get("name", "")
        sources = [each for each in volume if each != "name"]
        for source in sources[:1]:
            if source in SOURCES:
                yield from SOURCES[source](volume[source], f"{here}.{source}")
        for source in sources[1:]:
            yield forbidden(f"{here}.{source}", "may not specify more than 1 volume type")
        if not name:
            yield required(f"{here}.name")
        else:
            yield from names.dns_label(name, f"{here}.name")
        if name and name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)


def _needs(*fields: str) -> Callable[[Json, str], Iterator[Cause]]:
    def check(source: Json, path: str) -> Iterator[Cause]:
        for name in fields:
            if not source.get(name):
                yield required(f"{path}.{name}")

    return check


def _host_path(source: Json, path: str) -> Iterator[Cause]:
    given = source.get("path", "")
    if not given:
        yield required(f"{path}.path")
    elif ".." in given.split("/"):
        yield invalid(f"{path}.path", show(given), "must not contain '..'")
    if source.get("type", "") not in HOST_PATHS:
        yield unsupported(f"{path}.type", source["type"], HOST_PATHS)


def _mode(source: Json, name: str, path: str) -> Iterator[Cause]:
    mode = source.get(name)
    if mode is not None and not 0 <= mode <= MOST_MODE:
        yield invalid(
            f"{path}.{name}", str(mode), "must be a number between 0 and 0777 (octal), both inclusive"
        )


def _items(source: Json, path: str) -> Iterator[Cause]:
    for index, item in enumerate(source.get("items") or []):
        here = f"{path}.items[{index}]"
        if not item.get("key"):
            yield required(f"{here}.key")
        if not item.get("path"):
            yield required(f"{here}.path")
        else:
            yield from security.descending(item["path"], f"{here}.path")
        yield from _mode(item, "mode", here)


def _secret(source: Json, path: str) -> Iterator[Cause]:
    if not source.get("secretName"):
        yield required(f"{path}.secretName")
    yield from _mode(source, "defaultMode", path)
    yield from _items(source, path)


def _config_map(source: Json, path: str) -> Iterator[Cause]:
    if not source.get("name"):
        yield required(f"{path}.name")
    yield from _mode(source, "defaultMode", path)
    yield from _items(source, path)


def _downward(source: Json, path: str) -> Iterator[Cause]:
    yield from _mode(source, "defaultMode", path)
    for index, item in enumerate(source.get("items") or []):
        here = f"{path}.items[{index}]" if "projected" in path else path
        yield from _file(item, here)


def _file(item: Json, path: str) -> Iterator[Cause]:
    if not item.get("path"):
        yield required(f"{path}.path")
    else:
        yield from security.descending(item["path"], f"{path}.path")
    if "fieldRef" in item:
        yield from containers.field_ref(item["fieldRef"], f"{path}.fieldRef", DOWNWARD)
        if "resourceFieldRef" in item:
            yield invalid(
                path, '"resource"', "fieldRef and resourceFieldRef can not be specified simultaneously"
            )
    elif "resourceFieldRef" in item:
        if not item["resourceFieldRef"].get("containerName"):
            yield required(f"{path}.resourceFieldRef.containerName")
        else:
            yield from containers.resource_ref(item["resourceFieldRef"], f"{path}.resourceFieldRef")
    else:
        yield required(f"{path}.fieldRef", "one of fieldRef and resourceFieldRef is required")


def _projected(source: Json, path: str) -> Iterator[Cause]:
    yield from _mode(source, "defaultMode", path)
    for index, each in enumerate(source.get("sources") or []):
        here = f"{path}.sources[{index}]"
        for name in list(each)[1:]:
            yield forbidden(f"{here}.{name}", "may not specify more than 1 volume type")
        for name in ("secret", "configMap"):
            if name in each and not each[name].get("name"):
                yield required(f"{here}.{name}.name")
        token = each.get("serviceAccountToken")
        if token is not None and not token.get("path"):
            yield required(f"{here}.serviceAccountToken.path")


def _claim(source: Json, path: str) -> Iterator[Cause]:
    if not source.get("claimName"):
        yield required(f"{path}.claimName")


SOURCES: dict[str, Callable[[Json, str], Iterator[Cause]]] = {
    "configMap": _config_map,
    "csi": _needs("driver"),
    "downwardAPI": _downward,
    "hostPath": _host_path,
    "nfs": _needs("server", "path"),
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "secret": _secret,
}
