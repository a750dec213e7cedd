"""What is wrong with one field of an object, in the real server's words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LAST_PORT = 65535
PORT_RANGE = f"must be between 1 and {LAST_PORT}, inclusive"


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with one field."""

    reason: str
    message: str
    field: str

    def body(self) -> dict[str, Any]:
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(path: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value{': ' + why if why else ''}", path)


def invalid(path: str, shown: str, why: str) -> Cause:
    """`shown` is the value as JSON."""
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", path)


def forbidden(path: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", path)


def unsupported(path: str, given: Any, choices: tuple[str, ...]) -> Cause:
    listed = ", ".join(f'"{choice}"' for choice in choices)
    return Cause(
        "FieldValueNotSupported", f"Unsupported value: {show(given)}: supported values: {listed}", path
    )


def show(value: Any) -> str:
    """A value as messages write it."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def check_port(given: int, path: str, *, needed: bool) -> Iterator[Cause]:
    if not given and needed:
        yield required(path)
    elif not 0 < given <= LAST_PORT:
        yield invalid(path, str(given), PORT_RANGE)


def unique(items: list[dict[str, Any]], key: str, path: str) -> Iterator[Cause]:
    seen = set()
    for index, item in enumerate(items):
        if (value := item.get(key)) is None:
            continue
        if value in seen:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {show(value)}", f"{path}[{index}].{key}")
        seen.add(value)


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
