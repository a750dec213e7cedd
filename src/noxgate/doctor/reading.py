"""A profile that no run begins with, read all the same: what is wrong with it, and a target of the rest.

What is at fault is found by leaving out: each variable, then each key, until the message is gone.
"""

import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from noxgate.doctor.needs import SERIES, Need
from noxgate.doctor.seen import UNSET, Cause, Group, Place, Seen, authority_key, place, unnamed_key
from noxgate.errors import ProfileError
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.key import TABLE
from noxgate.project.keys.reading import guess
from noxgate.project.overrides import OVERRIDES
from noxgate.project.profile import target_of, written
from noxgate.project.target import CREDENTIALS, PROVIDERS, Target

PROFILE = Need("profile")  # every line needs one that can be read
REQUIRED = tuple(name for name, key in KEYS.items() if key.required)
NOBODY = "https://not-said.invalid"
# What is not looked at where a key is at fault: without it something else would be.
HINGES: Mapping[str, Collection[str]] = {
    "base_url": ("address", "plain"),
    "plain_url": ("plain",),
    "load": ("load",),
    "kubeconfig": ("cluster",),
    "context": ("cluster",),
    **dict.fromkeys(("namespace", "green_namespace", "blue_namespace"), ("cluster", *SERIES)),
}
_OF_TABLES = ("credentials", "oauth")  # whose keys are looked at one by one


@dataclass(frozen=True)
class Fault:
    """What no run begins with: the setting as a row names it, and the variable that it comes from, if any.

    `meant`: the setting that a misspelt one is read as. `lacking`: the required key that is missing, and that
    this unknown one may stand for; its value is not read.
    """

    setting: str
    said: str
    variable: str = ""
    meant: str = ""
    lacking: str = ""

    @property
    def settings(self) -> Collection[str]:
        """Those that are not as a run would read them."""
        return {self.setting, self.lacking} - {""}


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
    served = _served(document.get("serves"), phases)
    stand_ins = {"serves": served or list(phases), "base_url": NOBODY, "namespace": "not-said"}
    document, faults = _as_meant(document)
    missing = [key for key in REQUIRED if key not in document]
    document |= {key: stand_ins.get(key, {}) for key in missing}
    if "base_url" in missing:
        document.pop("plain_url", None)  # which is judged by it
    given = _Given(document, environment)
    while True:
        try:
            target = target_of(root, path, given.document, phases, given.environment)
            is_served = served or not any("serves" in fault.settings for fault in faults)
            return target if is_served else replace(target, serves=()), faults
        except ProfileError as error:
            said = str(error)
        # what the message names comes first: without another key it may stop at something else
        likely = sorted(_left_out(given, stand_ins), key=lambda one: _is_named(one[0], said))
        fault, given = next(
            ((fault, without) for fault, without in likely if _message(root, path, without, phases) != said),
            (None, given),
        )
        if fault is None:
            raise ProfileError(said)
        if fault.setting not in {each.meant for each in faults}:  # else the misspelt key has a row
            faults.append(replace(fault, said=_short(said, f"{path.name}: ", fault)))


def _served(said: object, phases: Collection[str]) -> list[str]:
    """What can be made of `serves`, be it wrong; empty if that is nothing."""
    named = said if isinstance(said, list) else [said]
    return [phase for phase in phases if phase in named]


def _as_meant(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """A profile whose misspelt keys are read as those that they are near to; those, and what is missing."""
    found, faults = _respelt(document, KEYS)
    faults = _with_missing(faults, [key for key in REQUIRED if key not in found], document)
    for table, known in (("credentials", CREDENTIALS), ("oauth", PROVIDERS)):
        if isinstance(found.get(table), dict):
            found[table], inside = _respelt(found[table], known, table)
            before = "oauth." if table == "oauth" else ""
            faults += [
                replace(fault, setting=before + fault.setting, meant=fault.meant and before + fault.meant)
                for fault in inside
            ]
    return found, faults


def _respelt(
    table: Mapping[str, Any], known: Collection[str], name: str = ""
) -> tuple[dict[str, Any], list[Fault]]:
    """A table by known keys alone."""
    found = {key: value for key, value in table.items() if key in known}
    faults = []
    for key in table.keys() - found.keys():
        meant = next(iter(get_close_matches(key, known, n=1)), "")
        among = f": `{f'noxgate profile {name}'.strip()}` lists them"
        faults.append(Fault(key, f"no such key{guess(key, known) or among}", meant=meant))
        if meant and meant not in table:
            found[meant] = table[key]
    return found, sorted(faults, key=lambda fault: list(table).index(fault.setting))


def _with_missing(faults: list[Fault], missing: Sequence[str], document: Mapping[str, Any]) -> list[Fault]:
    """One key that is near to no other, and one that is missing and has its form, are one fault."""
    unknown = [fault for fault in faults if not fault.meant]
    if len(unknown) == len(missing) == 1 and KEYS[missing[0]].form.fits(document[unknown[0].setting]):
        said = f"no such key; did you mean {missing[0]!r}, which is missing?"
        one = replace(unknown[0], said=said, lacking=missing[0])
        return [one if fault is unknown[0] else fault for fault in faults]
    return faults + [Fault(key, "missing") for key in missing]


def _is_named(fault: Fault, said: str) -> int:
    """0 if a message names it as what it is about, 1 if it names it at all, else 2."""
    names = {fault.setting, fault.variable or fault.setting}
    if any(f"{name}: " in said for name in names):
        return 0
    return 1 if any(re.search(rf"\b{re.escape(name)}\b", said) for name in names) else 2


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
        if key == "base_url":
            rest.pop("plain_url", None)  # which is judged by it
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
    lacking = {fault.lacking for fault in faults}
    seen = [one for one in seen if one.setting not in lacking]
    seen = [_of_fault(at, one, faults) for one in seen]
    rows = [
        replace(one, said=fault.said, cause=_cause(at, fault), needs=(PROFILE, *one.needs), is_set=True)
        if (fault := found.get(one.setting)) is not None
        else one
        for one in seen
    ]
    shown = {one.setting for one in seen}
    for fault in (fault for fault in faults if fault.setting not in shown):
        line = at.lines.get(f"credentials.{fault.setting}")
        origin = f"${fault.variable}" if fault.variable else f"{at.target.path.name}:{line}" if line else ""
        rows.append(at.seen(fault.setting, fault.said, PROFILE, cause=_cause(at, fault), origin=origin))
    return rows


def _of_fault(at: Place, one: Seen, faults: Sequence[Fault]) -> Seen:
    """A row that is only there since a key is at fault has the cause of that."""
    if one.cause is None:
        return one
    follows = {unnamed_key(at, fault.setting): fault for fault in faults}
    follows |= {authority_key(at): fault for fault in faults if fault.setting == "ca_file"}
    fault = follows.get(one.cause.key)
    return one if fault is None else replace(one, cause=_cause(at, fault))


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
