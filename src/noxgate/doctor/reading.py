"""A profile that no run begins with, read all the same: what is wrong with it, and a target of the rest.

What is at fault is found by leaving out: each variable, then each key, until the message is gone.
"""

import os
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from noxgate.doctor.needs import Need
from noxgate.doctor.seen import UNSET, Cause, Group, Place, Seen, place
from noxgate.errors import ProfileError
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.key import TABLE
from noxgate.project.keys.reading import guess
from noxgate.project.overrides import OVERRIDES
from noxgate.project.profile import target_of, written
from noxgate.project.target import Target

PROFILE = Need("profile")  # every line needs one that can be read
REQUIRED = tuple(name for name, key in KEYS.items() if key.required)
NOBODY = "https://not-said.invalid"
_OF_TABLES = ("credentials", "oauth")  # whose keys are looked at one by one


@dataclass(frozen=True)
class Fault:
    """What no run begins with: the setting as a row names it, and the variable that it comes from, if any."""

    setting: str
    said: str
    variable: str = ""


@dataclass(frozen=True)
class _Given:
    """What a target is read from."""

    document: dict[str, Any]
    environment: Mapping[str, str]


def read_in_spite(
    root: Path, name: str, phases: Collection[str], environment: Mapping[str, str] = os.environ
) -> tuple[Target, Sequence[Fault]]:
    """The target less its wrong keys, and what is wrong. Raises ProfileError if the file is not TOML."""
    path, document = written(root, name)
    stand_ins = {"serves": list(phases), "base_url": NOBODY, "namespace": "not-said"}
    faults = [Fault(key, "missing") for key in REQUIRED if key not in document]
    document |= {fault.setting: stand_ins.get(fault.setting, {}) for fault in faults}
    given = given_first = _Given(document, environment)
    while True:
        try:
            return target_of(root, path, given.document, phases, given.environment), faults
        except ProfileError as error:
            said = str(error)
        fault, given = next(
            (
                (fault, without)
                for fault, without in _left_out(given, stand_ins)
                if _message(root, path, without, phases) != said
            ),
            (None, given),
        )
        if fault is None:
            raise ProfileError(said)
        if fault.setting in given_first.document and fault.setting not in KEYS:
            said = f"no such key{guess(fault.setting, KEYS)}"  # without the names of all that there are
        faults.append(replace(fault, said=_short(said, f"{path.name}: ", fault)))


def _short(said: str, name: str, fault: Fault) -> str:
    """Without what stands before it in its row: the profile, the setting, the variable."""
    for before in (name, f"{fault.setting}: ", f"{fault.variable or fault.setting}: "):
        said = said.removeprefix(before)
    return said


def _message(root: Path, path: Path, given: _Given, phases: Collection[str]) -> str:
    try:
        target_of(root, path, given.document, phases, given.environment)
    except ProfileError as error:
        return str(error)
    return ""


def _left_out(given: _Given, stand_ins: Mapping[str, Any]) -> Iterator[tuple[Fault, _Given]]:
    """Each one thing that may be at fault, and what is there without it."""
    document, environment = given.document, given.environment
    for setting, variable in _variables(document):
        if variable in environment:
            others = {name: value for name, value in environment.items() if name != variable}
            yield Fault(setting, "", variable), _Given(document, others)
    for table in _OF_TABLES:
        if isinstance(document.get(table), dict):
            for key in document[table]:
                rest = {name: value for name, value in document[table].items() if name != key}
                setting = f"oauth.{key}" if table == "oauth" else key
                yield Fault(setting, ""), _Given({**document, table: rest}, environment)
    for key in document:
        rest = {name: value for name, value in document.items() if name != key}
        if key in REQUIRED:
            rest = {**document, key: stand_ins.get(key, {})}
        yield Fault(key, ""), _Given(rest, environment)


def _variables(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Setting -> the variable that says it."""
    yield from ((key, variable) for variable, key in OVERRIDES.items())
    credentials = document.get("credentials")
    if isinstance(credentials, dict):
        yield from ((role, name) for role, name in credentials.items() if isinstance(name, str))


def with_faults(target: Target, seen: Sequence[Seen], faults: Sequence[Fault]) -> list[Seen]:
    """The rows, each fault in that of its setting; one that no look has is a row of its own."""
    at = place(target)
    found = {fault.setting: fault for fault in faults}
    # a look that reads the profile itself stops at the first of them, which has a row of its own
    again = f"{at.target.path.name}: "
    seen = [one for one in seen if not (faults and one.origin == "-" and one.said.startswith(again))]
    rows = [
        replace(one, said=fault.said, cause=_cause(at, fault), needs=(PROFILE, *one.needs), is_set=True)
        if (fault := found.get(one.setting)) is not None
        else one
        for one in seen
    ]
    shown = {one.setting for one in seen}
    for fault in (fault for fault in faults if fault.setting not in shown):
        origin = f"${fault.variable}" if fault.variable else ""
        rows.append(at.seen(fault.setting, fault.said, PROFILE, cause=_cause(at, fault), origin=origin))
    return rows


def _cause(at: Place, fault: Fault) -> Cause:
    if fault.variable:
        group = Group("for variables that no run begins with", UNSET.command)
        return Cause(fault.said, key=f"fault {fault.variable}", group=group, item=fault.variable)
    is_table = fault.setting in KEYS and KEYS[fault.setting].form is TABLE
    if fault.said == "missing" and is_table:
        command = f"printf '\\n[%s]\\n' {{items}} >> {shlex.quote(at.file)}"
        group = Group(f"for tables without which no run begins with {at.target.path.name}", command)
        return Cause("missing", key=f"fault {fault.setting}", group=group, item=fault.setting)
    command = f"${{EDITOR:-vi}} {shlex.quote(at.file)}"
    group = Group(f"for what no run begins with in {at.target.path.name}", command)
    return Cause(fault.said, key=f"fault {fault.setting}", group=group, item=fault.setting)
