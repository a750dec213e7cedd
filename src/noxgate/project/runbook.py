"""The runbook as data: `runbook.toml` read into Release, Phases and Lines."""

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from noxgate.errors import OneLineError
from noxgate.look.documents import of_toml
from noxgate.project.keys.key import Key
from noxgate.project.keys.runbook import (
    BOUNDS,
    HOURS,
    KINDS,
    LINE,
    MEASURES,
    PHASE,
    PROOF,
    RELEASE,
    ROLES,
    SERVICE,
    VERSION,
    Kind,
)
from noxgate.project.service.names import Service
from noxgate.project.service.roles import KeyMetric, SloData

Limits = Mapping[str, float]  # of a line: the numbers that its check compares with

_SPACES = ("namespace", "green_namespace", "blue_namespace")
# What a `next` may name in braces: noxgate.project.which.names says how a target calls it. What the service
# calls its objects ([service]) is filled in when the runbook is read.
NAMES = ("target", *_SPACES, *(f"production_{name}" for name in _SPACES))


class RunbookError(OneLineError):
    """`runbook.toml` cannot be used: one line saying what was expected, what was seen, what to do."""


@dataclass(frozen=True)
class Release:
    """What is being shipped: version, the day, and the database catalog it must leave behind."""

    version: str
    date: date
    schema: Path


@dataclass(frozen=True)
class Phase:
    """A moment of the release day. `budget_minutes` is None if the runbook does not say."""

    name: str
    title: str
    budget_minutes: int | None
    folder: str | None
    marker: str | None = None
    serves_users: bool = False
    validates: bool = False
    peer: str | None = None


@dataclass(frozen=True)
class Line:
    """One statement of the runbook. `seed` holds the line numbers of the runbook that it claims."""

    id: str
    ref: str
    phase: str
    kind: Kind
    section: str
    seed: tuple[int, ...]
    expected: str
    next: str
    coming: bool = False
    derived_from: tuple[str, ...] = ()
    limits: Limits = field(default_factory=dict)
    waivable: bool = True
    proof: tuple[str, ...] = ()
    role: str = ""
    checkpoint: str = ""
    metric: KeyMetric | None = None
    slo: SloData | None = None
    optional: bool = False

    def next_on(self, names: Mapping[str, str]) -> str:
        """What to do when it fails, with the target's own names in its commands; an unknown one in capitals.

        What else stands in braces, such as the {database} of a restore, is the profile's.
        """
        said = self.next
        for name in NAMES:
            said = said.replace(f"{{{name}}}", shlex.quote(names[name]) if name in names else name.upper())
        return said


@dataclass(frozen=True)
class Runbook:
    """`said_of_service` is None in a runbook of before there was one: runs of then are verified still."""

    release: Release
    phases: Mapping[str, Phase]
    lines: Mapping[str, Line]
    said_of_service: Service | None = None

    @property
    def service(self) -> Service:
        """What the service calls its parts."""
        if self.said_of_service is None:
            raise RunbookError("runbook.toml: missing [service]: what its Deployments and files are called")
        return self.said_of_service

    def having(self, role: str) -> list[Line]:
        """The lines of a role.

        Raises RunbookError if it does not exist, so that nothing is silently left out.
        """
        found = [line for line in self.lines.values() if line.role == role]
        if not found:
            raise RunbookError(f'runbook.toml: expected a line with role = "{role}", saw none')
        return found

    def one(self, role: str) -> Line:
        """The one line of a role. Raises RunbookError if it does not exist, or several."""
        first, *others = self.having(role)
        if others:
            seen = ", ".join(line.id for line in (first, *others))
            raise RunbookError(f'runbook.toml: expected one line with role = "{role}", saw {seen}')
        return first

    def of_phase(self, *phases: str) -> list[Line]:
        """The lines that the verdict of these phases counts: all but those derived from others."""
        return [line for line in self.lines.values() if line.phase in phases and line.kind != "derived"]


def read_runbook(path: Path) -> Runbook:
    """Read and validate `runbook.toml`; raises RunbookError with one line about the first thing wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunbookError(f"{path.name}: not found in {path.parent}") from None
    except OSError as error:
        raise RunbookError(f"{path.name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RunbookError(f"{path.name}: {error}") from None
    return _runbook(path, text)


@cache  # by its text: whoever asks again in one process, such as a rehearsal, need not read it again
def _runbook(path: Path, text: str) -> Runbook:
    try:
        document = of_toml(text)
    except ValueError as error:
        raise RunbookError(f"{path.name}: {error}") from None

    facts = _table(document.pop("release", None), path, "release", RELEASE)
    release = _release(path, facts)
    service = None
    if "service" in document:
        service = _service(path, document.pop("service"))
    words = {"version": release.version, **(service.words if service else {})}
    phases = {
        name: _phase(path, name, table) for name, table in _tables(document.pop("phase", {}), path, "phase")
    }
    if not phases:
        raise RunbookError(f"{path.name}: expected at least one [phase.NAME] table")
    lines = {}
    for phase, entries in document.items():
        for name, table in _tables(entries, path, _known(path, phase, phases)):
            lines[f"{phase}.{name}"] = _line(path, phase, name, table, words)
    for line in lines.values():
        unknown = [part for part in line.derived_from if part not in lines and part not in phases]
        if line.id in line.derived_from or line.phase in line.derived_from:
            raise RunbookError(f"{path.name}: [{line.id}] derived_from: a line cannot follow from itself")
        if unknown:
            raise RunbookError(
                f"{path.name}: [{line.id}] derived_from names no line or phase: {', '.join(unknown)}"
            )
    _check_metrics(path, lines)
    return Runbook(release, phases, lines, service)


def _check_metrics(path: Path, lines: Mapping[str, Line]) -> None:
    """That each key metric has its two lines, one for each bound."""
    found: dict[str, list[str]] = {}
    for line in lines.values():
        if line.metric:
            found.setdefault(line.metric.name, []).append(line.metric.bound)
    for name, bounds in found.items():
        if sorted(bounds) != sorted(BOUNDS):
            seen = ", ".join(bounds)
            raise RunbookError(
                f"{path.name}: metric {name!r}: expected a target and a critical line, saw {seen}"
            )


def _release(path: Path, facts: Mapping[str, Any]) -> Release:
    # it names a folder of evidence
    if not re.fullmatch(VERSION, facts["version"]):
        seen = repr(facts["version"])
        raise RunbookError(f"{path.name}: [release] version: expected such as 8.0.0, saw {seen}")
    return Release(facts["version"], facts["date"], path.parent / facts["schema"])


def _service(path: Path, value: object) -> Service:
    table = _table(value, path, "service", SERVICE)
    for key in SERVICE:
        where = f"service.{key.name}"
        if key.keys:
            _table(table[key.name], path, where, key.keys)
    texts = [table, *(table[key.name] for key in SERVICE if key.keys)]
    for each in texts:
        for name, item in each.items():
            wrong = [one for one in (item if isinstance(item, list) else [item]) if not _is_said(one)]
            if wrong:
                raise RunbookError(f"{path.name}: [service] {name}: expected text, saw {wrong[0]!r}")
    return Service.of(table)


def _is_said(item: object) -> bool:
    return isinstance(item, dict) or (isinstance(item, str) and bool(item.strip()))


def _known(path: Path, phase: str, phases: Mapping[str, Phase]) -> str:
    if phase not in phases:
        raise RunbookError(f"{path.name}: [{phase}]: no such phase (phases: {', '.join(phases)})")
    return phase


def _tables(value: object, path: Path, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
        raise RunbookError(f"{path.name}: [{where}]: expected tables such as [{where}.NAME]")
    return list(value.items())


def _table(value: object, path: Path, where: str, known: tuple[Key, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RunbookError(f"{path.name}: expected a table [{where}]")
    keys = {key.name: key.form.python for key in known}
    unknown = sorted(value.keys() - keys.keys())
    if unknown:
        raise RunbookError(f"{path.name}: [{where}]: unknown key {unknown[0]} (keys: {', '.join(keys)})")
    missing = [key.name for key in known if key.required and key.name not in value]
    if missing:
        raise RunbookError(f"{path.name}: [{where}]: missing {', '.join(missing)}")
    for key, item in value.items():
        # exactly: true is an int to Python, and a datetime a date
        if type(item) is not keys[key]:
            kind = keys[key].__name__
            raise RunbookError(f"{path.name}: [{where}] {key}: expected {kind}, saw {item!r}")
    return value


def _phase(path: Path, name: str, table: Mapping[str, Any]) -> Phase:
    table = _table(table, path, f"phase.{name}", PHASE)
    return Phase(name=name, **{key.name: table.get(key.name, key.default) for key in PHASE})


def _filled(text: str, words: Mapping[str, str]) -> str:
    """With what the release and the service are called in place of their names in braces."""
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)


def _line(path: Path, phase: str, name: str, table: Mapping[str, Any], words: Mapping[str, str]) -> Line:
    where = f"{phase}.{name}"
    table = _table(table, path, where, LINE)
    if table["kind"] not in KINDS:
        raise RunbookError(f"{path.name}: [{where}] kind: expected {', '.join(KINDS)}, saw {table['kind']!r}")
    if (table["kind"] == "derived") != bool(table.get("derived_from")):
        raise RunbookError(f'{path.name}: [{where}]: kind = "derived" and derived_from belong together')
    if table["kind"] != "derived" and not table.get("next"):
        raise RunbookError(f"{path.name}: [{where}]: missing next: what to do when it fails")
    empty = [key for key in ("ref", "section", "expected") if not table[key].strip()]
    if empty:
        raise RunbookError(f"{path.name}: [{where}] {empty[0]}: expected text, saw {table[empty[0]]!r}")
    if not all(type(number) is int for number in table["seed"]):
        raise RunbookError(f"{path.name}: [{where}] seed: expected line numbers, saw {table['seed']!r}")
    if not all(isinstance(part, str) for part in table.get("derived_from", ())):
        raise RunbookError(
            f"{path.name}: [{where}] derived_from: expected ids, saw {table['derived_from']!r}"
        )
    proof = table.get("proof", [])
    if any(one not in PROOF for one in proof) or (proof and table["kind"] != "human"):
        raise RunbookError(
            f"{path.name}: [{where}] proof: expected {', '.join(PROOF)} on a human line, saw {proof!r}"
        )
    _check_role(path, where, table)
    limits = table.get("limits", {})
    if not all(type(limit) in {int, float} and math.isfinite(limit) for limit in limits.values()):
        raise RunbookError(f"{path.name}: [{where}] limits: expected numbers, saw {limits!r}")
    return Line(
        id=where,
        ref=table["ref"],
        phase=phase,
        kind=table["kind"],
        section=table["section"],
        seed=tuple(table["seed"]),
        expected=_filled(table["expected"], words),
        next=_filled(table.get("next", ""), {name: shlex.quote(word) for name, word in words.items()}),
        coming=table.get("coming", False),
        derived_from=tuple(table.get("derived_from", ())),
        limits=limits,
        waivable=table.get("waivable", True),
        proof=tuple(proof),
        role=table.get("role", ""),
        checkpoint=table.get("checkpoint", ""),
        metric=KeyMetric(**table["metric"]) if "metric" in table else None,
        slo=SloData(**table["slo"]) if "slo" in table else None,
        optional=table.get("optional", False),
    )


def _check_role(path: Path, where: str, table: Mapping[str, Any]) -> None:
    """That a line has what its role needs, and that what it says is one of what can be said."""
    for each in LINE:
        if each.keys and each.name in table:
            _table(table[each.name], path, f"{where}.{each.name}", each.keys)
    role, metric, slo = table.get("role"), table.get("metric"), table.get("slo")
    said = {
        "role": (role, ROLES),
        "metric.bound": (metric and metric["bound"], BOUNDS),
        "slo.measure": (slo and slo["measure"], MEASURES),
    }
    for key, (value, known) in said.items():
        if value is not None and value not in known:
            raise RunbookError(f"{path.name}: [{where}] {key}: expected {', '.join(known)}, saw {value!r}")
    _check_needs(path, where, table)


def _check_needs(path: Path, where: str, table: Mapping[str, Any]) -> None:
    role, metric, slo = table.get("role"), table.get("metric"), table.get("slo")
    if (role == "key-metric") != (metric is not None):
        raise RunbookError(f'{path.name}: [{where}]: role = "key-metric" and metric belong together')
    if role == "checkpoint-record" and not table.get("checkpoint"):
        raise RunbookError(f"{path.name}: [{where}]: missing checkpoint: which one it records")
    if not re.fullmatch(HOURS, table.get("checkpoint", "0h")):
        seen = repr(table["checkpoint"])
        raise RunbookError(f"{path.name}: [{where}] checkpoint: expected such as 6h, saw {seen}")
    lacking = [
        each["limit"] for each in (metric, slo) if each and each["limit"] not in table.get("limits", {})
    ]
    if lacking:
        raise RunbookError(f"{path.name}: [{where}] limits: expected {lacking[0]}, which it is about")
    if slo and (slo["measure"] == "slow") != ("quantile" in slo):
        raise RunbookError(f'{path.name}: [{where}] slo: measure = "slow" and quantile belong together')
