"""Manifests as `kubectl apply -f FOLDER` reads them."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from noxgate.clients.observation import Observation, Observe
from noxgate.target import Target, UnreachableError

SUFFIXES = {".yaml", ".yml", ".json"}

Json = Mapping[str, Any]


class ManifestError(AssertionError):
    """A manifest cannot be read: one line that names the file, and the line in it."""


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
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.is_dir())
    return tuple(document for file in files for document in _documents(file))


def read_file(file: Path) -> tuple[Document, ...]:
    """Every document of one file; ManifestError for the first bad one."""
    return tuple(_documents(file))


def _documents(file: Path) -> Iterator[Document]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ManifestError(f"{file.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ManifestError(f"{file.name}: cannot be read: expected UTF-8 text") from None
    try:
        found = _json(text) if file.suffix == ".json" else _yaml(text)
        for number, (line, content) in enumerate(found, start=1):
            where = f"{file.name} document {number} (line {line})"
            if content is not None:  # between two lines of ---
                yield from (Document(file.name, number, *each) for each in _objects(where, content))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f" line {mark.line + 1}" if mark is not None else ""
        raise ManifestError(f"{file.name}{at}: {' '.join(str(error.problem).split())}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(f"{file.name}: {' '.join(str(error).split())}") from None


def _yaml(text: str) -> Iterator[tuple[int, Any]]:
    """Each document, and the line where it begins."""
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                yield node.start_mark.line + 1, loader.construct_document(node)
    finally:
        loader.dispose()


def _json(text: str) -> Iterator[tuple[int, Any]]:
    yield 1, json.loads(text, object_pairs_hook=_once)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"expected each key once, saw {key!r} twice")
    return dict(pairs)


def _objects(where: str, content: Any) -> Iterator[tuple[str, str, str | None, Json]]:
    """Kind, name, namespace and content of an object, or of each that a List holds."""
    kind = content.get("kind") if isinstance(content, dict) else None
    if not isinstance(kind, str) or not kind:
        raise ManifestError(f"{where}: expected an object with a kind, saw {_seen(content)}")
    if kind.endswith("List") and "items" in content:
        items = content["items"] or []
        if not isinstance(items, list):
            raise ManifestError(f"{where}: expected a list of items in {kind}, saw {_seen(items)}")
        for item in items:
            yield from _objects(where, item)
        return
    metadata = content.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name, namespace = metadata.get("name"), metadata.get("namespace")
    texts = {"apiVersion": content.get("apiVersion"), "metadata.name": name}
    if namespace is not None:
        texts["metadata.namespace"] = namespace
    for key, value in texts.items():
        if not isinstance(value, str) or not value:
            seen = "none" if value is None else repr(value)
            raise ManifestError(f"{where}: expected {key} of {kind} as text, saw {seen}")
    yield kind, str(name), namespace, content


def _seen(content: Any) -> str:
    if isinstance(content, dict):
        return f"the keys {', '.join(map(str, content)) or '(none)'}"
    return type(content).__name__


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: a key that stands twice is an error, and a date or 12:30 is text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int | float | bool):
                if key in keys:
                    said = f"expected each key once, saw {key!r} twice"
                    raise yaml.constructor.ConstructorError(None, None, said, key_node.start_mark)
                keys.add(key)
        return super().construct_mapping(node, deep)


def _resolve(name: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"(?:{pattern})$"), list(first))


_OTHERWISE = {f"tag:yaml.org,2002:{name}" for name in ("timestamp", "value", "int", "float")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OTHERWISE]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# PyYAML's own, without the numbers to the base of sixty
_resolve("int", r"[-+]?(?:0|[1-9][0-9_]*|0[0-7_]+|0b[01_]+|0x[0-9a-fA-F_]+)", "-+0123456789")
_resolve("float", r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+0123456789.")


def shipped(
    target: Target, read: Callable[[Path], tuple[Document, ...]], observe: Observe
) -> tuple[Document, ...]:
    """The manifests that the release ships for a target; UnreachableError where its profile names none."""
    if target.source is None or target.manifests is None:
        missing = "source, a checkout of NOX" if target.source is None else "manifests, a folder below source"
        raise UnreachableError(f"{target.path.name} names no {missing}: add it there")
    folder = target.source / target.manifests
    documents = read(folder)
    files = dict.fromkeys(document.file for document in documents)
    seen = f"{len(documents)} documents in {target.manifests}: {', '.join(files)}"
    observe(Observation(seen, f"ls {shlex.quote(str(folder))}"))
    return documents
