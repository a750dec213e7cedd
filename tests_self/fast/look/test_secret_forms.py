"""Secrets that the gate was not told about are known by their form, and nothing harmless is taken for one."""

import ast
import html
import json
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests_self.secret_texts import HARMLESS, SECRET, Maker

from noxgate.look.secret import Scrubber
from noxgate.look.secret_forms import form_in, redacted
from noxgate.look.secret_search import REDACTED
from noxgate.project.keys.every import KEYS

UNKNOWING = Scrubber([])
PATIENCE = 10  # seconds; most take some thousandths
WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": json.dumps,
    "html": html.escape,
    "repr": repr,
    "json-in-html": lambda text: html.escape(json.dumps(text)),
}


def test_there_are_enough() -> None:
    """The forms that were asked for, and each once."""
    assert len(SECRET) >= 60
    assert len(HARMLESS) >= 40


def wrongly_shown(form: str, seed: int, way: Callable[[str], str]) -> str | None:
    """What is shown of a text with a secret, where it is not as it should be."""
    said, secret = SECRET[form](Maker(f"{form}{seed}"))
    shown = UNKNOWING.scrub(way(f"at first\n{said}\nat last"))
    hidden = (
        secret not in shown
        and REDACTED in shown
        and "withheld" not in shown
        and ("at last" in shown or "cut" in form)
    )
    return None if hidden and UNKNOWING.scrub(shown) == shown else shown


@pytest.mark.parametrize("written", WRITTEN)
def test_secret_is_redacted(written: str) -> None:
    """However the text is quoted, in the midst of another; what was redacted stays as it is."""
    shown = {
        (form, seed): text
        for form in SECRET
        for seed in range(3)
        if (text := wrongly_shown(form, seed, WRITTEN[written]))
    }

    assert shown == {}


@pytest.mark.parametrize("form", ["pem", "pem-pgp", "yaml-block", "kubernetes-env"])
def test_secret_in_several_lines(form: str) -> None:
    """A traceback is a list of lines: none goes missing."""
    said, secret = SECRET[form](Maker(form))
    lines = ["at first", *said.splitlines(), "and\nat last"]

    shown = UNKNOWING.scrub_tree(lines)

    assert isinstance(shown, list)
    assert len(shown) == len(lines)
    assert shown[-1] == lines[-1]
    assert secret not in "".join(shown)


def test_secret_gives_itself_away() -> None:
    """To the sweep, and to whoever is about to sign a text; the name says what, and never the value."""
    texts = {form: SECRET[form](Maker(form)) for form in SECRET}
    names = {form: UNKNOWING.gives_away(said) for form, (said, _) in texts.items()}

    assert [form for form, name in names.items() if name is None] == []
    assert [form for form, (_, secret) in texts.items() if secret in str(names[form])] == []


@pytest.mark.parametrize("kind", HARMLESS)
def test_harmless_text_is_left(kind: str) -> None:
    """Word for word, and no form in it however it is quoted."""
    text = HARMLESS[kind]

    assert UNKNOWING.scrub(text) == text
    assert [way for way in WRITTEN if UNKNOWING.gives_away(WRITTEN[way](text))] == []
    assert UNKNOWING.gives_away(quote(text)) is None


def test_nothing_of_the_runbook_and_the_documents_is_redacted(pytestconfig: pytest.Config) -> None:
    """What is quoted in every report, and pages that speak of passwords all the time."""
    root = pytestconfig.rootpath
    runbook = tomllib.loads((root / "runbook.toml").read_text(encoding="utf-8"))
    pages = [
        path
        for folder in (root, root / "docs", root / "targets")
        for path in folder.iterdir()
        if path.is_file()
    ]

    assert UNKNOWING.scrub_tree(runbook) == runbook
    texts = {path.name: path.read_text(encoding="utf-8") for path in pages if path.suffix in {".md", ".toml"}}
    assert {name: form_in(text) for name, text in texts.items() if form_in(text)} == {}


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """What a module may say, each with its line: a variable's name stands for what is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(part) for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for part in text.values}
    skipped |= {id(text.value) for text in ast.walk(tree) if isinstance(text, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "$ONE" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def test_nothing_that_the_gate_says_is_redacted(pytestconfig: pytest.Config) -> None:
    """What the code itself writes, and what it says of each key."""
    root = pytestconfig.rootpath
    folders = ("src/noxgate", "src/nox_service", "tests_preflight", "tests_staging", "tests_production")
    modules = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    patterns = root / "src/noxgate/look"

    assert len(modules) > 100
    assert [
        f"{path.relative_to(root)}:{line}"
        for path in modules
        if not path.is_relative_to(patterns)
        for line, said in sentences(path)
        if " " in said and form_in(said)
    ] == []
    said_of = ("{}: expected a table, saw 3", "unknown key {}: did you mean", "{}: TEST_TOKEN is not set")
    assert [key for key in KEYS for said in said_of if form_in(f"staging.toml: {said.format(key)}")] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("password", "correct horse"), ("X-Api-Key", "abc def"), ("client_secret", "correcthorse")],
)
def test_value_is_named(name: str, value: str) -> None:
    """Also where name and value are not in one text."""
    assert UNKNOWING.scrub_tree({"a": [{name: value, "theme": value}]}) == {
        "a": [{name: REDACTED, "theme": value}]
    }


def test_addresses_of_persons() -> None:
    """Gone from what a target says; who attested stays."""
    text = "chemist02@nox.example signed in to git@git.example:nox/api, image nox@sha256:12"

    assert UNKNOWING.scrub(text) == "***@*** signed in to git@git.example:nox/api, image nox@sha256:12"
    assert UNKNOWING.scrub(text, people=False) == text
    assert UNKNOWING.gives_away(text) is None


def test_what_is_public_is_shown() -> None:
    """Of a URL and a cookie the rest is evidence."""
    assert redacted("postgresql://nox:correct-horse@db:5432/nox") == "postgresql://nox:***@db:5432/nox"
    assert (
        redacted("set-cookie: a=horse1; Path=/; Secure; b=horse2")
        == "set-cookie: a=***; Path=/; Secure; b=***"
    )


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "-----BEGIN ",
            "-----BEGIN PRIVATE KEY-----",
            '"',
            "\\",
            "\\n",
            "\n+ ",
            "&amp;",
            "--",
            "password",
            "token: ",
        ),
        *(
            "password='\\",
            "://a:@",
            "://a:b",
            "cookie: a=b;",
            "eyJ",
            "a@b.",
            "redis-cli ",
            "key=",
            "?code=",
            "a" * 40,
        ),
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    """A pattern that tries every way would take for ever."""
    text = piece * (40_000 // len(piece))
    began = time.process_time()

    redacted(text)
    form_in(f"x{text}y")

    assert time.process_time() - began < PATIENCE
