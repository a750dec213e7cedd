"""The keys of a profile: one table of them, which the loader, the page and the schema are made from."""

import ast
import copy
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests_self.authority import Authority
from tests_self.building.commands import noxgate
from tests_self.building.profile_examples import EXAMPLES, LEAST, PAGE, write

from noxgate.doctor.key_page import page, toml
from noxgate.doctor.keys import every_key, lines_of_keys
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.key import NUMBER
from noxgate.project.profile import read_target
from noxgate.project.runbook import read_runbook
from noxgate.trust.keys import read_trust
from noxgate.trust.signing import new_key

ROOT = Path(__file__).parents[3]
LOADER = (
    *("project/profile.py", "project/overrides.py", "project/which/files.py", "project/which/world.py"),
    "trust/keys.py",
)
HEADINGS = re.findall(r"^### `([\w.]+)`$", PAGE, re.MULTILINE)
INNER = [key for key in every_key() if "." in key.name]


@pytest.fixture(scope="module")
def lines() -> Mapping[str, list[str]]:
    return lines_of_keys(ROOT, read_runbook(ROOT / "runbook.toml"))


# ---------------------------------------------------------------- the page


def test_page_is_current(lines: Mapping[str, list[str]]) -> None:
    """If not: noxgate profile --markdown > docs/PROFILE.md."""
    assert page(lines) == PAGE


def test_page_has_every_key_and_no_other() -> None:
    """Those of small tables stand in a row of their table."""
    rows = {
        f"{name}.{row}"
        for name, section in zip(HEADINGS, re.split(r"^### .*$", PAGE, flags=re.MULTILINE)[1:], strict=True)
        for row in re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    }

    assert [name for name in HEADINGS if "." not in name] == list(KEYS)
    assert {*HEADINGS, *rows} == {key.name for key in every_key()}
    assert len(HEADINGS) == len(set(HEADINGS)) == len(EXAMPLES)


def test_every_key_says_all_of_itself() -> None:
    """What it is for, in a sentence; an example; what holds where it is not said."""
    keys = list(every_key())

    assert [key.name for key in keys if not key.meaning.endswith((".", "…."))] == []
    assert [key.name for key in keys if key.example is None] == []
    assert [key.name for key in keys if "|" in f"{key.meaning}{key.example}"] == []  # a row of a table
    said = {key.name: (key.required, key.default is not None, bool(key.without)) for key in keys}
    assert [name for name, each in said.items() if sum(each) != 1] == []


@pytest.mark.parametrize(
    ("key", "needing", "not_needing"),
    [
        ("ca_file", "staging.tls-certificate", "staging.database-answers"),
        ("prometheus_url", "live.p95-within-target", "staging.health"),
        ("credentials.admin_token", "staging.admin-allows-admin", "staging.user-profile"),
        ("oauth.google", "staging.oauth-google", "staging.oauth-github"),
        ("production", "preflight.postgresql-parity", "staging.health"),
        ("dry_run_context", "green.switch-dry-run", "staging.rollout"),
        ("plain_url", "live.https-redirect", "live.health"),  # read by the check's own code
        ("log_allow_list", "live.log-errors", "live.health"),
        ("tools", "preflight.tools", "preflight.contacts"),
    ],
)
def test_lines_that_need_a_key(
    key: str, needing: str, not_needing: str, lines: Mapping[str, list[str]]
) -> None:
    """And those that do not."""
    assert needing in lines[key]
    assert not_needing not in lines[key]


def test_keys_that_no_line_needs(lines: Mapping[str, list[str]]) -> None:
    """They say how it is run and what counts; a new key that is not read would be among them."""
    of_small_tables = {key.name for key in INNER if not key.waits}

    assert {name for name, found in lines.items() if not found} - of_small_tables == {
        *("serves", "rehearsal", "env_file", "wait_seconds", "points_at", "overrides"),
        *("branch", "signers", "signing_key", "evidence_hours"),
    }


# ---------------------------------------------------------------- the loader


def test_loader_reads_every_key_and_no_other() -> None:
    """By its code: what it asks of the document."""
    read = set()
    for file in LOADER:
        read |= set(asked(ast.parse((ROOT / "src" / "noxgate" / file).read_text(encoding="utf-8"))))

    assert read == set(KEYS)


def asked(tree: ast.AST) -> Iterator[str]:
    """The texts that are looked up in `document`, in each way."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id="document"), slice=ast.Constant(value=str(key))):
                yield key
            case ast.Compare(left=ast.Constant(value=str(key)), comparators=[ast.Name(id="document")]):
                yield key
            case ast.Call(func=ast.Attribute(value=ast.Name(id="document")), args=[first, *_]):
                yield from [str(first.value)] if isinstance(first, ast.Constant) else []
            case ast.Call(args=[*_, ast.Name(id="document"), ast.Constant(value=str(key))]):
                yield key
            case ast.comprehension(iter=ast.Tuple(elts=elements), ifs=[ast.Compare()]):
                yield from (str(each.value) for each in elements if isinstance(each, ast.Constant))


# ---------------------------------------------------------------- the examples


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Path:
    """A project with all the files that the examples name."""
    targets = tmp_path / "nox-gate" / "targets"
    (targets / "keys").mkdir(parents=True)
    (tmp_path / "nox").mkdir()
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("clusters: []\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    (targets / "ca.pem").write_bytes(authority.file.certificate.read_bytes())
    (targets / "staging.env").write_text("TEST_TOKEN=token-of-the-user\n")
    new_key(targets / "keys" / "ada.pem")
    new_key(targets / "signing.pem")
    for name in ("production", "staging"):
        peer = {**LEAST, "base_url": f"https://{name}.example.com", "namespace": f"nox-{name}"}
        write(targets / f"{name}.toml", peer)
    return targets.parent


def read(folder: Path, said: Mapping[str, Any]) -> None:
    """Read the least profile with this in it, as whoever runs checks and as whoever verifies them."""
    document = copy.deepcopy(dict(LEAST))
    rehearsal = any(KEYS[key].rehearsal for key in said)
    if rehearsal:
        document |= {"rehearsal": True, "base_url": "https://127.0.0.1:8443"}
    for key, value in said.items():
        document[key] = {**document[key], **value} if key in {"credentials", "oauth"} else value
    path = folder / "targets" / ("rehearsal.toml" if rehearsal else "mine.toml")
    write(path, document)

    target = read_target(folder, str(path), ["staging"], {})
    trust = read_trust(folder, str(path))

    assert said.keys() <= target.origins.keys()
    assert len(trust.signers) == len(said.get("signers", []))


@pytest.mark.parametrize("example", EXAMPLES, ids=HEADINGS)
def test_examples_of_the_page_can_be_read(example: str, folder: Path) -> None:
    """Each, in a profile that has else what must be there."""
    read(folder, tomllib.loads(example))


@pytest.mark.parametrize("name", [key.name for key in INNER])
def test_examples_inside_of_tables_can_be_read(name: str, folder: Path) -> None:
    """Each beside what else its table must have."""
    table, _, key = name.rpartition(".")
    known = {each.name: each for each in every_key()}
    said = dict(known[table].example)
    if key == "client_id":
        del said["client_id_variable"]
    if table == "oauth":
        said = {}
    said[key] = known[name].example
    for part in reversed(table.split(".")):
        said = {part: said}

    read(folder, said)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("load", True, "load = true"),
        ("wait_seconds", 1.5, "wait_seconds = 1.5"),
        ("query", 'up{job="nox"}', """query = 'up{job="nox"}'"""),
        ("query", "'\"", 'query = "\'\\""'),
        ("oauth.google", {"scopes": ["é"]}, '[oauth.google]\nscopes = ["é"]'),
        ("oauth", {"google": {"client_id": "x"}}, '[oauth.google]\nclient_id = "x"'),
        ("tools", {}, "[tools]"),
    ],
)
def test_what_is_written_is_what_is_read(name: str, value: Any, text: str) -> None:
    """As people write it."""
    assert toml(name, value) == text
    for part in reversed(name.split(".")):
        value = {part: value}
    assert tomllib.loads(text) == value


@pytest.mark.parametrize(("value", "fits"), [(12, True), (12.5, True), (True, False), ("12", False)])
def test_a_number_may_be_whole(value: object, *, fits: bool) -> None:
    assert NUMBER.fits(value) is fits


# ---------------------------------------------------------------- the command


def test_command_lists_keys_and_shows_one() -> None:
    """In a terminal of 80 columns; an unknown name is one line."""
    listed = noxgate(ROOT, "profile").stdout
    one = noxgate(ROOT, "profile", "ca_file").stdout

    assert [line.split()[0] for line in listed.splitlines() if re.match(r"  \w", line)] == list(KEYS)
    assert max(map(len, listed.splitlines() + one.splitlines())) <= 80
    assert 'ca_file = "ca.pem"' in one
    assert "staging.tls-certificate" in one
    wrong = noxgate(ROOT, "profile", "ca_fiel")
    assert (wrong.returncode, wrong.stderr) == (
        4,
        "noxgate: no key 'ca_fiel' in a profile; did you mean 'ca_file'?: noxgate profile lists them\n",
    )
