"""Names, platforms and bases of images."""

from dataclasses import replace

import pytest

from noxgate.systems.registry import answers
from noxgate.systems.registry.answers import BASE_DIGEST, Image
from noxgate.systems.registry.names import named
from noxgate.systems.registry.platforms import agree, runs_on


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
    assert str(named(text)) == expected


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
        named(text)


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
        ("linux/amd64", "linux/amd64/v3", True),
        ("linux/amd64/v2", "linux/amd64/v3", True),
        ("linux/amd64/v4", "linux/amd64/v3", False),
        ("linux/arm/v6", "linux/arm/v7", True),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm", "linux/arm/v6", False),
        ("linux/arm64", "linux/arm64/v9", True),
        ("linux/arm64/v8.2", "linux/arm64/v8.1", False),
        ("linux/riscv64/rva22u64", "linux/riscv64/rva22u64", True),
        ("linux/riscv64/rva22u64", "linux/riscv64", False),
        ("linux/arm64", "linux/arm", False),
        ("windows/amd64", "linux/amd64", False),
        ("", "linux/amd64", False),
    ],
)
def test_platforms(image: str, wanted: str, *, expected: bool) -> None:
    assert runs_on(image, wanted) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("linux/arm", "linux/arm/v7", True),
        ("linux/amd64/v3", "linux/amd64", True),
        ("linux/x86_64", "linux/amd64", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_platforms_that_may_be_one(one: str, other: str, *, expected: bool) -> None:
    """Scanners leave the variant out, or write it elsewhere."""
    assert agree(one, other) is expected
    assert agree(other, one) is expected
