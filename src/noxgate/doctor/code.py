"""What a check's code names, read and not run: fixtures, credentials, kinds of objects.

From a check on: the project's functions, classes and constants that it names, and what these name in turn.
The clients of the systems are left out: they know every kind and every request, whoever asks.
"""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CLIENTS = ("noxgate.systems", "noxgate.look", "noxgate.project", "noxgate.plugin", "pytest")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Named:
    """What some code names: texts, and the attributes of whatever it has."""

    texts: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)  # method, and the text that it is given first


class Module:
    """One file: what is defined at its top, and where what it imports is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tree = ast.parse(path.read_text(encoding="utf-8"))

    @cached_property
    def defined(self) -> dict[str, ast.AST]:
        """Top-level name -> its function, class, or what is assigned to it."""
        found: dict[str, ast.AST] = {}
        for node in self._tree.body:
            if isinstance(node, Function | ast.ClassDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign):
                found |= {each.id: node.value for each in node.targets if isinstance(each, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                found[node.target.id] = node.value
        return found

    @cached_property
    def imported(self) -> dict[str, tuple[str, str]]:
        """Name here -> module and the name there."""
        return {
            each.asname or each.name: (node.module, each.name)
            for node in self._tree.body
            if isinstance(node, ast.ImportFrom) and node.module
            for each in node.names
        }

    def function(self, name: str) -> Function | None:
        node = self.defined.get(name)
        return node if isinstance(node, Function) else None


class Code:
    """The project's files, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[Path, Module] = {}

    def module(self, path: Path) -> Module:
        if path not in self._modules:
            self._modules[path] = Module(path)
        return self._modules[path]

    def fixtures(
        self, check: Path, name: str, without: Collection[str] = ()
    ) -> Iterator[tuple[str, Function]]:
        """The check itself, then each fixture that it is given, directly or by another."""
        places = [check, check.parent / "conftest.py", self._root / "conftest.py"]
        modules = [self.module(place) for place in places if place.is_file()]
        seen: set[str] = set()
        wanted = [name]
        while wanted:
            name = wanted.pop()
            found = next((node for module in modules if (node := module.function(name))), None)
            if name in seen or name in without or found is None:
                continue
            seen.add(name)
            yield name, found
            wanted += [each.arg for each in (*found.args.args, *found.args.kwonlyargs)]

    def named(self, path: Path, name: str) -> Named:
        """All that a function names, and what that names in turn."""
        found = Named()
        self._follow(self.module(path), name, found, set())
        return found

    def _follow(self, module: Module, name: str, found: Named, seen: set[tuple[Path, str]]) -> None:
        if (module.path, name) in seen:
            return
        seen.add((module.path, name))
        if name in module.defined:
            for node in _said(module.defined[name]):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.texts.add(node.value)
                elif isinstance(node, ast.Call):
                    found.calls |= set(_given(node))
                elif isinstance(node, ast.Attribute):
                    found.attributes.add(node.attr)
                    if isinstance(node.value, ast.Name) and node.value.id in module.imported:
                        package, inner = module.imported[node.value.id]
                        self._elsewhere(f"{package}.{inner}", node.attr, found, seen)
                elif isinstance(node, ast.Name):
                    self._follow(module, node.id, found, seen)
        elif name in module.imported:
            self._elsewhere(*module.imported[name], found, seen)

    def _elsewhere(self, package: str, name: str, found: Named, seen: set[tuple[Path, str]]) -> None:
        path = self._root / "src" / Path(*package.split(".")).with_suffix(".py")
        if not package.startswith(CLIENTS) and path.is_file():
            self._follow(self.module(path), name, found, seen)


def _given(call: ast.Call) -> Iterator[tuple[str, str]]:
    """The method that is called, and its first argument where that is a text."""
    match call:
        case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str(text)), *_]):
            yield method, text


def _said(node: ast.AST) -> Iterator[ast.AST]:
    """What it says, without what it says of types, and without docstrings."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for each in value if isinstance(value, list) else [value]:
            is_docstring = isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
            if isinstance(each, ast.AST) and not is_docstring:
                yield each
                yield from _said(each)
