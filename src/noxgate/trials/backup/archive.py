"""An archive of pg_dump, one file or a folder: whether all of it can be read."""

import gzip
import hashlib
import subprocess
import zlib
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.trials import lacking
from noxgate.trials.backup.dump_file import MOST, DumpForm

_MAGIC = b"PGDMP"
_READING = 1800.0  # seconds
_CHUNK = 1 << 20


def form(path: Path, programs: Path) -> DumpForm:
    """Read it from beginning to end: its list of contents alone is whole in a file that was cut in half."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    size = sum(file.stat().st_size for file in files)
    head = path / "toc.dat" if path.is_dir() else path
    begins = head.is_file() and _first(head) == _MAGIC
    if not begins:
        return DumpForm(size, begins, ends=False, carriage_returns=0, noise=())
    said = [f"{file.name}: cut off" for file in files if file.suffix == ".gz" and not _is_whole(file)]
    try:
        done = subprocess.run(
            [programs / "pg_restore", "--file=/dev/null", path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_READING,
        )
    except OSError as error:
        raise UnreachableError(f"{programs / 'pg_restore'}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"pg_restore does not come to the end of it in {_READING:g} s") from None
    if lacks := lacking.of_archive(done.stderr):
        raise UnreachableError(lacks)
    ends = done.returncode == 0 and not said
    return DumpForm(size, begins, ends, 0, tuple([*said, *done.stderr.splitlines()][:MOST]))


def sums(folder: Path) -> list[str]:
    """As `cd FOLDER && sha256sum *` writes them."""
    found = []
    for file in sorted(folder.iterdir()):
        with file.open("rb") as content:
            found.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {file.name}")
    return sorted(found)


def _first(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(len(_MAGIC))


def _is_whole(file: Path) -> bool:
    try:
        with gzip.open(file) as content:
            while content.read(_CHUNK):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
