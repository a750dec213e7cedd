"""The names that git gives to contents, made without git: no filter of a repository is run for them."""

import hashlib
from pathlib import Path

_PIECE = 1 << 20


def blob_id(content: bytes, like: str) -> str:
    """Git's name for a content, by the hash that another name was made with."""
    make = hashlib.sha256 if len(like) == 2 * hashlib.sha256().digest_size else hashlib.sha1
    return make(b"blob %d\0" % len(content) + content).hexdigest()


def is_kept_elsewhere(path: Path, blob: str) -> bool:
    """Whether a blob is what Git LFS leaves in place of this file: its digest and its size."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest.hexdigest()}\nsize {size}\n"
    return blob_id(pointer.encode(), blob) == blob
