"""What pyproject.toml declares is what the code imports: by package, and by the extra that brings it."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
OURS = {"noxgate", "nox_service", "noxgate_load", "nox_rehearsal", "kube_standin", "load"}
# whose code each extra is for; None is what is always installed
PLACES: Mapping[str | None, tuple[str, ...]] = {
    None: (
        "src/noxgate",
        "src/nox_service",
        "conftest.py",
        "tests_preflight",
        "tests_staging",
        "tests_production",
    ),
    "load": ("src/noxgate_load", "load"),
    "rehearsal": ("src/nox_rehearsal", "src/kube_standin"),
}
# declared and not imported, because it is used in another way
USED_OTHERWISE = {
    "pytest-xdist": "the option -n",
    "allure-pytest": "a plugin that pytest finds",
    "squawk-cli": "a program",
    "uvloop": "uvicorn's",
    "websockets": "uvicorn's",
    "wsproto": "uvicorn's",
    "matplotlib": "imported by the engine, when a load test is drawn",
}
# who draws a load test has made one
IMPORTED_ELSEWHERE = {
    "src/noxgate/slo/plots.py": {"matplotlib"},
    "src/noxgate/slo/before/drawing.py": {"matplotlib"},
}


def libraries(file: Path) -> Iterator[str]:
    """The top-level modules of others that a file imports, late imports too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [str(node.module)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "late":
            names = [str(word.value) for word in node.args if isinstance(word, ast.Constant)]
        for name in names:
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in OURS:
                yield top


def imported(extra: str | None) -> set[str]:
    """What the code of an extra imports, as distributions."""
    known = packages_distributions()
    found = set()
    for place in PLACES[extra]:
        path = ROOT / place
        for file in path.rglob("*.py") if path.is_dir() else [path]:
            ours = IMPORTED_ELSEWHERE.get(file.relative_to(ROOT).as_posix(), set())
            found |= {normal(known[name][0]) for name in set(libraries(file)) - ours - {"_pytest"}}
    return found


def declared(extra: str | None) -> set[str]:
    """What an extra names, without what it takes from another."""
    words = PROJECT["dependencies"] if extra is None else EXTRAS[extra]
    names = {normal(re.split(r"[\[~>=<; ]", word)[0]) for word in words}
    return names - {"noxgate"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("extra", list(PLACES))
def test_every_library_is_declared(extra: str | None) -> None:
    """What the rehearsal imports may be the load test's, and what both import everybody's."""
    order = list(PLACES)
    known = {name for each in order[: order.index(extra) + 1] for name in declared(each)}

    assert imported(extra) - known == set()


@pytest.mark.parametrize("extra", list(PLACES))
def test_every_declared_library_is_used(extra: str | None) -> None:
    """By the code whose extra names it."""
    assert declared(extra) - imported(extra) - USED_OTHERWISE.keys() == set()


def test_what_is_used_otherwise_is_declared() -> None:
    """No exception outlives its reason."""
    assert USED_OTHERWISE.keys() - {name for extra in PLACES for name in declared(extra)} == set()
    for file, names in IMPORTED_ELSEWHERE.items():
        assert names <= set(libraries(ROOT / file))
