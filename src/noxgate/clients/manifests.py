"""Manifests as `kubectl apply -f FOLDER` reads them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = {".yaml", ".yml", ".json"}

Json = Mapping[str, Any]


class ManifestError(AssertionError):
    """A manifest cannot be read: one line that names the file."""


@dataclass(frozen=True)
class Document:
    """One object of a file; `number` counts the file's documents from 1."""

    file: str
    number: int
    kind: str
    name: str
    namespace: str | None
    content: Json = field(repr=False)

    def __str__(self) -> str:
        return f"{self.file} document {self.number}: {self.kind} {self.name}"


def read_manifests(folder: Path) -> tuple[Document, ...]:
    """Every document of the folder's own files, in kubectl's order; ManifestError for the first bad one.

    Folders below it are left out, as kubectl leaves them out.
    """
    if not folder.is_dir():
        raise ManifestError(f"expected a folder of manifests, saw none: {folder}")
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    return tuple(document for file in files for document in _documents(file))


def _documents(file: Path) -> Iterator[Document]:
    try:
        text = file.read_text(encoding="utf-8")
        is_json = file.suffix == ".json"
        found = [json.loads(text)] if is_json else list(yaml.load_all(text, _Loader))
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{file.name}: cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestError(f"{file.name}: {' '.join(str(error).split())}") from None
    for number, content in enumerate(found, start=1):
        if content is not None:  # between two lines of ---
            yield from _objects(file.name, number, content)


def _objects(file: str, number: int, content: Any) -> Iterator[Document]:
    where = f"{file} document {number}"
    if not isinstance(content, dict) or not isinstance(content.get("kind"), str):
        raise ManifestError(f"{where}: expected an object with a kind, saw {type(content).__name__}")
    if content["kind"] == "List":
        for item in content.get("items") or []:
            yield from _objects(file, number, item)
        return
    metadata = content.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name")
    if not isinstance(name, str) or not isinstance(content.get("apiVersion"), str):
        raise ManifestError(f"{where}: expected apiVersion and metadata.name of {content['kind']}")
    yield Document(file, number, content["kind"], name, metadata.get("namespace"), content)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, as kubectl does: the last one would win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key in keys if key != "<<" and keys.count(key) > 1]
        if twice:
            line = node.start_mark.line + 1
            raise ValueError(f"expected each key once, saw {twice[0]!r} twice (the mapping at line {line})")
        return super().construct_mapping(node, deep)
