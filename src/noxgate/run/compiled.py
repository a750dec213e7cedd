"""Whether a compiled file says what its source does: Python runs what it compiled, and reads no source.

It takes a compiled file for one of its source by time and size alone, and both can be those of another text.
And what it has read may lie elsewhere by now: so functions in memory are compared with the source, too.
"""

import gc
import importlib.util
import marshal
import os
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType

HEAD = 16  # bytes before the code: magic number, flags, and the source's time and size, or its hash
_BY_HASH, _HASH_COUNTS = 0b01, 0b10


def otherwise(folders: Sequence[Path]) -> Iterator[tuple[str, Path, Path]]:
    """Each loaded module of these folders, its source, and a compiled file that says something else."""
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or not isinstance(spec.loader, SourceFileLoader) or not spec.cached:
            continue
        source, compiled = Path(spec.loader.path), Path(spec.cached)
        if not any(source.is_relative_to(folder) for folder in folders):
            continue
        code = of_source(compiled, source)
        if code is not None and (right := of_file(source)) is not None and code != right:
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


def functions(root: Path, names: Container[str]) -> dict[Path, list[CodeType]]:
    """What the functions in memory do that say they are of these files below `root`, by file."""
    place = f"{os.path.realpath(root)}{os.sep}"
    real: dict[str, str] = {}
    found: dict[Path, list[CodeType]] = {}
    for one in gc.get_objects():
        if type(one) is not FunctionType:
            continue
        name = one.__code__.co_filename
        file = real.get(name) or real.setdefault(name, os.path.realpath(name) if "<" not in name else name)
        if file.startswith(place) and file.removeprefix(place) in names:
            found.setdefault(Path(file), []).append(one.__code__)
    return found


def foreign(codes: Iterable[CodeType], sources: Iterable[CodeType]) -> Iterator[CodeType]:
    """Those of the codes that are missing in these sources once they are compiled."""
    known: dict[tuple[str, int], list[CodeType]] = {}
    for source in sources:
        for code in _in(source):
            known.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    for code in codes:
        if not any(_same(code, one) for one in known.get((code.co_qualname, code.co_firstlineno), ())):
            yield code


def _in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _in(constant)


_COMPARED = (
    *("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags"),
    *("co_argcount", "co_posonlyargcount", "co_kwonlyargcount"),
)


def _same(one: object, other: object) -> bool:
    """Whether two codes, or constants of them, do the same. Python's own == may see how often one ran."""
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        alike = all(getattr(one, name) == getattr(other, name) for name in _COMPARED)
        return alike and _same(one.co_consts, other.co_consts)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def of_file(source: Path) -> CodeType | None:
    """What Python makes of a source; None if it cannot be read any more, which others say."""
    try:
        return _compiled(str(source), source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


@cache
def _compiled(name: str, content: bytes) -> CodeType:
    """Once for what is compared twice: with a compiled file, and with what is in memory."""
    code: CodeType = compile(content, name, "exec", dont_inherit=True)
    return code
