"""Tables of `runbook.toml`: each has its keys and no other; a line has what its role needs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noxgate.errors import OneLineError
from noxgate.project.keys.key import Key
from noxgate.project.keys.runbook import BOUNDS, CHECKPOINT_NAME, LINE, MEASURES, ROLES


class RunbookError(OneLineError):
    """`runbook.toml` cannot be used: one line saying what was expected, what was seen, what to do."""


def tables_of(value: object, path: Path, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
        raise RunbookError(f"{path.name}: [{where}]: expected tables such as [{where}.NAME]")
    return list(value.items())


def table_of(value: object, path: Path, where: str, known: tuple[Key, ...]) -> Mapping[str, Any]:
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


def is_said(item: object) -> bool:
    return isinstance(item, dict) or (isinstance(item, str) and bool(item.strip()))


def check_role(path: Path, where: str, table: Mapping[str, Any]) -> None:
    """That a line has what its role needs, and that what it says is one of what can be said."""
    for each in LINE:
        if each.keys and each.name in table:
            table_of(table[each.name], path, f"{where}.{each.name}", each.keys)
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
    if not re.fullmatch(CHECKPOINT_NAME, table.get("checkpoint", "0h")):
        seen = repr(table["checkpoint"])
        raise RunbookError(f"{path.name}: [{where}] checkpoint: expected such as 6h, saw {seen}")
    lacking = [
        each["limit"] for each in (metric, slo) if each and each["limit"] not in table.get("limits", {})
    ]
    if lacking:
        raise RunbookError(f"{path.name}: [{where}] limits: expected {lacking[0]}, which it is about")
    if slo and (slo["measure"] == "slow") != ("quantile" in slo):
        raise RunbookError(f'{path.name}: [{where}] slo: measure = "slow" and quantile belong together')
    if slo and not 0 < slo.get("quantile", 0.5) < 1:
        seen = slo["quantile"]
        raise RunbookError(f"{path.name}: [{where}] slo: quantile: expected such as 0.95, saw {seen}")
