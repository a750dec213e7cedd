"""Compiled files and functions are of the source that is committed."""

import importlib.util
import marshal
import py_compile
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from tests_self.fast.run.commit.edited import found

from noxgate.run import compiled, loaded


def imported(site: Path) -> tuple[Path, Path]:
    """The module of the package, as Python imports it; its source, and what it was compiled to."""
    spec = importlib.util.spec_from_file_location("fine", site / "fine.py")
    assert spec is not None
    assert spec.loader is not None
    assert spec.cached is not None
    sys.modules["fine"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["fine"])
    if not Path(spec.cached).exists():
        py_compile.compile(str(site / "fine.py"))
    return site / "fine.py", Path(spec.cached)


def test_a_compiled_file_of_its_source(site: Path, tmp_path: Path) -> None:
    imported(site)

    assert found(tmp_path / "root") == []


@pytest.mark.parametrize(
    "mode",
    [
        py_compile.PycInvalidationMode.TIMESTAMP,
        py_compile.PycInvalidationMode.UNCHECKED_HASH,
        py_compile.PycInvalidationMode.CHECKED_HASH,
    ],
)
def test_a_compiled_file_of_another_source(
    site: Path, tmp_path: Path, mode: py_compile.PycInvalidationMode
) -> None:
    """Of the same size and time, or of its hash: also by accident, where a file is put back in a second."""
    source, compiled = imported(site)
    py_compile.compile(str(source), invalidation_mode=mode)
    head = compiled.read_bytes()[:16]
    compiled.write_bytes(head + marshal.dumps(compile("VALUE = 43\n", str(source), "exec")))

    (said,) = found(tmp_path / "root")
    assert said == f"fine ({compiled}: {loaded.NOT_OF_SOURCE})"


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 40, importlib.util.MAGIC_NUMBER + b"\0" * 12 + marshal.dumps(compile("1", "", "eval"))],
)
def test_a_compiled_file_that_python_does_not_take(site: Path, tmp_path: Path, content: bytes) -> None:
    """Healthy and odd: of another Python, broken off, or of a source that is older."""
    _, compiled = imported(site)
    compiled.write_bytes(content)

    assert found(tmp_path / "root") == []


def code(text: str) -> CodeType:
    return compile(text, "x.py", "exec")


ONE = """
def one(a, b=1):
    return a in {"x", "y"} and (lambda: b)

class Two:
    @property
    def three(self):
        return [x for x in (1, 2)]
"""


def functions_of(text: str) -> list[CodeType]:
    """As they are in memory once they have run so often that Python has adapted them."""
    said: dict[str, Any] = {}
    exec(code(text), said)  # noqa: S102
    for _ in range(99):
        said["one"](0)
        assert said["Two"]().three
    return [said["one"].__code__, said["Two"].three.fget.__code__]


def test_functions_of_their_source() -> None:
    assert list(compiled.foreign(functions_of(ONE), [code("0"), code(ONE)])) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(('"y"', '"z"'), ("b=1", "c=1"), (" and ", " or ")),
        *(("(1, 2)", "(1, 3)"), ("def one", "\ndef one")),
    ],
)
def test_functions_of_another_source(old: str, new: str) -> None:
    """A name, a constant deep inside, a line."""
    changed = ONE.replace(old, new).replace(": b)", ": c)" if "c=" in new else ": b)")

    assert len(list(compiled.foreign(functions_of(changed), [code(ONE)]))) in {1, 2}


def test_functions_are_found_by_their_file(tmp_path: Path) -> None:
    """By any way that led to it; the packages of an environment in the checkout are not the project's."""
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    said: dict[str, Any] = {}
    exec(compile("def one(): pass\n", str(tmp_path / "link" / "x.py"), "exec"), said)  # noqa: S102
    exec(compile("def two(): pass\n", "<string>", "exec"), said)  # noqa: S102

    exec(compile("def three(): pass\n", str(tmp_path / "here" / ".venv" / "x.py"), "exec"), said)  # noqa: S102
    (found_,) = compiled.functions(tmp_path / "here", {"x.py"}).items()
    assert (found_[0], [each.co_name for each in found_[1]]) == (tmp_path / "here" / "x.py", ["one"])
