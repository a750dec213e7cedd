"""The last look before a run is sealed: no file may give a secret away, however deep it is packed.

A secret is one whose value we know, or what has the form of one.

A file is read as text in each encoding that it may be in, and what is packed inside is unpacked and read too:
gzip, zip, tar and their like, and base64 in any text. What cannot be looked into is treated as a leak.

Numbers in base64, as a load test keeps its times, are not text: among a million of them each form comes about
by chance. There a known secret is looked for, and a form in what can be read.
"""

import base64
import binascii
import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from noxgate.errors import NoxgateError
from noxgate.look.secret import Scrubber

DEEPEST = 6  # a packed file in a packed file in base64 …
MOST_BYTES = 500_000_000  # unpacked, of one file
UNREADABLE = "something that cannot be searched"
# Shorter runs hold no more of a secret than its fragments in base64, which the scrubber knows.
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|\\?[\r\n]|\\n|%2[BbFf]){23,}")
_WIDE = re.compile(rb"(?:[^\0]\0{1,3}){7,}[^\0]")
_READABLE = re.compile(rb"[\t\n\r -~]{24,}")  # longer than what numbers have by chance
_ASCII = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_HIGH = bytes(range(0x80, 0x100))
_ODD = 0.15  # of the bytes of a text, at the most, are not characters
_BREAKS = re.compile(rb"\\?[\r\n]+|\\n")
_STREAMS: dict[bytes, Callable[[io.BytesIO], io.BufferedIOBase]] = {
    b"\x1f\x8b\x08": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_ZLIB = {b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"}  # many a word begins so, too
_MAGIC = {*(magic[:2] for magic in _STREAMS), b"PK", *_ZLIB}
_PIECE = 64  # bytes
_BETWEEN = b" | "  # no run of base64 goes on across it
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError,
            NotImplementedError, ValueError)  # fmt: skip


class _UnreadableError(NoxgateError):
    """Something is packed in such a way that it cannot be searched."""


def leaks(folder: Path, scrubber: Scrubber) -> list[tuple[Path, str]]:
    """The files of `folder` that give a secret away, each with what: `$TEST_TOKEN`, or a form's name."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file()):
        name = scrubber.gives_away(str(path.relative_to(folder))) or _of_file(path, scrubber)
        if name:
            found.append((path, name))
    return found


def withheld(tree: Any, scrubber: Scrubber) -> Any:
    """A document without the texts in it that give a secret away, however deep it is packed in them."""
    match tree:
        case dict():
            return {name: withheld(value, scrubber) for name, value in tree.items()}
        case list() | tuple():
            return [withheld(value, scrubber) for value in tree]
        case str() if name := _of_content(tree.encode(errors="replace"), scrubber):
            return f"(text withheld: it would have shown {name})"
    return tree


def _of_file(path: Path, scrubber: Scrubber) -> str | None:
    if path.is_symlink():  # what it leads to is not ours to judge, and not sealed
        return UNREADABLE
    try:
        return _of_content(path.read_bytes(), scrubber)
    except OSError:
        return UNREADABLE


def _of_content(whole: bytes, scrubber: Scrubber) -> str | None:
    try:
        for content, is_text in _contents(whole, [MOST_BYTES], DEEPEST):
            for text in _texts(content):
                known = None if is_text else scrubber.find(text)
                if name := scrubber.gives_away(text) if is_text else known and f"${known}":
                    return name
    except (_UnreadableError, *_DAMAGED):
        return UNREADABLE
    return None


def _contents(content: bytes, left: list[int], depth: int) -> Iterator[tuple[bytes, bool]]:
    """The content and all that is packed in it, and whether it is text or a file, not numbers.

    `left` is how many bytes may still be unpacked.
    """
    left[0] -= len(content)
    if left[0] < 0 or depth == 0:
        raise _UnreadableError
    yield content, True
    for inner in _unpacked(content, left[0]):
        yield from _contents(inner, left, depth - 1)
    decoded = [found for run in _BASE64.finditer(content) if (found := _decoded(run[0])) is not None]
    for found in decoded:
        if found[:2] in _MAGIC:
            for inner in _as_far_as_it_goes(found, left[0]):
                yield from _contents(inner, left, depth - 1)
    said, numbers = [b""], [b""]  # each in one: there are thousands of words that look like base64
    for found in decoded:
        is_text = _is_text(found)
        said += [found] if is_text else _READABLE.findall(found)
        numbers += [] if is_text else [found]
    if said[1:]:
        yield from _contents(_BETWEEN.join(said), left, depth - 1)
    left[0] -= sum(map(len, numbers))
    yield _BETWEEN.join(numbers), False


def _is_text(found: bytes) -> bool:
    """Nearly all of it can be read, in any encoding that _texts knows."""
    try:
        found.decode()
        readable = _ASCII + _HIGH
    except UnicodeDecodeError:
        readable = _ASCII
    odd = len(found.translate(None, delete=readable))
    return odd <= _ODD * len(found) or _WIDE.search(found) is not None


def _unpacked(content: bytes, most: int) -> Iterator[bytes]:
    """The members of a packed file; nothing of one that is not packed."""
    for magic, opened in _STREAMS.items():
        if content.startswith(magic):
            with opened(io.BytesIO(content)) as file:
                yield file.read(most + 1)
    if content[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield member.filename.encode("utf-8", "replace") + member.comment
                with archive.open(member) as file:  # an encrypted one raises RuntimeError
                    yield file.read(most + 1)
    if content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for entry in archive:
                yield f"{entry.name}\n{entry.linkname}".encode("utf-8", "replace")
                if (inner := archive.extractfile(entry)) is not None:
                    yield inner.read(most + 1)
    if content[:2] in _ZLIB:
        yield from _as_far_as_it_goes(content, most)


def _as_far_as_it_goes(content: bytes, most: int) -> Iterator[bytes]:
    """What a stream says up to where it is damaged: a number in base64 may begin as a packed file does."""
    said = b""
    try:
        if content[:2] == b"PK":
            yield from _unpacked(content, most)
            return
        unpacker: Any = bz2.BZ2Decompressor() if content[:2] == b"BZ" else zlib.decompressobj(47)
        if content[:2] == b"\xfd7":
            unpacker = lzma.LZMADecompressor()
        for at in range(0, len(content), _PIECE):
            said += unpacker.decompress(content[at : at + _PIECE])
            if len(said) > most:
                raise _UnreadableError
    except _DAMAGED:
        pass
    yield said


def _decoded(run: bytes) -> bytes | None:
    """What a run of base64 says; it may be broken into lines, quoted in JSON or in a URL."""
    plain = _BREAKS.sub(b"", run).replace(b"-", b"+").replace(b"_", b"/")
    for quoted, character in ((b"%2B", b"+"), (b"%2b", b"+"), (b"%2F", b"/"), (b"%2f", b"/")):
        plain = plain.replace(quoted, character)
    try:
        return base64.b64decode(plain[: len(plain) // 4 * 4] + _rest(plain))
    except binascii.Error:
        return None


def _rest(plain: bytes) -> bytes:
    """The last group, filled up; one character alone says nothing."""
    rest = plain[len(plain) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _texts(content: bytes) -> Iterator[str]:
    """The content as text: UTF-8, the stretches in UTF-16 or -32, and all of it where it says so."""
    yield content.decode("utf-8", "replace")
    if wide := b" ".join(found[0].replace(b"\0", b"") for found in _WIDE.finditer(content)):
        yield wide.decode("latin-1")
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        yield content.decode("utf-16", "replace")
