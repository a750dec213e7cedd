"""Profiles and runbook.toml as JSON Schema has it, for editors: what it refuses, the loader refuses."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from noxgate.project.keys import runbook
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.key import Key

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = Mapping[str, Any]
DERIVED = {"properties": {"kind": {"const": "derived"}}, "required": ["kind"]}
HUMAN = {"properties": {"kind": {"const": "human"}}, "required": ["kind"]}
RULES = (  # of a line
    {
        "if": DERIVED,
        "then": {"properties": {"derived_from": {"minItems": 1}}, "required": ["derived_from"]},
        "else": {
            "properties": {"derived_from": {"maxItems": 0}, "next": {"minLength": 1}},
            "required": ["next"],
        },
    },
    {"if": HUMAN, "else": {"properties": {"proof": {"maxItems": 0}}}},
)


def of_profile(phases: Iterable[str]) -> str:
    """The schema of a profile, where the runbook has these phases."""
    table = _table(KEYS.values())
    table["properties"]["serves"]["items"] = {"enum": list(phases)}
    return _text("A target of the release gate", "profile --schema", table)


def of_runbook() -> str:
    """The schema of runbook.toml: release, service, a table of phases, and one of lines for each phase."""
    lines = {"type": "object", "additionalProperties": {**_table(runbook.LINE), "allOf": [*RULES]}}
    phases = {"type": "object", "minProperties": 1, "additionalProperties": _table(runbook.PHASE)}
    return _text(
        "The release-day runbook",
        "checks --schema",
        {
            "type": "object",
            "properties": {
                "release": _table(runbook.RELEASE),
                "service": _table(runbook.SERVICE),
                "phase": phases,
            },
            "required": ["release", "service", "phase"],
            "additionalProperties": lines,
        },
    )


def _text(title: str, command: str, table: Schema) -> str:
    made = {"$schema": DRAFT, "title": title, "$comment": f"Made by `noxgate {command}`.", **table}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _table(keys: Iterable[Key]) -> dict[str, Any]:
    keys = list(keys)
    return {
        "type": "object",
        "properties": {key.name: _key(key) for key in keys},
        "required": [key.name for key in keys if key.required],
        "additionalProperties": False,
    }


def _key(key: Key) -> dict[str, Any]:
    said = f"{key.meaning} Without it: {key.without}." if key.without else key.meaning
    made: dict[str, Any] = {"description": said, **key.form.schema}
    if key.keys:
        made |= _table(key.keys)
    if key.default is not None:
        made["default"] = key.default
    if key.example is not None:
        made["examples"] = [key.example]
    return made | dict(key.limits)
