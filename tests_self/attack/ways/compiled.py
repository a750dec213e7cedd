"""What Python runs is otherwise, and every source is as it must be whenever somebody looks."""

import ast
import importlib.util
import marshal
import shutil
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType

from _pytest.assertion.rewrite import PYC_TAIL, rewrite_asserts
from tests_self.attack.attempt import Attempt, Way
from tests_self.attack.ways.project import CHECK, HEALTHY
from tests_self.attack.ways.surroundings import PATCH, packages
from tests_self.attack.world import RELEASE

CLIENT = "src/nox_service/api.py"


def forged(source: Path, code: CodeType, folder: Path | None = None) -> None:
    """A compiled file that Python takes for one of the source, by its time and size."""
    stat = source.stat()
    of = struct.pack("<III", 0, int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF)
    place = (folder or source.parent / "__pycache__") / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # it may have another name elsewhere
    place.write_bytes(importlib.util.MAGIC_NUMBER + of + marshal.dumps(code))


def of_client(source: Path) -> CodeType:
    text = source.read_text().replace("def get_often", "def get_seldom") + HEALTHY
    code: CodeType = compile(text, str(source), "exec", dont_inherit=True)
    return code


def client(at: Attempt) -> None:
    source = at.file(CLIENT)
    forged(source, of_client(source))
    at.gate()


def elsewhere(*words: str) -> Callable[[Attempt], None]:
    """Where an option of Python, or a variable, leads to it."""

    def play(at: Attempt) -> None:
        source = at.file(CLIENT)
        forged(source, of_client(source), at.beside / str(source.parent).lstrip("/"))
        given = [word.replace("{beside}", str(at.beside)) for word in words]
        at.pytest("-m", "staging", "--target=staging", python=given)

    return play


def check(at: Attempt) -> None:
    """As pytest compiles it, with the hash of the committed text."""
    source = at.file(CHECK)
    text = source.read_text()
    weak = text.replace("faults.health(answers) == []", "answers != []")
    assert weak != text, f"{CHECK}: the way must be written anew"
    tree = ast.parse(weak)
    rewrite_asserts(tree, weak.encode(), str(source))
    code = compile(tree, str(source), "exec", dont_inherit=True)
    place = source.parent / "__pycache__" / f"{source.stem}{PYC_TAIL}"
    place.parent.mkdir(exist_ok=True)
    of = struct.pack("<I", 3) + importlib.util.source_hash(text.encode())
    place.write_bytes(importlib.util.MAGIC_NUMBER + of + marshal.dumps(code))
    at.gate()


def package(place: Path) -> None:
    source = place / "httpx" / "__init__.py"
    forged(source, compile(source.read_text() + PATCH, str(source), "exec", dont_inherit=True))


def swapped(at: Attempt) -> None:
    """Another folder of checks is there while they are read, and the commit's whenever the gate looks."""
    real, evil = at.file("tests_staging"), at.beside / "tests_staging"
    shutil.copytree(real, evil, ignore=shutil.ignore_patterns("__pycache__"))
    path = evil / Path(CHECK).name
    path.write_text(path.read_text().replace("faults.health(answers) == []", "answers != []"))
    runs = at.root / "reports" / RELEASE

    def swap() -> None:
        if seen(lambda: any(runs.glob(".running-*"))):
            real.rename(at.beside / "real")
            evil.rename(real)
            seen(lambda: any(real.glob("__pycache__/test_version*")))
            real.rename(evil)
            (at.beside / "real").rename(real)

    thread = threading.Thread(target=swap)
    thread.start()
    at.gate()
    thread.join()


def seen(what: Callable[[], bool]) -> bool:
    """Wait for something that a run does, as closely as one can."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if what():
            return True
    return False


COMPILED = (
    Way("forged compiled file of the engine", client),
    Way("forged compiled file of a check", check),
    Way("forged compiled file of a package", packages(package)),
    Way("folder of checks swapped while it is read", swapped),
    Way("-X pycache_prefix with a forged file", elsewhere("-X", "pycache_prefix={beside}")),
)
