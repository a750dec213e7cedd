"""Emissary's Mappings that stand in an annotation of a Service, as all of Ambassador's did once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noxgate.blue_green.edge_kinds.kinds import KINDS, EdgeKind
from noxgate.systems.kubernetes.workload import name

Json = Mapping[str, Any]
EMISSARY = "getambassador.io"
_NOTE = f"{EMISSARY}/config"
_KINDS = {each.kind: each for each in KINDS if each.group == EMISSARY}


def annotated(services: Sequence[Json]) -> Iterator[tuple[EdgeKind, Json]]:
    """What annotations define, as if each were an object of its own; what cannot be read defines nothing."""
    for service in services:
        note = (service["metadata"].get("annotations") or {}).get(_NOTE)
        for written in _documents(str(note or "")):
            kind = _KINDS.get(str(written.get("kind")))
            if kind is not None:
                inside = written.get("namespace") or service["metadata"].get("namespace")
                metadata = {"name": str(written.get("name") or name(service)), "namespace": inside}
                yield kind, {"metadata": metadata, "spec": written}


def _documents(text: str) -> list[Json]:
    """Of YAML, in which several may follow each other."""
    if not text.strip():
        return []
    import yaml  # noqa: PLC0415 (few Services have the annotation)

    try:
        return [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
