"""The checks in the check folders, found by reading the files and running nothing.

A check is a plain function `test_...` at the top of a file `test_<topic>.py` below the folder of its
phase, with one decorator `@pytest.mark.runbook("<line id>")`. It is not parametrized: one function proves
one line, so that everything a verdict must count is known before the first check runs.
"""

import ast
import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from noxgate.errors import OneLineError, ProfileError
from noxgate.look.secret import Secret
from noxgate.look.written.spellings import is_all_public
from noxgate.project.runbook import Runbook

SHOWN = {".py", ".html", ".css", ".js"}


class CheckError(OneLineError):
    """A check file breaks the rules of this suite: one line with its place."""


@dataclass(frozen=True)
class Check:
    """One check. `node` is pytest's node id; `file` is relative to the project."""

    line_id: str
    node: str
    file: str
    line_number: int
    topic: str
    doc: str


def find_checks(root: Path, runbook: Runbook) -> list[Check]:
    """Every check below the phase folders, in file order. Raises CheckError for the first rule broken."""
    folders = dict.fromkeys(phase.folder for phase in runbook.phases.values() if phase.folder)
    found: dict[str, Check] = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("test_*.py")):
            for check in _checks_of(root, path, folder, runbook):
                if check.node in found:  # Python keeps the last one: the first would count as run
                    place = f"{check.file}:{check.line_number}"
                    raise CheckError(f"{place}: {check.node.partition('::')[2]}: a second check of this name")
                found[check.node] = check
    return list(found.values())


def public_text(root: Path, runbook: Runbook, *profiles: Path) -> Callable[[], str]:
    """Reads once what every report may show: the runbook, profiles, the checks, and what the gate says."""
    folders = {phase.folder for phase in runbook.phases.values() if phase.folder}
    places = [*(root / folder for folder in sorted(folders)), *Path(__file__).parents[2].glob("nox*")]

    @cache
    def read() -> str:
        files = [path for place in places for path in place.rglob("*") if path.suffix in SHOWN]
        texts = [path for path in (root / "runbook.toml", *profiles, *files) if path.is_file()]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in texts)

    return read


def refuse_words(secrets: Iterable[Secret], public: Callable[[], str]) -> None:
    """Raises ProfileError for a secret that consists of the gate's own words: results would lose them."""
    for secret in secrets:
        if is_all_public(secret.reveal(), public):
            raise ProfileError(
                f"{secret.name}: expected a token or password that is not a word of the reports themselves, "
                "saw one: use another"
            )


def _checks_of(root: Path, path: Path, folder: str, runbook: Runbook) -> Iterator[Check]:
    file = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CheckError(f"{file}: {error}") from None
    for found in _functions(file, text):
        place = f"{file}:{found.line_number}"
        line = runbook.lines.get(found.line_id)
        if line is None:
            close = difflib.get_close_matches(found.line_id, runbook.lines, n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            raise CheckError(
                f"{place}: {found.name}: no runbook line {found.line_id!r} in runbook.toml{guess}"
            )
        if runbook.phases[line.phase].folder != folder:
            home = runbook.phases[line.phase].folder
            raise CheckError(f"{place}: {found.name} proves {found.line_id!r}, which belongs in {home}/")
        topic = path.stem.removeprefix("test_")
        node = f"{file}::{found.name}"
        yield Check(found.line_id, node, file, found.line_number, topic, found.doc)


@dataclass(frozen=True)
class _Function:
    name: str
    line_number: int
    line_id: str
    doc: str


@cache  # by its text: whoever asks again in one process, such as a rehearsal, need not read it again
def _functions(file: str, text: str) -> tuple[_Function, ...]:
    """The checks that a file defines."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise CheckError(f"{file}: {error}") from None
    found = []
    for node in module.body:
        place = f"{file}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            raise CheckError(f"{place}: expected checks to be plain functions, saw class {node.name}")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            doc = (ast.get_docstring(node) or "").strip()
            found.append(_Function(node.name, node.lineno, _line_id(node, place), doc))
    return tuple(found)


def _line_id(node: ast.FunctionDef | ast.AsyncFunctionDef, place: str) -> str:
    """The id in the one runbook decorator."""
    ids = []
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = ast.unparse(call).removeprefix("pytest.mark.")
        if name == "parametrize":
            raise CheckError(
                f"{place}: {node.name}: one function proves one line: write a check for each case"
            )
        if name == "runbook" and isinstance(decorator, ast.Call):
            ids += [argument.value for argument in decorator.args if isinstance(argument, ast.Constant)]
    if len(ids) != 1 or not isinstance(ids[0], str):
        raise CheckError(f'{place}: {node.name}: expected one @pytest.mark.runbook("<line id>")')
    return ids[0]
