"""Ways to spoil the release itself: its tag, its image in the registry, the scanner's report, its files."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from nox_rehearsal import release
from nox_rehearsal.parts import images, registry, repository, scanning
from nox_rehearsal.parts.images import BuiltImage
from nox_rehearsal.sabotages.sabotage import Switch
from nox_rehearsal.world.state import World

TAG = f"v{release.VERSION}"
MESSAGE = f"NOX API {TAG} Production Release"
_REF = f"refs/tags/{TAG}"


@contextmanager
def _tag_kept(world: World) -> Iterator[str]:
    """The tag is as before at the end, here and at the remote; gives its object."""
    object_ = repository.git(world.source, "rev-parse", _REF).strip()
    try:
        yield object_
    finally:
        repository.git(world.source, "update-ref", _REF, object_)
        repository.git(world.source, "push", "--quiet", "--force", "origin", _REF)


def retagged(*, annotated: bool = True, message: str = MESSAGE, pushed: bool = True) -> Switch:
    """The same commit is tagged otherwise."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with _tag_kept(world):
            how = ("--annotate", f"--message={message}") if annotated else ()  # its time makes it another
            commit = f"{TAG}^{{commit}}"
            repository.git(world.source, "tag", "--force", *how, TAG, commit)
            if pushed:
                repository.git(world.source, "push", "--quiet", "--force", "origin", _REF)
            yield

    return on


@contextmanager
def unpushed(world: World) -> Iterator[None]:
    """The remote does not have the tag."""
    with _tag_kept(world):
        repository.git(world.source, "push", "--quiet", "--delete", "origin", TAG)
        yield


@contextmanager
def committed(world: World) -> Iterator[None]:
    """One commit more on main, pushed."""
    before = repository.head(world.source)
    repository.commit(world.source, "one more")
    try:
        yield
    finally:
        repository.back_to(world.source, before)


@contextmanager
def shallow(world: World) -> Iterator[None]:
    """Main is one commit further, in a checkout of depth 1 as CI makes it: the way to the tag is not here."""
    with committed(world):
        ends = world.source / ".git" / "shallow"
        ends.write_text(f"{repository.head(world.source)}\n", encoding="ascii")
        try:
            yield
        finally:
            ends.unlink()


def tagged(first: Switch) -> Switch:
    """The tag is made anew after something else happened."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with _tag_kept(world), first(world):
            repository.git(world.source, "tag", "--force", "--annotate", TAG, f"--message={MESSAGE}", "HEAD")
            repository.git(world.source, "push", "--quiet", "--force", "origin", _REF)
            yield

    return on


@contextmanager
def elsewhere(world: World) -> Iterator[None]:
    """The remote's main went another way, without the tagged commit."""
    head = repository.head(world.source)
    tree = repository.git(world.source, "rev-parse", "HEAD^{tree}").strip()
    other = repository.git(world.source, "commit-tree", tree, "-m", "another history").strip()
    repository.git(world.source, "push", "--quiet", "--force", "origin", f"{other}:refs/heads/main")
    try:
        yield
    finally:
        repository.git(world.source, "push", "--quiet", "--force", "origin", f"{head}:refs/heads/main")


def written(file: str, old: str | None, new: str | Callable[[str], str]) -> Switch:
    """A file of the checkout says something else, and is not committed."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.source / file
        before = path.read_text(encoding="utf-8")
        if callable(new):
            text = new(before)
        else:
            assert old is not None
            assert old in before, f"{file} does not say {old!r}"
            text = before.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")

    return on


def published(build: Callable[[World, BuiltImage], BuiltImage]) -> Switch:
    """The registry has another image under the release's tag."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        where = _registry(world)
        with _tag_of_registry(world):
            registry.push(where, build(world, images.base()), images.REPOSITORY, TAG)
            yield

    return on


@contextmanager
def unpublished(world: World) -> Iterator[None]:
    """The registry has the image, and not under the release's tag."""
    with _tag_of_registry(world) as folder:
        shutil.rmtree(folder)
        yield


@contextmanager
def _tag_of_registry(world: World) -> Iterator[Any]:
    """The registry keeps a tag as a folder; no request takes one away without its image."""
    tags = f"data/docker/registry/v2/repositories/{images.REPOSITORY}/_manifests/tags"
    folder = world.folder / registry.NAME / tags / TAG
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        kept.rename(folder)


def scanned(
    change: Mapping[str, Any], further: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
) -> Switch:
    """The scanner's report says something else."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.folder / scanning.NAME
        before = path.read_text(encoding="utf-8")
        written = json.loads(before)
        image, _, digest = written["ArtifactName"].partition("@")
        usual = {"digest": digest, "config": written["Metadata"]["ImageID"]}
        report = further(scanning.report(image, **{**usual, **change}))
        path.write_text(json.dumps(report), encoding="utf-8")
        with ExitStack() as stack:
            stack.callback(path.write_text, before, encoding="utf-8")
            yield

    return on


def _registry(world: World) -> registry.RegistryServer:
    port = int(world.registry_host.rpartition(":")[2])
    return registry.RegistryServer(port, world.ca_file, world.registry_password)
