"""What the server checks of an object's metadata."""

from collections.abc import Iterator

from kube_standin.objects import names
from kube_standin.objects.kinds import Kind
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, forbidden, invalid, required, show, too_long

ANNOTATIONS_LIMIT = 256 * 1024
FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
FINALIZER_RULE = "name is neither a standard finalizer name nor is it fully qualified"


def object_meta(kind: Kind, obj: Json) -> Iterator[Cause]:
    """What is wrong with an object's name, labels and annotations."""
    meta = obj["metadata"]
    name = meta.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from names.object_name(kind, name)
    yield from names.labels(meta.get("labels", {}), "metadata.labels")
    yield from annotations(meta.get("annotations", {}), "metadata.annotations")
    yield from owners(meta.get("ownerReferences", []), "metadata.ownerReferences")
    yield from finalizers(meta.get("finalizers", []))


def annotations(given: dict[str, str], path: str) -> Iterator[Cause]:
    for name in given:
        yield from names.qualified(name.lower(), path, name)
    if sum(len(name.encode()) + len(value.encode()) for name, value in given.items()) > ANNOTATIONS_LIMIT:
        yield too_long(path, ANNOTATIONS_LIMIT)


def owners(given: list[Json], path: str) -> Iterator[Cause]:
    controller = ""
    for each in given:
        if not each.get("apiVersion"):
            yield invalid(f"{path}.apiVersion", '""', "version must not be empty")
        for name in ("kind", "name", "uid"):
            if not each.get(name):
                yield invalid(f"{path}.{name}", '""', "must not be empty")
        this = f"{each.get('kind', '')}/{each.get('name', '')}"
        if each.get("controller") and controller:
            why = (
                'Only one reference can have Controller set to true. Found "true" in references for '
                f"{controller} and {this}"
            )
            yield invalid(path, show(given), why)
        elif each.get("controller"):
            controller = this


def changed_meta(obj: Json, old: Json) -> Iterator[Cause]:
    """What is wrong with the metadata of an update; what they say by themselves is checked once more."""
    meta, before = obj["metadata"], old["metadata"]
    new = sorted(set(meta.get("finalizers", [])) - set(before.get("finalizers", [])))
    if before.get("deletionTimestamp") and new:
        listed = ", ".join(show(name) for name in new)
        why = (
            "no new finalizers can be added if the object is being deleted, "
            f"found new finalizers []string{{{listed}}}"
        )
        yield forbidden("metadata.finalizers", why)
    yield from names.labels(meta.get("labels", {}), "metadata.labels")
    yield from annotations(meta.get("annotations", {}), "metadata.annotations")
    yield from owners(meta.get("ownerReferences", []), "metadata.ownerReferences")
    yield from _standard(meta.get("finalizers", []))


def finalizers(given: list[str]) -> Iterator[Cause]:
    for name in given:
        yield from names.qualified(name, "metadata.finalizers")
    if {"orphan", "foregroundDeletion"} <= set(given):
        why = "finalizer orphan and foregroundDeletion cannot be both set"
        yield invalid("metadata.finalizers", show(given), why)
    yield from _standard(given)


def _standard(given: list[str]) -> Iterator[Cause]:
    for index, name in enumerate(given):
        if "/" not in name and name not in FINALIZERS:
            yield invalid(f"metadata.finalizers[{index}]", show(name), FINALIZER_RULE)
