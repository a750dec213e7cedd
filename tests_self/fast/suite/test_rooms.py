"""The house: which room is for what, beside the contracts of imports in pyproject.toml."""

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import noxgate
from noxgate import errors

ROOT = Path(__file__).parents[3]
FOLDERS = ("tests_preflight", "tests_staging", "tests_production")
MOST_FILES = 14
LISTS = {"src/nox_rehearsal/sabotages"}  # a file for each topic of checks
MOST_TESTS = 20
NOT_FOR_CHECKS = ("noxgate.plugin", "noxgate.run", "noxgate.trust", "noxgate.reports", "noxgate.cli")


@pytest.mark.parametrize("folder", FOLDERS)
def test_checks_only_look(folder: str) -> None:
    """Contract 10: verdict and evidence are the plugin's, and conftest.py brings what a check is given."""
    files = sorted((ROOT / folder).glob("test_*.py"))
    imported = {module for file in files for module in modules(file)}

    assert imported
    assert [module for module in sorted(imported) if module.startswith(NOT_FOR_CHECKS)] == []


def test_no_test_imports_another() -> None:
    """What several tests build is in tests_self/building, or beside them: a test can be moved alone."""
    found = {
        (file.name, module)
        for file in (ROOT / "tests_self").rglob("*.py")
        for module in modules(file)
        if any(part.startswith("test_") for part in module.split("."))
    }

    assert found == set()


def test_no_contract_has_exceptions() -> None:
    """Beside the contracts of pyproject.toml there is nothing to read."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

    assert {contract["name"].partition(".")[0] for contract in settings["contracts"]} == {
        str(number)
        for number in range(1, 13)
        if number != 10  # above
    }
    assert [contract["name"] for contract in settings["contracts"] if "ignore_imports" in contract] == []


def modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_httpx_is_given_contexts_that_threads_may_share() -> None:
    """noxgate.machine.tls says why; another context is for other clients."""
    clients = [file for file in (ROOT / "src").rglob("*.py") if {"httpx"} & set(modules(file))]
    found = [file.name for file in clients if "create_default_context" in file.read_text(encoding="utf-8")]

    assert len(clients) > 10
    assert found == []


@pytest.mark.parametrize(("top", "most"), [("src", MOST_FILES), ("tests_self", MOST_TESTS)])
def test_no_folder_is_crowded(top: str, most: int) -> None:
    """But the list of sabotages."""
    sizes = {
        folder.relative_to(ROOT).as_posix(): sum(path.is_file() for path in folder.iterdir())
        for folder in (ROOT / top, *(ROOT / top).rglob("*"))
        if folder.is_dir() and folder.name != "__pycache__"
    }

    assert {folder for folder, size in sizes.items() if size > most} <= LISTS


def test_every_test_has_a_room() -> None:
    """In proof/, or in a room of fast/ that is one of src; suite/ is about the repository itself."""
    tests = [file.relative_to(ROOT / "tests_self") for file in (ROOT / "tests_self").rglob("test_*.py")]
    rooms = {file.parent.relative_to("fast").as_posix() for file in tests if file.parts[0] == "fast"}
    src = {file.relative_to(ROOT / "src").with_suffix("") for file in (ROOT / "src").rglob("*.py")}
    named = {path.as_posix().removeprefix("noxgate/") for path in src | {path.parent for path in src}}

    assert {file.parts[0] for file in tests} == {"fast", "proof"}
    assert rooms - named == {"suite"}


def test_a_name_is_one_class_in_a_package() -> None:
    """A reader who meets two of them has to ask which is meant."""
    where: dict[tuple[str, str], list[str]] = {}
    for file in (ROOT / "src").rglob("*.py"):
        place = file.relative_to(ROOT / "src")
        for name in public_classes(ast.parse(file.read_text(encoding="utf-8"))):
            where.setdefault((place.parts[0], name), []).append(place.as_posix())

    assert where["noxgate", "Line"] == ["noxgate/project/runbook.py"]
    assert {one: files for one, files in where.items() if len(files) > 1} == {}


def test_no_file_meets_two_classes_of_one_name() -> None:
    """Packages may each have a class of a name; where two meet, one of them has a name of its own."""
    src = {
        file.relative_to(ROOT / "src").with_suffix("").as_posix().replace("/", "."): file
        for file in (ROOT / "src").rglob("*.py")
    }
    classes = {
        module: set(public_classes(ast.parse(file.read_text(encoding="utf-8"))))
        for module, file in src.items()
    }
    names = Counter(name for found in classes.values() for name in found)
    files = [file for top in ("src", "load", "tests_self", *FOLDERS) for file in (ROOT / top).rglob("*.py")]
    met = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in files
        for name, modules in met_classes(file, classes).items()
        if names[name] > 1 and len(modules) > 1
    }

    assert met == set()


def met_classes(file: Path, classes: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
    """Name -> the modules that it is a class of, of those that a file defines or uses."""
    code = ast.parse(file.read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    whole = set()
    for module in modules(file):
        package, _, name = module.rpartition(".")
        if module in classes:
            whole.add(module)
        elif name in classes.get(package, ()):
            found.setdefault(name, set()).add(package)
    for node in ast.walk(code):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            for module in whole:
                if module.rpartition(".")[2] == node.value.id and node.attr in classes[module]:
                    found.setdefault(node.attr, set()).add(module)
    if file.is_relative_to(ROOT / "src"):
        own = file.relative_to(ROOT / "src").with_suffix("").as_posix().replace("/", ".")
        for name in classes[own]:
            found.setdefault(name, set()).add(own)
    return found


def public_classes(module: ast.Module) -> Iterator[str]:
    """Those at its top."""
    return (one.name for one in module.body if isinstance(one, ast.ClassDef) and one.name[0] != "_")


def test_every_package_says_what_it_is_for() -> None:
    """In one line."""
    files = list((ROOT / "src").rglob("__init__.py"))

    assert files
    assert [file for file in files if not ast.get_docstring(ast.parse(file.read_text()))] == []


def test_the_tree_of_errors_is_as_drawn() -> None:
    """Each error of the engine, below the nearest one of the engine that it derives from."""
    found = {error.__name__: above(error) for error in engines_errors() if error.__name__[0] != "_"}
    apart = {name for name, over in found.items() if not over} - {"NoxgateError"}

    assert apart == {"MissingError"}  # of the doctor, which runs before there is a package
    assert drawn(errors.__doc__ or "") == {name: found[name] for name in found if name not in apart}


# What errors.py says of them, in its last lines.
APART = {
    "noxgate/machine": {"MissingError", "_AptError"},
    "noxgate_load": {"WireError", "TimeUp"},
    "nox_rehearsal/api": {"SettingsError", "TokenError", "BackendError"},
    "nox_rehearsal/science": {"ProgramError", "InputError"},
    "kube_standin": {
        *("SettingsError", "ScheduleError", "TypeMismatchError", "RefusedError", "PlainError"),
    },
}


def test_no_other_error_has_a_root_of_its_own() -> None:
    """Of all packages: whoever adds one hangs it on the tree, or says here why not."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "src").rglob("*.py"):
        place = file.relative_to(ROOT / "src").as_posix()
        for name in rootless(ast.parse(file.read_text(encoding="utf-8"))):
            where = next((one for one in APART if place.startswith(f"{one}/")), place)
            found.setdefault(where, set()).add(name)

    assert found.pop("noxgate/errors.py") == {"NoxgateError"}
    assert found == APART


def rootless(module: ast.Module) -> Iterator[str]:
    """The exceptions that derive from Python's alone."""
    for one in ast.walk(module):
        if isinstance(one, ast.ClassDef):
            bases = [getattr(builtins, base.id, None) for base in one.bases if isinstance(base, ast.Name)]
            if bases and all(isinstance(base, type) and issubclass(base, BaseException) for base in bases):
                yield one.name


def engines_errors() -> Iterator[type[BaseException]]:
    for module in pkgutil.walk_packages(noxgate.__path__, "noxgate."):
        if module.name.endswith(".__main__"):
            continue
        for _, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(one, BaseException) and one.__module__ == module.name:
                yield one


def above(error: type[BaseException]) -> str:
    """The name of what it derives from; empty for the root, and for what derives from Python's alone."""
    ours = [base for base in error.__mro__[1:] if base.__module__.startswith("noxgate.")]
    return ours[0].__name__ if ours else ""


def drawn(text: str) -> dict[str, str]:
    """Error -> what is above it, by the indents of the drawing."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        if match := re.match(r"( *)(\w+Error)\b", line):
            indent, name = len(match[1]), match[2]
            path = [(at, one) for at, one in path if at < indent]
            found[name] = path[-1][1] if path else ""
            path.append((indent, name))
    return found


def test_the_map_names_every_room() -> None:
    """That of CONTRIBUTING.md; and no room that is not there."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    drawing = text.split("```")[1]
    rooms = {"noxgate": set[str](), "nox_rehearsal": set[str]()}
    package = ""
    for line in drawing.splitlines():
        if line.startswith("src/"):
            package = line.split("/")[1]
        elif line.startswith("    ") and package in rooms:
            rooms[package] |= {name.rstrip("/") for name in line[4:20].split()}

    for name, named in rooms.items():
        there = {path.name for path in (ROOT / "src" / name).iterdir() if path.is_dir()} - {"__pycache__"}
        assert named - {"errors"} == there
    packages = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
    assert set(re.findall(r"^src/(\w+)/", drawing, re.MULTILINE)) == packages
