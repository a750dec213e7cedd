"""The manifests that a release ships: the files of a folder, or what the profile's command makes of it."""

import hashlib
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kubectl_yaml.objects import ManifestError
from noxgate.systems.kubernetes.manifests import Document, read_manifests, read_otherwise, read_text
from noxgate.systems.programs.execute import ProgramError, StartError, run

SECONDS = 60.0  # that a command may take
KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")  # of our environment: no credential is in these


@dataclass(frozen=True)
class Shipped:
    """The documents, and where they are from."""

    documents: tuple[Document, ...]
    said: str
    repeat: str


Read = Callable[[Path, str, tuple[str, ...]], Shipped]  # the checkout, a folder in it, a command


def read(source: Path, folder: str, command: tuple[str, ...]) -> Shipped:
    """What lies in the folder, or what the command writes that is run in the checkout.

    Raises ManifestError if those are not manifests. Raises UnreachableError if this machine cannot run the
    command.
    """
    if not command:
        documents = read_manifests(source / folder)
        files = dict.fromkeys(document.file for document in documents)
        said = f"{len(documents)} documents in {folder}: {', '.join(files)}"
        return Shipped(documents, said, f"ls {shlex.quote(str(source / folder))}")
    text = _made(source, command)
    digest = hashlib.sha256(text).hexdigest()
    words = shlex.join(command)
    made = f"(cd {shlex.quote(str(source))} && {words})"
    documents = read_text(command[0], text, made)
    said = f"{len(documents)} documents that `{words}` makes of {folder}: sha256 {digest}"
    return Shipped(documents, said, made)


def shipped(target: Target, reader: Read, observe: Observe) -> tuple[Document, ...]:
    """The manifests that the release ships for a target.

    Raises UnreachableError if its profile does not name them.
    """
    if target.source is None or target.manifests is None:
        missing = "source, a checkout of NOX" if target.source is None else "manifests, a folder below source"
        raise UnreachableError(f"{target.path.name} names no {missing}: add it there")
    found = reader(target.source, target.manifests, target.render)
    observe(Observation(found.said, found.repeat))
    for said in read_otherwise(found.documents):
        observe(Observation(said, found.repeat))
    return found.documents


def _made(source: Path, command: tuple[str, ...]) -> bytes:
    """What the command writes; of our environment it has what KEPT names."""
    words = shlex.join(command)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        ended = run(command, SECONDS, kept, folder=source)
    except StartError as error:
        raise UnreachableError(f"render: {error}: install it, or put what it makes into a folder") from None
    except ProgramError as error:
        raise UnreachableError(f"render: {error}") from None
    if ended.status != 0:
        last = shortened(ended.err.strip().rpartition("\n")[2]) or "it said nothing"
        raise ManifestError(f"`{words}` ended with exit status {ended.status}: {last}")
    return ended.out.encode()
