"""Whether a compiled file says what its source does: Python runs what it compiled, and reads no source.

It takes a compiled file for one of its source by time and size alone, and both can be those of another text.
"""

import importlib.util
import marshal
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

HEAD = 16  # bytes before the code: magic number, flags, and the source's time and size, or its hash
_BY_HASH, _HASH_COUNTS = 0b01, 0b10


def otherwise() -> Iterator[tuple[str, Path, Path]]:
    """Each module that was loaded with its source, and the compiled file that says something else."""
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or not isinstance(spec.loader, SourceFileLoader) or not spec.cached:
            continue
        source, compiled = Path(spec.loader.path), Path(spec.cached)
        code = of_source(compiled, source)
        if code is not None and (right := _compile(source)) is not None and code != right:
            yield name, source, compiled


def of_source(compiled: Path, source: Path) -> CodeType | None:
    """The code of a compiled file that Python would take for one of this source; None if it would not."""
    try:
        content, stat = compiled.read_bytes(), source.stat()
    except OSError:
        return None
    head = content[:HEAD]
    if head[:4] != importlib.util.MAGIC_NUMBER:
        return None
    flags = int.from_bytes(head[4:8], "little")
    if not flags & _BY_HASH:
        of = (int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF)
        if (int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:], "little")) != of:
            return None
    elif flags & _HASH_COUNTS and head[8:] != importlib.util.source_hash(source.read_bytes()):
        return None
    try:
        code = marshal.loads(content[HEAD:])  # noqa: S302 (Python has run it already)
    except (ValueError, EOFError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


def _compile(source: Path) -> CodeType | None:
    """What Python makes of a source; None where it cannot be read any more, which others say."""
    try:
        code: CodeType = compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return None
    return code
