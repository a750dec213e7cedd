"""The schemas for editors: valid, current, named by the files, and never stricter than the loader."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests_self.building.profile_examples import EXAMPLES, LEAST, write
from tests_self.building.profiles import BAD, CLUSTER, GOOD
from tests_self.service import TABLE

from noxgate.project.keys.json_schema import of_profile, of_runbook
from noxgate.project.profile import read_document
from noxgate.project.runbook import RunbookError, read_runbook

ROOT = Path(__file__).parents[3]
PROFILE, RUNBOOK = (ROOT / "schema" / f"{name}.schema.json" for name in ("profile", "runbook"))
# What no schema can tell: TOML itself, other files, the rehearsal's own rules.
FOR_THE_LOADER = {
    "node ports backwards",
    *("not toml", "own peer", "no peer", "rehearsal elsewhere", "rehearsal by another name"),
    "plain_url elsewhere",
}


def check(*words: str | Path) -> Any:
    """What check-jsonschema says, as JSON."""
    command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json", *map(str, words)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def refused(schema: Path, files: Collection[Path]) -> set[str]:
    """The names of files that a schema refuses."""
    said = check("--schemafile", schema, *files)
    assert {error["filename"] for error in said["errors"]} <= set(map(str, files))
    assert said.get("parse_errors", []) == []
    return {Path(error["filename"]).stem for error in said["errors"]}


def test_schemas_are_current() -> None:
    """If not: noxgate profile --schema > schema/profile.schema.json; noxgate checks --schema likewise."""
    phases = read_runbook(ROOT / "runbook.toml").phases

    assert PROFILE.read_text(encoding="utf-8") == of_profile(phases)
    assert RUNBOOK.read_text(encoding="utf-8") == of_runbook()


def test_schemas_are_schemas() -> None:
    """Of draft 2020-12, by its own schema."""
    assert check("--check-metaschema", PROFILE, RUNBOOK)["status"] == "ok"
    assert {json.loads(file.read_text())["$schema"] for file in (PROFILE, RUNBOOK)} == {
        "https://json-schema.org/draft/2020-12/schema"
    }


def test_files_name_their_schema_and_are_valid() -> None:
    """In the first line, as taplo reads it; the release record is not a profile."""
    profiles = [path for path in (ROOT / "targets").glob("*.toml") if path.name != "release.toml"]

    for file, schema in (*((path, PROFILE) for path in profiles), (ROOT / "runbook.toml", RUNBOOK)):
        word, _, named = file.read_text(encoding="utf-8").splitlines()[0].partition(" ")
        assert word == "#:schema"
        assert (file.parent / named).resolve() == schema
    assert len(profiles) == 2
    assert refused(PROFILE, profiles) | refused(RUNBOOK, [ROOT / "runbook.toml"]) == set()


def test_what_the_loader_reads_the_schema_takes(tmp_path: Path) -> None:
    """Every example of the page, and the good profiles of the loader's tests."""
    files = []
    for number, example in enumerate(EXAMPLES):
        files.append(tmp_path / f"{number}.toml")
        said = tomllib.loads(example)
        both = {
            key: {**LEAST[key], **value} if key in {"credentials", "oauth"} else value
            for key, value in said.items()
        }
        write(files[-1], {**LEAST, **both})
    for name, text in {"good": GOOD, "cluster": CLUSTER + GOOD}.items():
        files.append(tmp_path / f"{name}.toml")
        files[-1].write_text(text, encoding="utf-8")

    assert refused(PROFILE, files) == set()


def test_mistakes_are_seen_as_they_are_typed(tmp_path: Path) -> None:
    """Of all the mistakes that the loader is tried with, those that a schema can tell."""
    files = []
    for name, (text, _) in BAD.items():
        if name == "not toml":
            continue
        files.append(tmp_path / f"{name}.toml")
        files[-1].write_text(text.replace('"live"', '"prep"'), encoding="utf-8")

    assert {path.stem for path in files} - refused(PROFILE, files) == FOR_THE_LOADER - {"not toml"}


LINE = {
    "ref": "RB-1",
    "kind": "auto",
    "section": "1",
    "seed": [1],
    "expected": "well",
    "next": "Redeploy",
}
LINES: Mapping[str, tuple[dict[str, Any], bool]] = {
    "auto": ({}, True),
    "all of it": ({"coming": True, "limits": {"a": 1, "b": 0.5}, "waivable": False}, True),
    "human": ({"kind": "human", "proof": ["link"]}, True),
    "derived": ({"kind": "derived", "derived_from": ["phase-two"], "next": ""}, True),
    "no next": ({"next": ""}, False),
    "no kind": ({"kind": "aut"}, False),
    "derived from nothing": ({"kind": "derived"}, False),
    "derived auto": ({"derived_from": ["phase-two"]}, False),
    "proof of a check": ({"proof": ["link"]}, False),
    "no such proof": ({"kind": "human", "proof": ["photo"]}, False),
    "blank": ({"expected": " "}, False),
    "seed of text": ({"seed": ["1"]}, False),
    "limit of text": ({"limits": {"a": "1"}}, False),
    "unknown": ({"expect": "well"}, False),
}


def test_lines_of_a_runbook(tmp_path: Path) -> None:
    """Loader and schema agree on each."""
    begins = '[release]\nversion = "8.0.0"\ndate = 2025-08-15\nschema = "s.toml"\n'
    begins += TABLE
    begins += '[phase.one]\ntitle = "One"\n[phase.phase-two]\ntitle = "Two"\n'
    files = []
    for name, (said, _) in LINES.items():
        files.append(tmp_path / f"{name}.toml")
        write(files[-1], {"one": {"line": {**LINE, **said}}})
        files[-1].write_text(begins + files[-1].read_text(encoding="utf-8"), encoding="utf-8")

    bad = {name for name, (_, fine) in LINES.items() if not fine}
    assert refused(RUNBOOK, files) == bad
    for file in files:
        if file.stem in bad:
            with pytest.raises(RunbookError):
                read_runbook(file)
        else:
            assert len(read_runbook(file).lines) == 1


def test_the_directive_is_no_key(tmp_path: Path) -> None:
    """A comment to the loader."""
    (tmp_path / "mine.toml").write_text(f"#:schema ../schema/profile.schema.json\n{GOOD}", encoding="utf-8")

    assert list(read_document(tmp_path, str(tmp_path / "mine.toml"))[1]) == list(tomllib.loads(GOOD))
