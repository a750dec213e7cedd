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

from noxgate.look.documents import of_toml
from noxgate.project.keys.runbook import (
    BOUNDS,
    KINDS,
    LINE,
    PHASE,
    PROOF,
    RELEASE,
    SERVICE,
    VERSION,
    Kind,
)
from noxgate.project.service.names import Service
from noxgate.project.service.roles import KeyMetric, SloData
from noxgate.project.service.tables import RunbookError, check_role, is_said, table_of, tables_of

__all__ = ["NAMES", "Limits", "Line", "Phase", "Release", "Runbook", "RunbookError", "read_runbook"]

Limits = Mapping[str, float]  # of a line: the numbers that its check compares with

_SPACES = ("namespace", "green_namespace", "blue_namespace")
# What a `next` may name in braces: noxgate.project.which.names says how a target calls it. What the service
# calls its objects ([service]) is filled in when the runbook is read.
NAMES = ("target", *_SPACES, *(f"production_{name}" for name in _SPACES))


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

    facts = table_of(document.pop("release", None), path, "release", RELEASE)
    release = _release(path, facts)
    service = None
    if "service" in document:
        service = _service(path, document.pop("service"))
    words = {"version": release.version, **(service.words if service else {})}
    phases = {
        name: _phase(path, name, table) for name, table in tables_of(document.pop("phase", {}), path, "phase")
    }
    if not phases:
        raise RunbookError(f"{path.name}: expected at least one [phase.NAME] table")
    lines = {}
    for phase, entries in document.items():
        for name, table in tables_of(entries, path, _known(path, phase, phases)):
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
    table = table_of(value, path, "service", SERVICE)
    for key in SERVICE:
        where = f"service.{key.name}"
        if key.keys:
            table_of(table[key.name], path, where, key.keys)
    texts = [table, *(table[key.name] for key in SERVICE if key.keys)]
    for each in texts:
        for name, item in each.items():
            wrong = [one for one in (item if isinstance(item, list) else [item]) if not is_said(one)]
            if wrong:
                raise RunbookError(f"{path.name}: [service] {name}: expected text, saw {wrong[0]!r}")
    return Service.of(table)


def _known(path: Path, phase: str, phases: Mapping[str, Phase]) -> str:
    if phase not in phases:
        raise RunbookError(f"{path.name}: [{phase}]: no such phase (phases: {', '.join(phases)})")
    return phase


def _phase(path: Path, name: str, table: Mapping[str, Any]) -> Phase:
    table = table_of(table, path, f"phase.{name}", PHASE)
    return Phase(name=name, **{key.name: table.get(key.name, key.default) for key in PHASE})


def _filled(text: str, words: Mapping[str, str]) -> str:
    """With what the release and the service are called in place of their names in braces."""
    return re.sub(r"\{(\w+)\}", lambda match: words.get(match[1], match[0]), text)


def _line(path: Path, phase: str, name: str, table: Mapping[str, Any], words: Mapping[str, str]) -> Line:
    where = f"{phase}.{name}"
    table = table_of(table, path, where, LINE)
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
    check_role(path, where, table)
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
