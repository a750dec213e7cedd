"""What registries answer: forms, indexes, and what is not a proper answer."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.registries import (
    COMMIT,
    CONFIG,
    GOOD,
    HTML,
    MANIFEST,
    TAG,
    TYPE,
    Reply,
    Site,
    client,
    config,
    manifest,
)

from nox_rehearsal.parts import images
from noxgate.errors import UnreachableError
from noxgate.systems.registry import answers
from noxgate.systems.registry.client import MOST_BYTES

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

    from noxgate.look.observation import Observation


SCHEMA_1 = json.dumps({"schemaVersion": 1, "name": "nox-api", "fsLayers": [], "signatures": []}).encode()
SIGNED = {"content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
WRONG_FORM = (
    b'{"errors":[{"code":"MANIFEST_UNKNOWN",'
    b'"message":"OCI index found, but accept header does not support OCI indexes"}]}'
)
BAD: dict[str, tuple[Mapping[str, Reply], str]] = {
    "another image": ({MANIFEST: manifest(annotations={})}, f"expected {GOOD.digest}, saw sha256:"),
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
    "two types": ({TAG: manifest(mediaType=images.INDEX)}, "served as"),
    "both": ({TAG: manifest(manifests=[])}, "a manifest and an index in one"),
    "no layers": ({TAG: (200, TYPE, b'{"schemaVersion":2,"config":{}}')}, "KeyError"),
    "odd digest": ({TAG: manifest(layers=[{"digest": "sha256:1"}])}, "in place of a digest"),
    "told another": (
        {TAG: (200, TYPE | {"docker-content-digest": f"sha256:{'0' * 64}"}, GOOD.manifest.content)},
        f"expected sha256:{'0' * 64}, saw {GOOD.digest}",
    ),
    "another size": (
        {TAG: manifest(config=GOOD.blobs[0].descriptor() | {"size": 7})},
        "expected 7 bytes, saw HTTP 200",
    ),
    "no diff ids": (config(rootfs={"type": "layers", "diff_ids": []}), "0 diff ids for 2 layers"),
    "odd time": (config(created="yesterday"), "Invalid isoformat"),
    "odd variables": (config(config={"Env": 7}), "TypeError"),
    "odd labels": (config(config={"Labels": ["x"]}), "list in place of an object"),
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
    site = Site(loopback, {TAG: manifest()})
    looking = client(loopback, None, password=None)

    assert looking.image(site.name).digest == GOOD.digest
    assert looking.image(f"{site.host}/nox-api:v8.0.0").config_digest == GOOD.blobs[0].digest


def test_what_is_not_there_in_a_proper_answer(loopback: "Loopback") -> None:
    """An image that has lost its configuration, one for another platform, and another kind of thing."""
    gone: Reply = (404, {}, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
    chart = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": GOOD.digest, "size": 2}
    other = images.index({"linux/s390x": GOOD, "unknown/unknown": GOOD})
    cases: dict[str, Mapping[str, Reply]] = {
        "but not its part sha256": {TAG: manifest(), CONFIG: gone},
        "is not an image: it has application/vnd.cncf.helm": {TAG: manifest(config=chart)},
        "is for linux/no processor, says its configuration": config(architecture=""),
        "is for no system/amd64, says its configuration": config(os=None),
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
    """By any Accept that the registry honours, and with any type that it says then."""
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
    site = Site(loopback, {TAG: manifest(layers=layers)})

    image = client(loopback, None, password=None).image(f"{site.host}/nox-api:v8.0.0")
    assert image.layers == tuple(layer["digest"] for layer in layers)


# ---------------------------------------------------------------- what an index may hold

ENTRY = GOOD.manifest.descriptor()
AMD64 = {"os": "linux", "architecture": "amd64"}
SIGNATURE = images.Blob(
    json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": images.MANIFEST,
            "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "digest": f"sha256:{'4' * 64}",
                "size": 2,
            },
            "layers": [],
            "subject": ENTRY,
        }
    ).encode(),
    images.MANIFEST,
)
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"


def listed(*entries: Mapping[str, Any]) -> images.Blob:
    """An index of these."""
    document = {"schemaVersion": 2, "mediaType": images.INDEX, "manifests": list(entries)}
    return images.Blob(json.dumps(document).encode(), images.INDEX)


def entry(blob: images.Blob, **more: Any) -> Mapping[str, Any]:
    return {**blob.descriptor(), **more}


def nested(times: int, **platform: Any) -> list[images.Blob]:
    """The image within indexes; the outermost is the last."""
    found = [GOOD.manifest]
    for _ in range(times):
        found.append(listed(entry(found[-1], **platform)))
    return found


def holding(loopback: "Loopback", *blobs: images.Blob) -> Site:
    """A registry with these; the last is under the tag."""
    replies = {
        f"/v2/nox-api/manifests/{each.digest}": (200, {"content-type": each.media_type}, each.content)
        for each in blobs
    }
    return Site(loopback, {**replies, TAG: replies[f"/v2/nox-api/manifests/{blobs[-1].digest}"]})


@pytest.mark.parametrize(
    "blobs",
    [
        nested(2),
        nested(3, platform=AMD64),
        nested(5),
        [listed(entry(GOOD.manifest, mediaType=ARTIFACT), entry(GOOD.manifest, platform=AMD64))],
        [listed(entry(GOOD.manifest, mediaType="application/x-of-tomorrow"), entry(GOOD.manifest))],
        [SIGNATURE, listed(entry(SIGNATURE), entry(GOOD.manifest))],
        [SIGNATURE, listed(entry(SIGNATURE, platform=AMD64), entry(GOOD.manifest, platform=AMD64))],
        [
            SIGNATURE,
            listed(entry(SIGNATURE)),
            listed(entry(listed(entry(SIGNATURE))), entry(GOOD.manifest, platform=AMD64)),
        ],
        [listed(entry(GOOD.manifest, platform={**AMD64, "os.features": ["x"], "os.version": "1"}))],
    ],
)
def test_what_an_index_may_hold(loopback: "Loopback", blobs: list[images.Blob]) -> None:
    """Indexes in it, signatures, types that are unknown today: the image is found among them."""
    site = holding(loopback, *blobs)

    image = client(loopback, None, password=None).image(f"{site.host}/nox-api:v8.0.0")

    assert (image.digest, image.manifest_digest) == (blobs[-1].digest, GOOD.digest)


@pytest.mark.parametrize(
    ("blobs", "why"),
    [
        (nested(6), r"has no image for linux/amd64 \(platforms: none\)"),
        ([SIGNATURE, listed(entry(SIGNATURE, platform=AMD64))], "has no image for linux/amd64"),
        ([listed(entry(GOOD.manifest, mediaType=ARTIFACT))], "has no image for linux/amd64"),
        ([listed()], "has no image for linux/amd64"),
        (nested(2, platform={**AMD64, "architecture": "riscv64"}), r"\(platforms: linux/riscv64\)"),
        (
            [listed(entry(GOOD.manifest, platform={**AMD64, "variant": "v4"}))],
            r"\(platforms: linux/amd64/v4\)",
        ),
    ],
)
def test_an_index_without_the_image(loopback: "Loopback", blobs: list[images.Blob], why: str) -> None:
    """The registry answers and lacks the image: that is charged to the release, it is not a failed look."""
    site = holding(loopback, *blobs)

    with pytest.raises(AssertionError, match=why):
        client(loopback, None, password=None).image(f"{site.host}/nox-api:v8.0.0")


def test_the_closest_of_several_variants(loopback: "Loopback") -> None:
    """What a node pulls is built for as much of its processor as it has, wherever in the index it stands."""
    better = images.nox_api("8.0.0", revision=COMMIT, on=images.base(), labels={"variant": "v3"})
    site = holding(
        loopback,
        better.manifest,
        listed(
            entry(GOOD.manifest, platform=AMD64),
            entry(better.manifest, platform={**AMD64, "variant": "v3"}),
            entry(GOOD.manifest, platform={**AMD64, "variant": "v4"}),
        ),
    )
    config = better.blobs[0]
    site.replies[f"/v2/nox-api/blobs/{config.digest}"] = (200, {}, config.content)

    for platform, expected in {"linux/amd64": GOOD, "linux/amd64/v2": GOOD, "linux/amd64/v3": better}.items():
        image = client(loopback, None, password=None, platform=platform).image(f"{site.host}/nox-api:v8.0.0")
        assert image.manifest_digest == expected.digest, platform
