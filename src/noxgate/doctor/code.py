"""What a check's code names, read and not run: fixtures, credentials, kinds of objects.

From a check on: the project's functions, classes and constants that it names, and what these name in turn.
The clients of the systems are left out: they know every kind and every request, whoever asks.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

TARGETS = ("target", "peer")  # what a check calls a target, and that of its peer
PEERS = ("production", "staging")
# What objects of these classes are called by a check or a fixture, and inside; those of a peer as the peer.
OURS = ("clients", "sessions", "self")
MADE_IN = "nox_service.clients"  # its classes make each client, and open what that looks at
CLIENTS = ("noxgate.systems", "noxgate.look", "noxgate.project", "noxgate.plugin", MADE_IN, "pytest")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Named:
    """What some code names: texts, and the attributes of every object."""

    texts: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)  # the attributes of a target alone
    calls: set[tuple[str, str]] = field(default_factory=set)  # method, and the text that it is given first

    def add(self, other: "Named") -> None:
        self.texts |= other.texts
        self.attributes |= other.attributes
        self.settings |= other.settings
        self.calls |= other.calls


@dataclass
class Own:
    """What one function, class or constant names by itself, and what leads on from there."""

    named: Named = field(default_factory=Named)
    names: set[str] = field(default_factory=set)  # of the same file
    elsewhere: set[tuple[str, str]] = field(default_factory=set)  # module, and the name there


class Module:
    """One file: what is defined at its top, and where what it imports is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tree = ast.parse(path.read_text(encoding="utf-8"))
        self._own: dict[ast.AST, Own] = {}

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

    def own(self, code: ast.AST) -> Own:
        """What a piece of this file names; read once, however many checks come to it."""
        if code not in self._own:
            self._own[code] = _own(code, self.imported)
        return self._own[code]

    @cached_property
    def methods(self) -> dict[str, list[Function]]:
        """Name -> the methods of that name in the classes of this file."""
        found: dict[str, list[Function]] = {}
        for owner in self.defined.values():
            for node in owner.body if isinstance(owner, ast.ClassDef) else []:
                if isinstance(node, Function):
                    found.setdefault(node.name, []).append(node)
        return found


class Code:
    """The project's files, each read once, and each function once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[Path, Module] = {}
        self._packages: dict[str, Module | None] = {}
        self._users: dict[Function, list[tuple[str, str]]] = {}

    def module(self, path: Path) -> Module:
        if path not in self._modules:
            self._modules[path] = Module(path)
        return self._modules[path]

    def fixtures(
        self, check: Path, name: str, without: Collection[str] = ()
    ) -> Iterator[tuple[str, Function]]:
        """The check itself, then each fixture that it is given, and each client that one of them uses.

        A client of a peer has the peer's name before its own: production_kube.
        """
        modules = self._around(check)
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
            yield from self._clients(found, seen)

    def _clients(self, user: Function, seen: set[str]) -> Iterator[tuple[str, Function]]:
        """Each client that a function uses, and what that is made of in turn."""
        module = self._package(MADE_IN)
        made = module.methods if module else {}
        wanted = list(self._used(user))
        while wanted:
            peer, name = wanted.pop()
            whole = f"{peer}_{name}" if peer else name
            if whole in seen or name not in made:
                continue
            seen.add(whole)
            for node in made[name]:
                yield whole, node
                wanted += [(peer, inner) for _, inner in self._used(node)]

    def _used(self, user: Function) -> list[tuple[str, str]]:
        if user not in self._users:
            self._users[user] = list(_used(user))
        return self._users[user]

    def _around(self, check: Path) -> list[Module]:
        """The files in which a check's fixtures may be, the nearest first."""
        places = [check, check.parent / "conftest.py", self._root / "conftest.py"]
        return [self.module(place) for place in places if place.is_file()]

    def named(self, path: Path, name: str) -> Named:
        """All that a function names, and what that names in turn."""
        found = Named()
        self._follow(self.module(path), name, found, set())
        return found

    def settings(self, check: Path, name: str) -> set[str]:
        """What a check and its fixtures read of a target, and the fixtures' own names.

        Classes are left out: they can do more than any one check asks of them.
        """
        read: set[str] = set()
        made = self._package(MADE_IN)
        for fixture, node in self.fixtures(check, name):
            around = (each for each in self._around(check) if each.function(fixture) is node)
            found = Named()
            if module := next(around, made):
                self._read(module, node, found, set(), classes=False)
            read |= {fixture, *found.settings}
        return read

    def _follow(
        self, module: Module, name: str, found: Named, seen: set[tuple[Path, str]], *, classes: bool = True
    ) -> None:
        left_out = not classes and isinstance(module.defined.get(name), ast.ClassDef)
        if left_out or (module.path, name) in seen:
            return
        seen.add((module.path, name))
        if name in module.defined:
            self._read(module, module.defined[name], found, seen, classes=classes)
        elif name in module.imported:
            self._elsewhere(*module.imported[name], found, seen, classes=classes)

    def _read(
        self, module: Module, code: ast.AST, found: Named, seen: set[tuple[Path, str]], *, classes: bool
    ) -> None:
        own = module.own(code)
        found.add(own.named)
        for package, name in own.elsewhere:
            self._elsewhere(package, name, found, seen, classes=classes)
        for name in own.names:
            self._follow(module, name, found, seen, classes=classes)

    def _elsewhere(
        self, package: str, name: str, found: Named, seen: set[tuple[Path, str]], *, classes: bool
    ) -> None:
        module = None if package.startswith(CLIENTS) else self._package(package)
        if module:
            self._follow(module, name, found, seen, classes=classes)

    def _package(self, package: str) -> Module | None:
        """The file of a module of the project; None if it is a folder, or somebody else's."""
        if package not in self._packages:
            path = self._root / "src" / Path(*package.split(".")).with_suffix(".py")
            self._packages[package] = self.module(path) if path.is_file() else None
        return self._packages[package]


def _own(code: ast.AST, imported: Mapping[str, tuple[str, str]]) -> Own:
    own = Own()
    for node in _said(code):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            own.named.texts.add(node.value)
        elif isinstance(node, ast.Call):
            own.named.calls |= set(_given(node))
        elif isinstance(node, ast.Attribute):
            own.named.attributes.add(node.attr)
            of = _owner(node)
            own.named.settings |= {node.attr} if of in TARGETS else set()
            if of in imported:
                own.elsewhere.add((".".join(imported[of]), node.attr))
        elif isinstance(node, ast.Name):
            own.names.add(node.id)
    return own


def _given(call: ast.Call) -> Iterator[tuple[str, str]]:
    """The method that is called, and its first argument where that is a text."""
    match call:
        case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str(text)), *_]):
            yield method, text


def _owner(node: ast.Attribute) -> str:
    """Whose attribute it is: a name's, or that of somebody's target."""
    match node.value:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name, value=ast.Name()) if name in TARGETS:
            return name
    return ""


def _used(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Whose clients are used, a peer's by its name, and which: also as clients.sessions.api_session."""
    for each in ast.walk(node):
        match each:
            case ast.Attribute(
                attr=client,
                value=ast.Name(id=of) | ast.Attribute(attr="sessions", value=ast.Name(id=of)),
            ) if of in (*OURS, *PEERS):
                yield of if of in PEERS else "", client


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
