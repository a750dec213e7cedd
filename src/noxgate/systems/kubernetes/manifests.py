"""Manifests as `kubectl apply -f FOLDER` reads them."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from noxgate.systems.kubernetes.kubectl_yaml.objects import ManifestError, objects

COMMAND = "KUBECTL"
STDIN = f"{COMMAND} -f -"
ALONE = "python -m noxgate.systems.kubernetes.kubectl_yaml.one_object"
SUFFIXES = {".yaml", ".yml", ".json"}

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """One object of a file; `number` counts the file's documents from 1.

    `said` is what kubectl reads otherwise than it stands there, such as a key that stands twice. `origin` is
    how a shell gives this one object to a command, which stands there as COMMAND.
    """

    file: str
    number: int
    kind: str
    name: str
    namespace: str | None
    content: Json = field(repr=False)
    said: tuple[str, ...] = ()
    origin: str = STDIN

    def of(self, namespace: str) -> tuple[str, str, str, str]:
        """What tells its object from others, applied to a namespace: of two versions of a kind it is one."""
        group = str(self.content.get("apiVersion", "")).rpartition("/")[0]
        return group, self.kind, self.namespace or namespace, self.name

    def __str__(self) -> str:
        return f"{self.file} document {self.number}: {self.kind} {self.name}"


def read_manifests(folder: Path) -> tuple[Document, ...]:
    """Every document of the folder's own files, in kubectl's order. Raises ManifestError for a bad one.

    Folders below it are left out, as kubectl leaves them out.
    """
    if not folder.is_dir():
        raise ManifestError(f"expected a folder of manifests, saw none: {folder}")
    named = built_otherwise(folder)
    if named is not None:
        raise ManifestError(named)
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.is_dir())
    documents = tuple(document for file in files for document in _documents(file))
    for document in documents:
        if str(document.content.get("apiVersion")).startswith("kustomize.config.k8s.io/"):
            raise ManifestError(_of_kustomize(document.file, folder))
    return documents


def built_otherwise(folder: Path) -> str | None:
    """What a folder is whose files are not manifests yet, and the command that builds them."""
    for name in ("kustomization.yaml", "kustomization.yml", "Kustomization"):
        if (folder / name).is_file():
            return _of_kustomize(name, folder)
    for chart in (folder, folder.parent):
        if (chart / "Chart.yaml").is_file():
            return (
                f"{folder.name} is of a Helm chart (Chart.yaml), and no manifest: expected what "
                f"`helm template NAME {chart.name}` writes, in a folder of its own or by `render`"
            )
    return None


def _of_kustomize(name: str, folder: Path) -> str:
    built = f"expected what `kubectl kustomize {folder.name}` writes, in a folder of its own or by `render`"
    return f"{name} is kustomize's, and no manifest: {built}"


def read_file(file: Path) -> tuple[Document, ...]:
    """Every document of one file. Raises ManifestError for the first bad one."""
    return tuple(_documents(file))


def _placed(documents: tuple[Document, ...], alone: str, among: str) -> tuple[Document, ...]:
    """With their origin: of the one document of a text, of one among several."""
    if len(documents) == 1:
        return (replace(documents[0], origin=alone),)
    return tuple(
        replace(each, origin=f"{among} {shlex.join((each.kind, each.name))} | {STDIN}") for each in documents
    )


def read_text(name: str, text: bytes, made: str = "cat") -> tuple[Document, ...]:
    """Every document of a text of this name, which a command made.

    Raises ManifestError for the first bad one.
    """
    return _placed(tuple(_of_text(name, text)), f"{made} | {STDIN}", f"{made} | {ALONE} -")


def _documents(file: Path) -> Iterator[Document]:
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ManifestError(f"{file.name}: cannot be read: {error.strerror}") from None
    path = shlex.quote(str(file))
    yield from _placed(tuple(_of_text(file.name, text)), f"{COMMAND} -f {path}", f"{ALONE} {path}")


def _of_text(name: str, text: bytes) -> Iterator[Document]:
    from noxgate.systems.kubernetes.kubectl_yaml import stream  # noqa: PLC0415 (YAML is read by few runs)
    from noxgate.systems.kubernetes.kubectl_yaml.composing import YamlError  # noqa: PLC0415

    try:
        for number, each in enumerate(stream.documents(text), start=1):
            where = f"{name} document {number} (line {each.line})"
            for content in objects(where, each.content):
                yield _document(name, number, content, each.said)
    except ManifestError as error:
        raise ManifestError(f"{error}{_of_helm(name, text)}") from None
    except YamlError as error:
        at = f" line {error.line}" if error.line is not None else ""
        raise ManifestError(f"{name}{at}: {error}{_of_helm(name, text)}") from None
    except RecursionError:
        raise ManifestError(f"{name}: expected lists and mappings in sensible depth, saw more") from None


def _of_helm(name: str, text: bytes) -> str:
    """What a file is that kubectl refuses, where it is Helm's."""
    if name.startswith("values"):
        return ": are these a Helm chart's values? They are not manifests: helm template builds those"
    if b"{{" in text:
        return ": is it a template? It is not a manifest: helm template builds that"
    return ""


def _document(file: str, number: int, content: Json, said: tuple[str, ...]) -> Document:
    metadata = content.get("metadata") or {}
    name, namespace = metadata.get("name") or "", metadata.get("namespace")
    if "namespace" in metadata and not namespace:  # as good as none: kubectl puts its own there
        namespace = None
        content = {**content, "metadata": {key: metadata[key] for key in metadata if key != "namespace"}}
    return Document(file, number, content["kind"], name, namespace, content, said)


def read_otherwise(documents: tuple[Document, ...]) -> list[str]:
    """What kubectl reads otherwise than it stands there: no error for it, and seldom what was meant."""
    return list(dict.fromkeys(f"{document.file} {said}" for document in documents for said in document.said))
