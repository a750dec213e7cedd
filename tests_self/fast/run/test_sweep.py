"""The sweep before sealing finds a secret however it is packed, and refuses what it cannot unpack."""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import random
import tarfile
import zipfile
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from noxgate.look.secret import LARGE, Scrubber, Secret
from noxgate.run import sweep

SECRET = "kX7\"<&'+/p%Zq9 wé\\T4"  # noqa: S105 (a canary)
SCRUBBER = Scrubber([Secret("TEST_TOKEN", SECRET)])


def packed(text: str) -> bytes:
    """As a load test's result is."""
    return gzip.compress(json.dumps({"said": text}).encode())


def zipped(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("harmless.txt", "nothing")
        archive.writestr("inner.gz", gzip.compress(text.encode()))
    return file.getvalue()


def tarred(text: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("inner.txt")
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    return file.getvalue()


def in_lines(text: str) -> bytes:
    return base64.encodebytes(html.escape(f"{'x' * 60}{text}").encode())


WAYS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "gzip": packed,
    "zip": zipped,
    "tar": tarred,
    "bzip2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "zlib": lambda text: zlib.compress(text.encode()),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: b"\x01\x02\x03" + text.encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32-le"),
    "base64 of HTML": in_lines,
    "base64 of gzip in HTML": lambda text: (
        f"<img src='data:application/gzip;base64,{base64.b64encode(packed(text)).decode()}'>".encode()
    ),
    "base64 of base64 of JSON": lambda text: base64.b64encode(
        base64.b64encode(f"--{json.dumps(text)}".encode())
    ),
    "base64 in a URL": lambda text: quote(base64.b64encode(quote(text).encode()), safe="").encode(),
    "base64 of zip": lambda text: base64.urlsafe_b64encode(zipped(text)),
    "far down in a large file": lambda text: (
        "Lorem ipsum dolor sit amet, " * (LARGE // 10) + html.escape(json.dumps(text))
    ).encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_found(way: str, tmp_path: Path) -> None:
    """And the same file without it is clean."""
    (tmp_path / "file").write_bytes(WAYS[way](f"the first words, {SECRET}, and the last"))
    assert sweep.leaks(tmp_path, SCRUBBER) == [(tmp_path / "file", "$TEST_TOKEN")]

    (tmp_path / "file").write_bytes(WAYS[way]("the first words, and the last"))
    assert sweep.leaks(tmp_path, SCRUBBER) == []


def locked() -> bytes:
    """A zip file that says of itself that it is encrypted."""
    content = bytearray(zipped("nothing"))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def deep() -> bytes:
    content = b"nothing"
    for _ in range(sweep.DEEPEST):
        content = gzip.compress(content)
    return content


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(packed("nothing")[:-9], id="cut"),
        pytest.param(packed("x" * 1000)[:20] + b"\xff" * 20, id="damaged"),
        pytest.param(locked(), id="encrypted"),
        pytest.param(deep(), id="too-deep"),
    ],
)
def test_what_nobody_can_look_into_is_a_leak(content: bytes, tmp_path: Path) -> None:
    """Fail closed."""
    (tmp_path / "file").write_bytes(content)

    assert sweep.leaks(tmp_path, SCRUBBER) == [(tmp_path / "file", sweep.UNREADABLE)]


def test_more_than_anybody_can_look_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes that unpack to a flood."""
    monkeypatch.setattr(sweep, "MOST_BYTES", 1_000_000)
    (tmp_path / "file").write_bytes(gzip.compress(b" " * 2_000_000))
    (tmp_path / "link").symlink_to("/etc/hostname")

    assert [found for _, found in sweep.leaks(tmp_path, SCRUBBER)] == [sweep.UNREADABLE] * 2


def test_numbers_that_look_packed_are_none(tmp_path: Path) -> None:
    """A load test keeps its times as base64: some of them begin as a packed file does."""
    for start in (b"\x1f\x8b\x08", b"PK\x03\x04", b"BZh", b"x\x9c", b"\xfd7zXZ\0"):
        (tmp_path / start.hex()).write_bytes(base64.b64encode(start + b"\x0b\xd1\x7e" * 20))

    assert sweep.leaks(tmp_path, SCRUBBER) == []


@pytest.mark.parametrize("typical", [0.0008, 0.05], ids=["a colon in each", "an equals sign in each"])
def test_a_million_response_times_say_nothing(typical: float, tmp_path: Path) -> None:
    """As a load test keeps them: the fourth byte of nearly every number is the same sign."""
    chance = random.Random(2)  # noqa: S311 (a seed, so that a failure repeats)
    windows = [array("f", (typical * chance.lognormvariate(0, 0.4) for _ in range(700))) for _ in range(1000)]
    kept = {number: base64.b64encode(each.tobytes()).decode() for number, each in enumerate(windows)}
    (tmp_path / "result.json").write_text(json.dumps(kept))

    assert sweep.leaks(tmp_path, SCRUBBER) == []


UNTOLD = "client_secret=Zk3vQ9tLw2Xa"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(UNTOLD.encode(), id="text"),
        pytest.param(f"grüße, {UNTOLD}".encode("latin-1"), id="latin-1"),
        pytest.param(UNTOLD.encode("utf-16-le"), id="utf-16"),
        pytest.param(
            bytes(range(128, 256)) * 9 + UNTOLD.encode() + bytes(range(128, 256)), id="in a program"
        ),
        pytest.param(base64.b64encode(UNTOLD.encode()), id="twice"),
        pytest.param(b"\xff" * 99 + base64.b64encode(UNTOLD.encode()) + b"\xff", id="twice, in a program"),
    ],
)
def test_a_form_in_base64(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"<" + base64.b64encode(content) + b">")

    assert len(sweep.leaks(tmp_path, SCRUBBER)) == 1


def test_a_known_secret_among_numbers(tmp_path: Path) -> None:
    numbers = array("f", [0.0008, 0.05] * 50).tobytes()
    (tmp_path / "file").write_bytes(base64.b64encode(numbers + SECRET.encode()[:12] + numbers))

    assert [name for _, name in sweep.leaks(tmp_path, SCRUBBER)] == ["$TEST_TOKEN"]


def test_a_document_without_what_is_packed_in_it() -> None:
    """Only the text that gives it away is left out."""
    hidden = base64.b64encode(packed(SECRET)).decode()

    assert sweep.withheld({"a": ["good", hidden], "b": 1}, SCRUBBER) == {
        "a": ["good", "(text withheld: it would have shown $TEST_TOKEN)"],
        "b": 1,
    }
