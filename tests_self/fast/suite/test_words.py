"""Docstrings, comments, help texts, the runbook and documents say who does what, in the trade's words."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

FORMS = {
    r"\b(is|are|was|were|be) none\b(?! the less)": "what is missing, not valid or does not count",
    r"(?<!here )\b(is|are|was|were|be) no (?!longer\b|more\b)": "is not a …, or without …",
    r"\b(has|have|had|gives?|names) none\b": "lacks it, or does not say it",
    r"\b[Nn]obody\b": "who does it, or that it is unknown, unused, not read, without a request",
    r"\b[Nn]one of\b": "not, or without",
    r"\b[Bb]esides\b": "apart from, or in addition to",
    r"\b[Ww]hatever\b": "every, any, or: also if",
    r"\bNone(: (?=[a-z])| where\b)|; (none|empty|nothing) where\b": "None if …, empty if …",
    r"\w\wError where\b|(^|[;.] )\w+Error (if|for)\b": "Raises …Error if …",
    r"\bas of then\b": "as if it were this time",
    r"\bplain file\b": "regular file",
    r"\b(deaf|blind|dark|aside|blot(s|ted|ting)?)\b": "the trade's word, such as not scraped, redacted",
}
FOLDERS = ("src", "load", "tests_preflight", "tests_staging", "tests_production", "tests_self")
HELP = ("src/noxgate/cli/arguments", "src/noxgate/project/keys")  # every text in them is shown to users
RUNBOOK = "runbook.toml"
SAID_OF_A_LINE = ("expected", "next")  # a section is quoted from the runbook as people wrote it
FROM_THE_RUNBOOK = "docs/CHECKS.md"  # and history, which says what was changed as it was
HISTORY = "CHANGELOG.md"
CODE = re.compile(r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"", re.DOTALL)


@pytest.fixture(scope="module")
def everything(pytestconfig: pytest.Config) -> list[tuple[str, str]]:
    return list(said(pytestconfig.rootpath))


def test_words(everything: list[tuple[str, str]]) -> None:
    """In place of each of these forms, what to write."""
    found = [
        f"{place}: {' '.join(text.split())[:100]}: {fault}"
        for place, text in everything
        for fault in faults(text)
    ]

    assert found == []


def test_every_place_is_read(everything: list[tuple[str, str]]) -> None:
    """Each folder, the runbook, and the documents: where nothing is read, nothing can be refused."""
    read = {re.split("[/:]", place)[0] for place, _ in everything}

    assert read >= {*FOLDERS, RUNBOOK, "docs", "examples", "README.md"}


def test_what_the_runbook_says_of_a_line() -> None:
    """Not what it quotes; and its comments."""
    text = """
# by which the engine knows it
[staging.health] # of the API
section = "2. Nobody"
expected = "It answers."
next = "Look at its log."
[staging.health.proof]
next = "A list."
"""
    of_a_line = [("staging.health.expected", "It answers."), ("staging.health.next", "Look at its log.")]

    assert list(of_the_runbook(text)) == [
        *of_a_line,
        ("staging.health.proof.next", "A list."),
        ("2", "by which the engine knows it"),
        ("3", "of the API"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Read a release record; UnreachableError if there is none.",
        "Read a release record; FactsError if it is none.",
        "UnreachableError where nobody can tell.",
        "What a run must be of. None: whatever it is of.",
        "The commit; None where HEAD has none.",
        "Why it is no load test; empty where it is one.",
        "It is no plain file.",
        "Verify as of then.",
        "Nobody asks.",
        "A rule that is deaf.",
    ],
)
def test_a_refused_form(text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "A release record. Raises UnreachableError if the file is missing, FactsError if it is not valid.",
        "What a run must match. None is not compared.",
        "The commit; None if HEAD lacks it. There is no way back, and it is no longer asked for.",
        "It is not a regular file, or there are no more than two.",
        'The user `nobody`, and a message that says "there is none".',
        "| pause | none |",
    ],
)
def test_a_good_sentence(text: str) -> None:
    assert faults(text) == []


def faults(text: str) -> list[str]:
    """What to write in place of what stands here."""
    plain = CODE.sub(" ", text)
    return [
        f"write {instead} in place of {match[0]!r}"
        for form, instead in FORMS.items()
        if (match := re.search(form, plain))
    ]


def said(root: Path) -> Iterator[tuple[str, str]]:
    """Each text with its place."""
    for path in (path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))):
        name = path.relative_to(root).as_posix()
        code = path.read_text(encoding="utf-8")
        yield f"{name}:0", ""  # it is read
        if not any(re.search(form, code) for form in FORMS):
            continue  # nor is any in its parts, which take longer to find
        yield from ((f"{name}:{line}", text) for line, text in docstrings(code))
        yield from ((f"{name}:{line}", text) for line, text in comments(code))
        if name.startswith(HELP):
            yield from ((f"{name}:{line}", text) for line, text in texts(code))
    for place, text in of_the_runbook((root / RUNBOOK).read_text(encoding="utf-8")):
        yield f"{RUNBOOK}:{place}", text
    for path in documents(root):
        lines = CODE.sub(lambda code: "\n" * code[0].count("\n"), path.read_text(encoding="utf-8"))
        for number, line in enumerate(lines.splitlines(), 1):
            yield f"{path.relative_to(root).as_posix()}:{number}", line


def of_the_runbook(text: str) -> Iterator[tuple[str, str]]:
    """What it says of its lines, and its comments."""
    yield from of_lines(tomllib.loads(text))
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.search(r"(?:^|[\]}\"\d]\s+)#+ (.*)", line):
            yield f"{number}", match[1]


def of_lines(table: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from of_lines(value, f"{name}{key}.")
        elif key in SAID_OF_A_LINE:
            yield f"{name}{key}", value


def documents(root: Path) -> list[Path]:
    """What is read in place of the code."""
    found = [
        *root.glob("*.md"),
        *(path for each in ("docs", "examples") for path in (root / each).rglob("*.md")),
        root / "reports" / "README.md",  # what lies beside it are runs
    ]
    return [
        path for path in sorted(found) if path.relative_to(root).as_posix() not in {FROM_THE_RUNBOOK, HISTORY}
    ]


def docstrings(code: str) -> Iterator[tuple[int, str]]:
    """Those of modules, classes, functions and attributes."""
    for node in ast.walk(ast.parse(code)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.lineno, node.value.value


def comments(code: str) -> Iterator[tuple[int, str]]:
    """Each line of them."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def texts(code: str) -> Iterator[tuple[int, str]]:
    """Every constant text."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
