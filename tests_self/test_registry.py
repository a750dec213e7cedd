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

from noxgate.clients import registry_answers as answers
from noxgate.clients.observation import Observation, Patience
from noxgate.clients.registry import MOST_BYTES, Registry
from noxgate.clients.registry_answers import BASE_DIGEST, REVISION, Image
from noxgate.clients.registry_session import ROLE, RegistrySession
from noxgate.rehearsal import certificates, images, registry
from noxgate.rehearsal.images import BuiltImage
from noxgate.rehearsal.ports import free_ports
from noxgate.rehearsal.processes import Crew
from noxgate.target import UnreachableError

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
) -> Registry:
    """A client with a password for `home`."""
    target = loopback.target(9)
    if password is not None:
        target = replace(
            target, credentials={ROLE: "REGISTRY_PASSWORD"}, variables={"REGISTRY_PASSWORD": password}
        )
    session = RegistrySession(replace(target, ca_file=ca_file or target.ca_file), home)
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


def test_what_the_rehearsal_has_in_stock(loopback: "Loopback", running: Running) -> None:
    """Both versions and their base, which the images name as it is named there."""
    digests = registry.stock(running.registry, {"9.0.0": COMMIT, "8.9.9": COMMIT_BEFORE})
    looking = ours(loopback, running)
    one = looking.image(f"{running.registry.host}/nox-api:v9.0.0")
    base = looking.image(one.labels["org.opencontainers.image.base.name"])

    assert digests.keys() == {"9.0.0", "8.9.9"}
    assert (one.digest, one.labels[REVISION]) == (digests["9.0.0"], COMMIT)
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
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
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
        "linux/amd64 .platforms: linux/s390x, unknown/unknown": {
            TAG: (200, {"content-type": images.INDEX}, other.manifest.content)
        },
    }
    for why, replies in cases.items():
        site = Site(loopback, replies)
        with pytest.raises(AssertionError, match=why):
            client(loopback, site.host).image(f"{site.host}/nox-api:v8.0.0")


# ---------------------------------------------------------------- signing in


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
