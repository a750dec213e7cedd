"""Staging and production are not alike: what runs in their pods, and the servers that they use."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime

from nox_rehearsal import release
from nox_rehearsal.cluster.objects import BLUE, STAGING
from nox_rehearsal.parts import images, registry
from nox_rehearsal.parts.images import BuiltImage
from nox_rehearsal.sabotages.in_cluster import edited
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.state import World

BLUE_POD, GREEN_POD = "nox-api-blue-1", "nox-api-green-2"
NODE, BASE = "preflight.node-parity", "preflight.base-image-parity"
POSTGRESQL, REDIS = "preflight.postgresql-parity", "preflight.redis-parity"
STAGING_FILE, PRODUCTION_FILE = "credentials.env", "credentials-production.env"
BASE_DIGEST = "org.opencontainers.image.base.digest"  # as OCI names it


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _images()
    yield from _servers()


def _images() -> Iterator[Sabotage]:
    old = images.base(node="18.20.8")
    yield Sabotage(NODE, "node-18", "production runs Node 18", _blue(_image(old)), "18.20.8", (BASE,))
    one = _runs(GREEN_POD, STAGING, _image(old, release.VERSION))
    yield Sabotage(NODE, "one-pod", "so does one of staging's pods", one, "18.20.8", (BASE,))
    silent = _image(images.base(node=None), labels={BASE_DIGEST: images.base().digest})
    yield Sabotage(NODE, "undeclared", "an image without NODE_VERSION", _blue(silent), "None")
    longer = _image(images.base(node="200.1.0"), labels={BASE_DIGEST: images.base().digest})
    yield Sabotage(NODE, "longer", "a version that only begins with 20", _blue(longer), "200.1.0")

    rebuilt = images.base(built=datetime(2025, 8, 14, 1, 30, tzinfo=UTC))
    yield Sabotage(BASE, "rebuilt", "the base was built again", _blue(_image(rebuilt)), rebuilt.digest[:19])
    no_label = _image(rebuilt, labels={BASE_DIGEST: None})
    layer = rebuilt.layers[0].diff_id
    yield Sabotage(BASE, "unlabelled", "the same, and no label says so", _blue(no_label), layer[:19])


def _servers() -> Iterator[Sabotage]:
    old = _answers(STAGING_FILE, "DATABASE_URL", rb"\b15(\.\d+ )", rb"14\1")
    yield Sabotage(POSTGRESQL, "14", "staging's server is a 14", old, "14.")
    minor = _answers(PRODUCTION_FILE, "DATABASE_URL", rb"\b15\.(\d)(\d) ", rb"15.0\2 ")
    yield Sabotage(POSTGRESQL, "minor", "another minor version", minor, "15.0")
    yield Sabotage(POSTGRESQL, "itself", "staging's database for both", _one("DATABASE_URL"), "saw one")
    yield Sabotage(REDIS, "itself", "staging's server for both", _one("REDIS_URL"), "saw one")
    old = _answers(PRODUCTION_FILE, "REDIS_URL", rb"(redis_version:)7\.0\.", rb"\g<1>6.2.")
    yield Sabotage(REDIS, "one-side", "production's is a 6.2", old, "6.2")
    product = (rb"redis_git_sha1:\w{8}", rb"valkey_version:8.1.1.77")  # in as many bytes
    valkey = _answers(PRODUCTION_FILE, "REDIS_URL", *product)
    yield Sabotage(REDIS, "valkey", "production's is a Valkey, made from that Redis", valkey, "valkey 8.1.1")

    @contextmanager
    def both(world: World) -> Iterator[None]:
        with (
            old(world),
            _answers(STAGING_FILE, "REDIS_URL", rb"(redis_version:)7\.0\.", rb"\g<1>6.2.")(world),
        ):
            yield

    yield Sabotage(REDIS, "both-sides", "equal, and not a 7", both, "expected 7, saw 6")


def _image(
    base: BuiltImage, version: str = release.PREVIOUS, labels: dict[str, str | None] | None = None
) -> BuiltImage:
    created = datetime(2025, 8, 14, 12, tzinfo=UTC)  # the same in each process: a sabotage's name and why are
    return images.nox_api(version, revision="", on=base, created=created, labels=labels)


def _blue(image: BuiltImage) -> Switch:
    return _runs(BLUE_POD, BLUE, image)


def _runs(pod: str, namespace: str, image: BuiltImage) -> Switch:
    """A pod runs an image that the registry has, under no tag."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        where = registry.RegistryServer(
            int(world.registry_host.rpartition(":")[2]), world.ca_file, world.registry_password
        )
        digest = registry.push(where, image, images.REPOSITORY)
        name = f"{world.registry_host}/{images.REPOSITORY}@{digest}"
        path = "/status/containerStatuses/1/imageID"
        patch = [{"op": "replace", "path": path, "value": name}]
        with edited("Pod", pod, patch, namespace=namespace, status=True)(world):
            yield

    return on


def _one(variable: str) -> Switch:
    """Production's credential is staging's."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.folder / PRODUCTION_FILE
        before = path.read_text(encoding="utf-8")
        staging = (world.folder / STAGING_FILE).read_text(encoding="utf-8")
        found = re.search(rf"^{variable}=.*$", staging, re.MULTILINE)
        assert found, f"{STAGING_FILE} has no {variable}"
        other = re.sub(rf"^{variable}=.*$", lambda _: found.group(), before, flags=re.MULTILINE)
        path.write_text(other, encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")

    return on


def _answers(file: str, variable: str, pattern: bytes, other: bytes) -> Switch:
    """Between the checks and a server stands one who says something else, as long as what it replaces."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.folder / file
        before = path.read_text(encoding="utf-8")
        found = re.search(rf"^{variable}=\S+@127\.0\.0\.1:(\d+)", before, re.MULTILINE)
        assert found, f"{file} has no {variable} with a port"
        with ExitStack() as stack:
            port = stack.enter_context(_impostor(int(found[1]), re.compile(pattern), other))
            stack.callback(path.write_text, before, encoding="utf-8")
            path.write_text(before[: found.start(1)] + str(port) + before[found.end(1) :], encoding="utf-8")
            yield

    return on


@contextmanager
def _impostor(port: int, pattern: re.Pattern[bytes], other: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    inner, _ = listener.accept()
                    outer = socket.create_connection(("127.0.0.1", port))
                    for ends, change in (((inner, outer), False), ((outer, inner), True)):
                        threading.Thread(target=_pass_on, args=(*ends, change), daemon=True).start()

        def _pass_on(source: socket.socket, sink: socket.socket, change: bool) -> None:  # noqa: FBT001
            with source, sink, suppress(OSError):
                while chunk := source.recv(65536):  # a greeting or an answer comes in one piece on loopback
                    sink.sendall(pattern.sub(other, chunk) if change else chunk)

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
