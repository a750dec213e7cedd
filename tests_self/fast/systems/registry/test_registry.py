"""Registries: the rehearsal's, which is the real one, and the client of it."""

import gzip
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests_self.registries import COMMIT, COMMIT_BEFORE, CREDENTIALS, client

from nox_rehearsal.parts import certificates, images, registry
from nox_rehearsal.parts.images import BuiltImage
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.processes import Crew
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.systems.registry import answers
from noxgate.systems.registry.answers import BASE_DIGEST, REVISION, Image
from noxgate.systems.registry.client import Registry

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


class Running(NamedTuple):
    """A registry that runs, with what was pushed; and how long it took to come up, and to be filled."""

    registry: registry.RegistryServer
    seconds: float
    filling: float
    images: Mapping[str, BuiltImage]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests: the release and the version before on one base, and an index."""
    folder = tmp_path_factory.mktemp("registry")
    authority = certificates.authority()
    authority.write(folder / "ca.pem", folder / "ca.key")
    with reserved(1) as (port,):
        where = registry.RegistryServer(port, folder / "ca.pem", CREDENTIALS.partition(":")[2])
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


def ours(
    loopback: "Loopback", running: Running, observed: list[Observation] | None = None, **changes: Any
) -> Registry:
    """A client of the registry that runs."""
    where = running.registry
    return client(loopback, where.host, observed, ca_file=where.ca_file, **changes)


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
    """By the label, and without it by the layers; the base built again is another, with the same tag, too."""
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
    """The configurations do. What is not an image, such as what a builder attests with it, is passed over."""
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
    """As a builder adds what it attests: the first entry is not an image, and says so."""
    document = json.loads(index.manifest.content)
    document["manifests"][0]["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    return replace(index, manifest=images.Blob(json.dumps(document).encode(), images.INDEX))


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
