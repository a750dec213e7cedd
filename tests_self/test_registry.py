"""Registries: the rehearsal's, which is the real one, and the client of it, also against bad answers."""

import base64
import gzip
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from nox_rehearsal.parts import certificates, images, registry
from nox_rehearsal.parts.images import BuiltImage
from nox_rehearsal.world.ports import free_ports
from nox_rehearsal.world.processes import Crew
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Patience
from noxgate.systems.registry import answers
from noxgate.systems.registry.answers import BASE_DIGEST, REVISION, Image
from noxgate.systems.registry.client import MOST_BYTES, Registry
from noxgate.systems.registry.platforms import runs_on
from noxgate.systems.registry.session import ROLE, RegistrySession

if TYPE_CHECKING:
    from tests_self.conftest import Loopback

COMMIT, COMMIT_BEFORE = "a" * 40, "b" * 40
CREDENTIALS = "release-gate:password-of-the-registry"
BEARER = "token-of-the-registry"
AUTHORIZATION = f"Basic {base64.b64encode(CREDENTIALS.encode()).decode()}"
Headers = Mapping[str, str]
Reply = tuple[int, Headers, bytes]


class Running(NamedTuple):
    """A registry that runs, with what was pushed; and how long it took to come up, and to be filled."""

    registry: registry.Registry
    seconds: float
    filling: float
    images: Mapping[str, BuiltImage]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests: the release and the version before on one base, and an index."""
    folder = tmp_path_factory.mktemp("registry")
    authority = certificates.authority()
    authority.write(folder / "ca.pem", folder / "ca.key")
    (port,) = free_ports(1)
    where = registry.Registry(port, folder / "ca.pem", CREDENTIALS.partition(":")[2])
    base = images.base()
    built = {
        "v8.0.0": images.nox_api("8.0.0", revision=COMMIT, on=base),
        "v7.9.3": images.nox_api("7.9.3", revision=COMMIT_BEFORE, on=base),
    }
    arm = images.nox_api("8.0.0", revision=COMMIT, on=base, architecture="arm64")
    built["both"] = images.index({"linux/arm64": arm, "linux/amd64": built["v8.0.0"]})
    built["arm"] = images.index({"linux/arm64": arm})
    crew = Crew(folder)
    try:
        started = time.monotonic()
        crew.launch(registry.prepare(folder, where, certificates.issue(authority)))
        crew.wait_for(registry.NAME)
        seconds = time.monotonic() - started
        for tag, image in built.items():
            registry.push(where, image, images.REPOSITORY, tag)
        yield Running(where, seconds, time.monotonic() - started - seconds, built)
    finally:
        crew.stop_all()


def client(
    loopback: "Loopback",
    home: str | None,
    observed: list[Observation] | None = None,
    *,
    password: str | None = CREDENTIALS,
    ca_file: Path | None = None,
    platform: str | None = "linux/amd64",
) -> Registry:
    """A client with a password for `home`."""
    target = loopback.target(9)
    if password is not None:
        target = replace(
            target, credentials={ROLE: "REGISTRY_PASSWORD"}, variables={"REGISTRY_PASSWORD": password}
        )
    session = RegistrySession(replace(target, ca_file=ca_file or target.ca_file), home, platform)
    session.patience = Patience("the registry", look=5)
    loopback.at_end.append(session.close)
    return Registry(session, (observed if observed is not None else []).append)


def ours(
    loopback: "Loopback", running: Running, observed: list[Observation] | None = None, **changes: Any
) -> Registry:
    """A client of the registry that runs."""
    where = running.registry
    return client(loopback, where.host, observed, ca_file=where.ca_file, **changes)


# ---------------------------------------------------------------- the real one


def test_an_image_by_tag_and_by_digest(loopback: "Loopback", running: Running) -> None:
    """Everything that a check may compare; and soon enough for a rehearsal."""
    built = running.images["v8.0.0"]
    looking = ours(loopback, running)
    name = f"{running.registry.host}/nox-api"
    image = looking.image(f"{name}:v8.0.0")

    assert looking.image(f"docker-pullable://{name}@{built.digest}") == image
    assert looking.image(f"{name}:v7.9.3@{built.digest}") == image
    assert (image.digest, image.manifest_digest) == (built.digest, built.digest)
    assert image.config_digest == built.blobs[0].digest
    assert image.layers == tuple(layer.blob.digest for layer in built.layers)
    assert image.diff_ids == tuple(layer.diff_id for layer in built.layers)
    unpacked = [answers.digest_of(gzip.decompress(layer.blob.content)) for layer in built.layers]
    assert list(image.diff_ids) == unpacked
    assert (image.os, image.architecture) == ("linux", "amd64")
    assert dict(image.environment) == {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "NODE_VERSION": images.NODE,
        "NOX_VERSION": "8.0.0",
    }
    assert image.labels["org.opencontainers.image.version"] == "8.0.0"
    assert image.labels[REVISION] == COMMIT
    assert image.created is not None
    assert abs((datetime.now(UTC) - image.created).total_seconds()) < 60
    assert running.seconds < 5
    assert running.filling < 5


def test_versions_on_one_base(loopback: "Loopback", running: Running) -> None:
    """By the label, and without it by the layers; the base built again is another, whatever its tag says."""
    looking = ours(loopback, running)
    name = f"{running.registry.host}/nox-api"
    one, other = looking.image(f"{name}:v8.0.0"), looking.image(f"{name}:v7.9.3")

    assert answers.base(one) == answers.base(other) == one.labels[BASE_DIGEST] == images.base().digest
    assert one.diff_ids[0] == other.diff_ids[0]
    assert one.diff_ids[1] != other.diff_ids[1]
    assert answers.base(unlabelled(one)) == answers.base(unlabelled(other)) == one.diff_ids[0]

    rebuilt = images.base(built=datetime(2025, 8, 14, tzinfo=UTC))
    again = images.nox_api("7.9.3", revision=COMMIT_BEFORE, on=rebuilt, labels={BASE_DIGEST: None})
    registry.push(running.registry, again, "nox-api", "again")
    found = looking.image(f"{name}:again")
    assert BASE_DIGEST not in found.labels
    assert answers.base(found) != answers.base(unlabelled(other))
    seen = answers.bases([one, found])  # a label and layers cannot be compared
    assert seen == {one.digest: one.diff_ids[0], found.digest: found.diff_ids[0]}
    assert answers.bases([one, other]) == dict.fromkeys([one.digest, other.digest], images.base().digest)


def unlabelled(image: Image) -> Image:
    return replace(image, labels={})


def test_an_image_for_several_platforms(loopback: "Loopback", running: Running) -> None:
    """What a node runs is named by the index; what is in it depends on the platform."""
    built = running.images
    looking = ours(loopback, running)
    image = looking.image(f"{running.registry.host}/nox-api@{built['both'].digest}")

    assert image.digest == built["both"].digest
    assert image.manifest_digest == built["v8.0.0"].digest
    assert image.architecture == "amd64"
    with pytest.raises(
        AssertionError, match=r"nox-api:arm has no image for linux/amd64 \(platforms: linux/arm64\)"
    ):
        looking.image(f"{running.registry.host}/nox-api:arm")


def test_the_platform_of_the_nodes_decides(loopback: "Loopback", running: Running) -> None:
    """Under a tag of one image, too: that it is there does not mean that a node could start it."""
    host, built = running.registry.host, running.images
    on_arm = ours(loopback, running, platform="linux/arm64/v8")

    assert on_arm.image(f"{host}/nox-api@{built['arm'].images[0].digest}").architecture == "arm64"
    assert on_arm.image(f"{host}/nox-api:both").manifest_digest == built["both"].images[0].digest
    with pytest.raises(
        AssertionError,
        match=r"v8\.0\.0 is for linux/amd64, says its configuration, and the nodes are linux/arm",
    ):
        on_arm.image(f"{host}/nox-api:v8.0.0")
    with pytest.raises(AssertionError, match="is for linux/arm64, says its config"):
        ours(loopback, running).image(f"{host}/nox-api@{built['arm'].images[0].digest}")


def test_an_entry_whose_image_is_for_another_platform(loopback: "Loopback", running: Running) -> None:
    """The index says one thing, the configuration another: what a node would run is the configuration's."""
    arm = running.images["arm"].images[0]
    lying = images.index({"linux/amd64": arm})
    registry.push(running.registry, lying, "nox-api", "lying")

    with pytest.raises(AssertionError, match="is for linux/arm64, says its configuration"):
        ours(loopback, running).image(f"{running.registry.host}/nox-api:lying")


def test_nobody_has_said_the_platform(loopback: "Loopback", running: Running) -> None:
    """It is looked up when the first image is looked at, and once."""
    asked: list[str] = []

    def nodes() -> str:
        asked.append("nodes")
        return "linux/arm64"

    name = f"{running.registry.host}/nox-api:both"
    looking = ours(loopback, running, platform=None)
    with pytest.raises(UnreachableError, match="nothing says for which platform"):
        looking.image(name)
    session = looking._session  # noqa: SLF001 (what the fixtures of checks share)
    for _ in range(2):
        assert Registry(session, lambda _: None, nodes).image(name).architecture == "arm64"
    assert asked == ["nodes"]


def test_an_index_that_does_not_say_its_platforms(loopback: "Loopback", running: Running) -> None:
    """The configurations do. What is no image, such as what a builder attests beside it, is passed over."""
    built = running.images
    attestation = images.BuiltImage(built["arm"].images[0].manifest)
    silent = _without_platforms(images.index({"a/a": built["arm"].images[0], "b/b": built["v8.0.0"]}))
    for tag, index in {
        "silent": silent,
        "attested": _attested(images.index({"unknown/unknown": attestation, "linux/amd64": built["v8.0.0"]})),
    }.items():
        registry.push(running.registry, index, "nox-api", tag)
        for platform, digest in {
            "linux/amd64": built["v8.0.0"].digest,
            "linux/arm64": built["arm"].images[0].digest if tag == "silent" else None,
        }.items():
            looking = ours(loopback, running, platform=platform)
            if digest is None:
                with pytest.raises(AssertionError, match="no image for linux/arm64"):
                    looking.image(f"{running.registry.host}/nox-api:{tag}")
            else:
                assert looking.image(f"{running.registry.host}/nox-api:{tag}").manifest_digest == digest
    with pytest.raises(
        AssertionError, match=r"no image for linux/s390x \(platforms: linux/amd64, linux/arm64\)"
    ):
        ours(loopback, running, platform="linux/s390x").image(f"{running.registry.host}/nox-api:silent")


def _without_platforms(index: BuiltImage) -> BuiltImage:
    document = json.loads(index.manifest.content)
    for entry in document["manifests"]:
        del entry["platform"]
    return replace(index, manifest=images.Blob(json.dumps(document).encode(), images.INDEX))


def _attested(index: BuiltImage) -> BuiltImage:
    """As a builder adds what it attests: the first entry is no image, and says so."""
    document = json.loads(index.manifest.content)
    document["manifests"][0]["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    return replace(index, manifest=images.Blob(json.dumps(document).encode(), images.INDEX))


@pytest.mark.parametrize(
    ("image", "wanted", "expected"),
    [
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/aarch64", "linux/arm64", True),
        ("linux/x86_64", "linux/amd64", True),
        ("linux/amd64/v1", "linux/amd64", True),
        ("linux/amd64/v3", "linux/amd64", False),
        ("linux/amd64/v3", "linux/amd64/v3", True),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm64", "linux/arm", False),
        ("windows/amd64", "linux/amd64", False),
        ("", "linux/amd64", False),
    ],
)
def test_platforms(image: str, wanted: str, *, expected: bool) -> None:
    assert runs_on(image, wanted) is expected


def test_what_the_rehearsal_has_in_stock(loopback: "Loopback", running: Running) -> None:
    """Both versions and their base, which the images name as it is named there."""
    pushed = registry.stock(running.registry, {"9.0.0": COMMIT, "8.9.9": COMMIT_BEFORE})
    looking = ours(loopback, running)
    one = looking.image(f"{running.registry.host}/nox-api:v9.0.0")
    base = looking.image(one.labels["org.opencontainers.image.base.name"])

    assert pushed.keys() == {"9.0.0", "8.9.9"}
    assert (one.digest, one.labels[REVISION]) == (pushed["9.0.0"].digest, COMMIT)
    assert base.digest == answers.base(one)
    assert base.environment["NODE_VERSION"] == images.NODE


def test_what_the_registry_does_not_have(loopback: "Loopback", running: Running) -> None:
    host = running.registry.host
    observed: list[Observation] = []
    looking = ours(loopback, running, observed)

    for name in ("nox-api:v8.0.1", "nox:v8.0.0", f"nox-api@sha256:{'0' * 64}"):
        with pytest.raises(AssertionError, match=f"^the registry {host} has no {name}$"):
            looking.image(f"{host}/{name}")
    assert [one.seen for one in observed][:1] == [f"the registry {host} has no nox-api:v8.0.1"]


def test_each_look_is_recorded(loopback: "Loopback", running: Running) -> None:
    """With the command that a person would type, where the password is a variable."""
    observed: list[Observation] = []
    image = ours(loopback, running, observed).image(f"{running.registry.host}/nox-api:v8.0.0")

    assert [one.seen for one in observed] == [
        f"nox-api:v8.0.0 is {image.digest}, 2 layers",
        (
            f"linux/amd64, 2 layers; created {image.created:%Y-%m-%d %H:%M} UTC; "
            f"NODE_VERSION={images.NODE}, NOX_VERSION=8.0.0; base {images.base().digest}; revision {COMMIT}"
        ),
    ]
    environment = os.environ | {"REGISTRY_PASSWORD": CREDENTIALS}
    for one, expected in zip(observed, (image.digest, image.config_digest), strict=True):
        again = subprocess.run(["sh", "-c", one.repeat], capture_output=True, check=True, env=environment)
        assert answers.digest_of(again.stdout) == expected
    assert CREDENTIALS not in repr(observed)


@pytest.mark.parametrize(
    ("password", "home", "why"),
    [
        ("release-gate:wrong-one", "ours", r"\$REGISTRY_PASSWORD may not read nox-api"),
        ("no-colon", "ours", r"\$REGISTRY_PASSWORD: expected USER:PASSWORD, saw no colon"),
        (None, "ours", r"loopback\.toml names no variable for registry_password"),
        (CREDENTIALS, "", r"\$REGISTRY_PASSWORD is for no registry: the profile names none"),
    ],
)
def test_whom_the_registry_does_not_let_in(
    loopback: "Loopback", running: Running, password: str | None, home: str, why: str
) -> None:
    observed: list[Observation] = []
    where = running.registry
    looking = client(
        loopback, where.host if home else None, observed, password=password, ca_file=where.ca_file
    )

    with pytest.raises(UnreachableError, match=why) as caught:
        looking.image(f"{where.host}/nox-api:v8.0.0")
    assert [one.seen for one in observed] == [f"could not look: {caught.value}"]
    assert password is None or password not in repr(observed)


def test_an_authority_that_nobody_knows(loopback: "Loopback", running: Running) -> None:
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        client(loopback, running.registry.host).image(f"{running.registry.host}/nox-api:v8.0.0")


# ---------------------------------------------------------------- names and bases


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("registry.nox.example/nox-api:v8.0.0", "registry.nox.example/nox-api:v8.0.0"),
        ("localhost/team/nox-api", "localhost/team/nox-api:latest"),
        ("[::1]:5000/nox-api:v1", "[::1]:5000/nox-api:v1"),
        ("node:20", "docker.io/library/node:20"),
        ("nox/api:1", "docker.io/nox/api:1"),
        ("docker.io/node:20", "docker.io/library/node:20"),
        ("index.docker.io/node:20", "docker.io/library/node:20"),
        ("registry-1.docker.io/nox/api:1", "docker.io/nox/api:1"),
        ("docker-pullable://node@sha256:" + "0" * 64, "docker.io/library/node@sha256:" + "0" * 64),
        ("Registry.NOX.example:5000/nox-api:V8", "registry.nox.example:5000/nox-api:V8"),
        ("NOX/api:1", "nox/api:1"),  # Docker takes it for a host: no repository has capitals
        ("r.example/a@sha512:" + "0" * 128, "r.example/a@sha512:" + "0" * 128),
    ],
)
def test_names_of_images(text: str, expected: str) -> None:
    assert str(answers.reference(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "registry.nox.example/", "r.example/NOX:1", "r.example/a/../b:1", "r.example/a:1?x=y"),
        *("r.example/a@sha256:12", "r.example/a@", "r.example:x/a:1", "user@r.example/a:1", "r.example/a:é"),
        f"sha256:{'0' * 64}",
    ],
)
def test_what_names_no_image(text: str) -> None:
    with pytest.raises(AssertionError, match="expected an image as HOST/NAME:TAG"):
        answers.reference(text)


def test_a_base_by_the_layers() -> None:
    """Up to the base's own CMD; the layers are named by their chain id, as the specification makes it."""
    one, two, three = (f"sha256:{digit * 64}" for digit in "123")
    steps = (
        ("ADD rootfs.tar.xz / # buildkit", True),
        ('CMD ["bash"]', False),
        ("RUN /bin/sh -c install node", True),
        ('/bin/sh -c #(nop)  CMD ["node"]', False),
        ("COPY . /app", True),
        ('CMD ["node", "server.js"]', False),
    )
    image = Image("", "", "", None, "amd64", "linux", (), (one, two, three), {}, {}, {}, steps)
    chain = answers.digest_of(f"{one} {two}".encode())

    assert answers.base(image) == chain
    assert answers.base(replace(image, history=steps[:3] + steps[4:])) == one
    for history in ((), (steps[0], steps[2], *steps[4:])):
        with pytest.raises(AssertionError, match=r"the base of .* saw neither"):
            answers.base(replace(image, history=history))
    assert answers.base(replace(image, annotations={BASE_DIGEST: three})) == three
    for value in ("unknown", ""):
        with pytest.raises(AssertionError, match=r"base\.digest of .* expected sha256"):
            answers.base(replace(image, labels={BASE_DIGEST: value}))


# ---------------------------------------------------------------- bad answers


GOOD = images.nox_api("8.0.0", revision=COMMIT, on=images.base())
MANIFEST = f"/v2/nox-api/manifests/{GOOD.digest}"
CONFIG = f"/v2/nox-api/blobs/{GOOD.blobs[0].digest}"
TYPE = {"content-type": images.MANIFEST}
HTML = {"content-type": "text/html"}
CHALLENGE = 'Bearer realm="{realm}",service="nox",scope="repository:nox-api:pull,push"'


class Site:
    """A server that answers as it is told to, by path; and remembers what it was asked."""

    def __init__(self, loopback: "Loopback", replies: Mapping[str, Reply] | None = None) -> None:
        self.replies: dict[str, Reply | Callable[[Headers], Reply]] = {
            MANIFEST: (200, TYPE, GOOD.manifest.content),
            CONFIG: (200, {}, GOOD.blobs[0].content),
            **(replies or {}),
        }
        self.asked: list[tuple[str, Headers]] = []
        self.host = f"localhost:{loopback.serve_tls(self.talk)}"
        self.url = f"https://{self.host}"
        self.name = f"{self.host}/nox-api@{GOOD.digest}"

    def talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            path = stream.readline().split()[1].decode()
            lines = iter(lambda: stream.readline().decode().strip(), "")
            headers: dict[str, str] = {}
            for name, _, value in (line.partition(": ") for line in lines):
                known = headers.get(name.lower())
                headers[name.lower()] = value if known is None else f"{known}, {value}"
        self.asked.append((path, headers))
        reply = self.replies.get(path.partition("?")[0], (404, HTML, b"<h1>not here</h1>"))
        status, more, content = reply(headers) if callable(reply) else reply
        head = {"content-length": str(len(content)), "connection": "close"} | dict(more)
        answer = (f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in head.items()), "", "")
        connection.sendall("\r\n".join(answer).encode() + content)

    def authorizations(self) -> list[tuple[str, str | None]]:
        """Path without query, and what was sent with it."""
        return [(path.partition("?")[0], headers.get("authorization")) for path, headers in self.asked]


def _index(**platform: str) -> BuiltImage:
    return images.index({"/".join(platform.values()): GOOD})


def _manifest(**changes: Any) -> Reply:
    document = json.loads(GOOD.manifest.content) | changes
    return (200, TYPE, json.dumps(document).encode())


def _config(**changes: Any) -> Mapping[str, Reply]:
    """A configuration that is its digest's, in a manifest by tag."""
    content = json.dumps(json.loads(GOOD.blobs[0].content) | changes).encode()
    blob = images.Blob(content, images.CONFIG)
    return {
        "/v2/nox-api/manifests/v8.0.0": _manifest(config=blob.descriptor()),
        f"/v2/nox-api/blobs/{blob.digest}": (200, {}, content),
    }


TAG = "/v2/nox-api/manifests/v8.0.0"
SCHEMA_1 = json.dumps({"schemaVersion": 1, "name": "nox-api", "fsLayers": [], "signatures": []}).encode()
SIGNED = {"content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
WRONG_FORM = (
    b'{"errors":[{"code":"MANIFEST_UNKNOWN",'
    b'"message":"OCI index found, but accept header does not support OCI indexes"}]}'
)
BAD: dict[str, tuple[Mapping[str, Reply], str]] = {
    "another image": ({MANIFEST: _manifest(annotations={})}, f"expected {GOOD.digest}, saw sha256:"),
    "another configuration": ({CONFIG: (200, {}, b"{}")}, "expected sha256:.*, saw sha256:"),
    "truncated": (
        {MANIFEST: (200, TYPE | {"content-length": "5000"}, b"{")},
        "without sending complete message body",
    ),
    "cut off": ({MANIFEST: (200, TYPE, GOOD.manifest.content[:-9])}, "expected sha256:"),
    "a page to sign in": ({TAG: (200, HTML, b"<html>Sign in</html>")}, "saw HTTP 200, text/html, 20 bytes"),
    "to a page to sign in": ({TAG: (302, {"location": "/login?to=x"}, b"")}, "/login: .*HTTP 404, text/html"),
    "not found by nobody": ({TAG: (404, HTML, b"<h1>404</h1>")}, "saw HTTP 404, text/html"),
    "no challenge": ({TAG: (401, {}, b"")}, "saw HTTP 401 without: no registry"),
    "odd challenge": ({TAG: (401, {"www-authenticate": "Negotiate"}, b"")}, "saw HTTP 401 without"),
    "forbidden": ({TAG: (403, {}, b'{"errors":[{"code":"DENIED"}]}')}, "saw HTTP 403: .*may not read"),
    "too often": ({TAG: (429, {}, b'{"errors":[{"code":"TOOMANYREQUESTS"}]}')}, "429.*: TOOMANYREQUESTS"),
    "broken": ({TAG: (500, HTML, b"oops")}, "saw HTTP 500"),
    "in circles": ({TAG: (307, {"location": TAG}, b"")}, "expected at most 5 redirects"),
    "to nowhere": ({TAG: (307, {"location": "http://[x"}, b"")}, "saw no address"),
    "no location": ({TAG: (304, {}, b"")}, "expected at most 5 redirects"),
    "without TLS": (
        {TAG: (307, {"location": "http://store.example/x?sig=y"}, b"")},
        "http://store.example/x$",
    ),
    "huge": ({TAG: (200, TYPE, b" " * (MOST_BYTES + 1))}, f"expected at most {MOST_BYTES} bytes"),
    "another form": (
        {TAG: (404, {}, WRONG_FORM)},
        "MANIFEST_UNKNOWN: OCI index found, but accept header",
    ),
    "schema 1": ({TAG: (200, SIGNED, SCHEMA_1)}, "saw HTTP 200.*schema version 1, not 2"),
    "no JSON": ({TAG: (200, TYPE, b"\xff\xfe")}, "expected an image's description"),
    "deep JSON": ({TAG: (200, TYPE, b"[" * 100_000)}, "expected an image's description"),
    "a list": ({TAG: (200, TYPE, b"[]")}, "list in place of an object"),
    "no type": ({TAG: (200, HTML, b'{"schemaVersion": 2}')}, "the type text/html"),
    "two types": ({TAG: _manifest(mediaType=images.INDEX)}, "served as"),
    "both": ({TAG: _manifest(manifests=[])}, "a manifest and an index in one"),
    "no layers": ({TAG: (200, TYPE, b'{"schemaVersion":2,"config":{}}')}, "KeyError"),
    "odd digest": ({TAG: _manifest(layers=[{"digest": "sha256:1"}])}, "in place of a digest"),
    "told another": (
        {TAG: (200, TYPE | {"docker-content-digest": f"sha256:{'0' * 64}"}, GOOD.manifest.content)},
        f"expected sha256:{'0' * 64}, saw {GOOD.digest}",
    ),
    "another size": (
        {TAG: _manifest(config=GOOD.blobs[0].descriptor() | {"size": 7})},
        "expected 7 bytes, saw HTTP 200",
    ),
    "no diff ids": (_config(rootfs={"type": "layers", "diff_ids": []}), "0 diff ids for 2 layers"),
    "odd time": (_config(created="yesterday"), "Invalid isoformat"),
    "odd variables": (_config(config={"Env": 7}), "TypeError"),
    "odd labels": (_config(config={"Labels": ["x"]}), "list in place of an object"),
    "an index in an index": (
        {
            TAG: (
                200,
                {"content-type": images.INDEX},
                images.index({"linux/amd64": _index(os="linux")}).manifest.content,
            ),
            f"/v2/nox-api/manifests/{_index(os='linux').digest}": (
                200,
                {"content-type": images.INDEX},
                _index(os="linux").manifest.content,
            ),
        },
        "an index in an index",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_proper_answer(loopback: "Loopback", name: str) -> None:
    """One line, and nothing is known then; nothing of what came is shown, it may be anybody's."""
    replies, why = BAD[name]
    observed: list[Observation] = []
    site = Site(loopback, replies)
    image = f"{site.host}/nox-api:v8.0.0" if TAG in replies else site.name

    with pytest.raises(UnreachableError, match=why) as caught:
        client(loopback, site.host, observed).image(image)
    assert "\n" not in str(caught.value)
    assert observed[-1].seen == f"could not look: {caught.value}"


def test_the_same_server_with_good_answers(loopback: "Loopback") -> None:
    """Else the bad ones prove nothing. Anonymous, without Docker-Content-Digest, by tag as by digest."""
    site = Site(loopback, {TAG: _manifest()})
    looking = client(loopback, None, password=None)

    assert looking.image(site.name).digest == GOOD.digest
    assert looking.image(f"{site.host}/nox-api:v8.0.0").config_digest == GOOD.blobs[0].digest


def test_what_is_not_there_in_a_proper_answer(loopback: "Loopback") -> None:
    """An image that has lost its configuration, one for another platform, and something that is no image."""
    gone: Reply = (404, {}, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
    chart = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": GOOD.digest, "size": 2}
    other = images.index({"linux/s390x": GOOD, "unknown/unknown": GOOD})
    cases: dict[str, Mapping[str, Reply]] = {
        "but not its part sha256": {TAG: _manifest(), CONFIG: gone},
        "is no container image: it has application/vnd.cncf.helm": {TAG: _manifest(config=chart)},
        "is for linux/no processor, says its configuration": _config(architecture=""),
        "is for no system/amd64, says its configuration": _config(os=None),
        "linux/amd64 .platforms: linux/s390x, unknown/unknown": {
            TAG: (200, {"content-type": images.INDEX}, other.manifest.content)
        },
    }
    for why, replies in cases.items():
        site = Site(loopback, replies)
        with pytest.raises(AssertionError, match=why):
            client(loopback, site.host).image(f"{site.host}/nox-api:v8.0.0")


DOCKER = {images.MANIFEST: answers.MANIFESTS[1], images.INDEX: answers.INDEXES[1]}


def _in_dockers_form(blob: images.Blob) -> images.Blob:
    """The same manifest, or index, with Docker's names of all types."""
    text = blob.content.decode()
    for ours, theirs in [
        *DOCKER.items(),
        (images.CONFIG, answers.CONFIGURATIONS[1]),
        (images.LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    ]:
        text = text.replace(ours, theirs)
    return images.Blob(text.encode(), DOCKER[blob.media_type])


Needs = Callable[[list[str]], bool]
UNKNOWN: Reply = (404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')


@pytest.mark.parametrize(
    ("blob", "served_as", "needs", "otherwise"),
    [
        (GOOD.manifest, images.MANIFEST, lambda kinds: images.MANIFEST in kinds, UNKNOWN),
        (
            _in_dockers_form(GOOD.manifest),
            DOCKER[images.MANIFEST],
            lambda kinds: kinds[0] == DOCKER[images.MANIFEST],
            (200, SIGNED, SCHEMA_1),
        ),
        (
            _in_dockers_form(GOOD.manifest),
            DOCKER[images.MANIFEST],
            lambda kinds: images.MANIFEST not in kinds,
            (406, HTML, b"not acceptable"),
        ),
        (GOOD.manifest, images.MANIFEST, lambda kinds: DOCKER[images.MANIFEST] not in kinds, UNKNOWN),
        (GOOD.manifest, "application/json", lambda _: True, UNKNOWN),
        (GOOD.manifest, "text/plain; charset=utf-8", lambda _: True, UNKNOWN),
        (GOOD.manifest, DOCKER[images.MANIFEST], lambda _: True, UNKNOWN),
    ],
)
def test_oci_and_docker_forms(
    loopback: "Loopback", blob: images.Blob, served_as: str, needs: Needs, otherwise: Reply
) -> None:
    """By whatever Accept the registry honours, and whatever type it says then."""
    site = Site(loopback)
    site.replies[TAG] = lambda headers: (
        (200, {"content-type": served_as}, blob.content)
        if needs(headers["accept"].split(", "))
        else otherwise
    )

    image = client(loopback, None, password=None).image(f"{site.host}/nox-api:v8.0.0")
    assert image.config_digest == GOOD.blobs[0].digest


def test_an_image_without_a_type_of_its_own(loopback: "Loopback") -> None:
    """OCI's manifests need not say what they are; their shape does."""
    document = json.loads(GOOD.manifest.content)
    del document["mediaType"]
    reply = (200, {"content-type": "application/json"}, json.dumps(document).encode())
    site = Site(loopback, {TAG: reply})

    assert client(loopback, None, password=None).image(f"{site.host}/nox-api:v8.0.0").layers != ()


def test_layers_packed_with_zstd(loopback: "Loopback") -> None:
    """And one named by another algorithm: nothing is unpacked here."""
    layers = json.loads(GOOD.manifest.content)["layers"]
    for layer in layers:
        layer["mediaType"] = images.LAYER.replace("gzip", "zstd")
    layers[-1]["digest"] = f"sha512:{'a' * 128}"
    site = Site(loopback, {TAG: _manifest(layers=layers)})

    image = client(loopback, None, password=None).image(f"{site.host}/nox-api:v8.0.0")
    assert image.layers == tuple(layer["digest"] for layer in layers)


# ---------------------------------------------------------------- signing in


def _refused(code: str, message: object) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.parametrize(
    ("pair", "body", "why"),
    [
        (
            "AWS:yesterdays-token",
            _refused("DENIED", "Your authorization token has expired. Reauthenticate and try again."),
            r"403: DENIED: Your .* try again\.; \$REGISTRY_PASSWORD has run out: .*password\), .* 12 hours$",
        ),
        (
            "gate:token-of-last-week",
            _refused("UNAUTHORIZED", "token  is\nexpired"),
            r"UNAUTHORIZED: token is expired; \$REG\w+ has run out: sign in again and export it anew$",
        ),
        (
            "AWS:yesterdays-token",
            b"",
            r"403: \$REG\w+ may not read nox-api, or there is none; or it has run out: .* 12 hours$",
        ),
        (
            "gate:another-token",
            _refused("DENIED", "requested access to the resource is denied"),
            r"DENIED: requested access to the resource is denied; \$REG\w+ may not read .* there is none$",
        ),
        ("gate:another-token", _refused("DENIED", 7), r"403: DENIED; \$REGISTRY_PASSWORD may not"),
    ],
)
def test_a_refusal_in_the_registrys_own_words(loopback: "Loopback", pair: str, body: bytes, why: str) -> None:
    """By its code and message, and what to do: sign in again is another errand than asking for rights."""
    site = Site(loopback)
    challenge = {"www-authenticate": 'Basic realm="https://registry.nox.example/",service="registry"'}
    site.replies[TAG] = lambda headers: (
        (403, {"content-type": "application/json"}, body)
        if headers.get("authorization")
        else (401, challenge, b"")
    )

    with pytest.raises(UnreachableError, match=why) as caught:
        client(loopback, site.host, password=pair).image(f"{site.host}/nox-api:v8.0.0")
    assert pair.partition(":")[2] not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_hub_has_one_password_under_all_its_names(loopback: "Loopback") -> None:
    """Whatever the profile calls it."""
    target = replace(loopback.target(9), credentials={ROLE: "REGISTRY_PASSWORD"})
    for home in ("docker.io", "index.docker.io", "https://Registry-1.docker.io/"):
        session = RegistrySession(target, home)
        loopback.at_end.append(session.close)
        where = answers.reference("nox/api:1")
        assert session.url(where, "manifests", "1") == "https://registry-1.docker.io/v2/nox/api/manifests/1"
        assert session._is_for(where.host)  # noqa: SLF001 (a request to the hub would leave this machine)


def guarded(site: Site, realm: str, accepted: Sequence[str] = (BEARER,)) -> None:
    """The site wants one of these tokens, and says where to get it."""
    for path, reply in list(site.replies.items()):
        site.replies[path] = _guard(reply, CHALLENGE.format(realm=realm), accepted)


def _guard(reply: Any, challenge: str, accepted: Sequence[str]) -> Callable[[Headers], Reply]:
    refused: Reply = (401, {"www-authenticate": challenge}, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
    return lambda headers: (
        reply if headers.get("authorization", "").removeprefix("Bearer ") in accepted else refused
    )


def test_a_token_from_whom_the_registry_names(loopback: "Loopback") -> None:
    """Asked for once, to read this one repository only; the password goes nowhere but there."""
    observed: list[Observation] = []
    keeper = Site(loopback, {"/token": (200, {}, json.dumps({"token": BEARER}).encode())})
    site = Site(loopback)
    guarded(site, f"{keeper.url}/token?x=1")
    looking = client(loopback, site.host, observed)
    looking.image(site.name)
    looking.image(site.name)

    ((asked, headers),) = keeper.asked
    assert asked == "/token?x=1&scope=repository%3Anox-api%3Apull&service=nox"
    assert headers["authorization"] == AUTHORIZATION
    assert site.authorizations() == [
        (MANIFEST, None),
        *((path, f"Bearer {BEARER}") for path in (MANIFEST, CONFIG) * 2),
    ]
    assert observed[0].repeat == (f'skopeo inspect --raw --creds "$REGISTRY_PASSWORD" docker://{site.name}')
    assert BEARER not in repr(observed)
    assert CREDENTIALS not in repr(observed)


def test_a_token_for_everybody(loopback: "Loopback") -> None:
    """Without a password, and beside another registry's: that one is not for these."""
    keeper = Site(loopback, {"/token": (200, {}, json.dumps({"access_token": BEARER}).encode())})
    for home, password in ((None, None), ("registry.nox.example", CREDENTIALS)):
        site = Site(loopback)
        guarded(site, f"{keeper.url}/token")
        assert client(loopback, home, password=password).image(site.name).digest == GOOD.digest
    assert [authorization for _, authorization in keeper.authorizations()] == [None, None]


def test_a_token_that_runs_out(loopback: "Loopback") -> None:
    """The next look gets a new one."""
    keeper = Site(loopback, {"/token": (200, {}, json.dumps({"token": "old"}).encode())})
    site = Site(loopback)
    accepted = ["old"]
    guarded(site, f"{keeper.url}/token", accepted)
    looking = client(loopback, site.host)
    looking.image(site.name)
    accepted[:] = ["new"]
    keeper.replies["/token"] = (200, {}, json.dumps({"token": "new"}).encode())

    assert looking.image(site.name).digest == GOOD.digest


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ((401, {}, b'{"details":"password-of-the-registry"}'), r"saw HTTP 401: \$REGISTRY_PASSWORD may not"),
        ((302, {"location": "https://login.example/"}, b""), "expected a token for nox-api, saw HTTP 302"),
        ((200, HTML, b"<html>"), "expected a token, saw HTTP 200, text/html"),
        ((200, {}, b'{"token": ""}'), "expected a token"),
        ((200, {}, b'{"token": "a\\r\\nx: y"}'), "expected a token"),
        ((200, {}, b'["token"]'), "expected a token"),
        ((200, {}, json.dumps({"token": "not-the-one"}).encode()), "expected to be let in, saw HTTP 401"),
    ],
)
def test_no_token(loopback: "Loopback", reply: Reply, why: str) -> None:
    keeper = Site(loopback, {"/token": reply})
    site = Site(loopback)
    guarded(site, f"{keeper.url}/token")
    observed: list[Observation] = []

    with pytest.raises(UnreachableError, match=why):
        client(loopback, site.host, observed).image(site.name)
    assert "password-of-the-registry" not in repr(observed)
    assert "not-the-one" not in repr(observed)


@pytest.mark.parametrize(
    "realm",
    ["http://auth.example/token", "https://me:pw@localhost/token", "file:///etc/passwd", "", "https://[x"],
)
def test_a_realm_that_must_not_have_the_password(loopback: "Loopback", realm: str) -> None:
    site = Site(loopback)
    guarded(site, realm)

    with pytest.raises(UnreachableError, match="expected tokens from https://…, saw the realm") as caught:
        client(loopback, site.host).image(site.name)
    assert ":pw" not in str(caught.value)


def test_blobs_that_are_kept_elsewhere(loopback: "Loopback") -> None:
    """The storage gets nothing of ours, even when it sends us back; and may not ask for a password."""
    store = Site(loopback, {"/store": (200, {}, GOOD.blobs[0].content)})
    site = Site(loopback, {"/back": (200, {}, GOOD.blobs[0].content)})
    refused = (401, {"www-authenticate": "Basic realm=x"}, b"")
    site.replies[MANIFEST] = lambda headers: (
        (200, TYPE, GOOD.manifest.content) if headers.get("authorization") == AUTHORIZATION else refused
    )
    site.replies[CONFIG] = (307, {"location": f"{store.url}/store?signature=secret"}, b"")
    observed: list[Observation] = []
    looking = client(loopback, site.host, observed)

    assert looking.image(site.name).digest == GOOD.digest
    store.replies["/store"] = (307, {"location": f"{site.url}/back"}, b"")
    assert looking.image(site.name).digest == GOOD.digest
    store.replies["/store"] = refused
    with pytest.raises(UnreachableError, match="/store: expected to be let in, saw HTTP 401"):
        looking.image(site.name)
    assert {authorization for _, authorization in store.authorizations()} == {None}
    assert ("/back", None) in site.authorizations()
    assert (CONFIG, AUTHORIZATION) in site.authorizations()
    assert "signature" not in repr(observed)


def test_the_host_of_one_registry_is_not_anothers(loopback: "Loopback") -> None:
    """A pod's image may name any registry: it asks for the password in vain."""
    site = Site(loopback)
    for path in (MANIFEST, CONFIG):
        site.replies[path] = (401, {"www-authenticate": 'Basic realm="give me"'}, b"")

    with pytest.raises(UnreachableError, match=r"\$REGISTRY_PASSWORD is for registry\.nox\.example"):
        client(loopback, "registry.nox.example").image(site.name)
    assert site.authorizations() == [(MANIFEST, None)]


def test_plain_http_is_for_loopback_alone(loopback: "Loopback") -> None:
    site = Site(loopback)
    port = loopback.serve(site.talk)
    looking = client(loopback, f"http://localhost:{port}")

    assert looking.image(f"localhost:{port}/nox-api@{GOOD.digest}").digest == GOOD.digest
    elsewhere = client(loopback, "http://registry.nox.example")
    with pytest.raises(UnreachableError, match="expected https; without TLS anybody may answer"):
        elsewhere.image("registry.nox.example/nox-api:v8.0.0")


def test_a_registry_that_is_not_there(loopback: "Loopback") -> None:
    port = loopback.closed_port()
    with pytest.raises(UnreachableError, match="connection refused"):
        client(loopback, None).image(f"localhost:{port}/nox-api:v8.0.0")
