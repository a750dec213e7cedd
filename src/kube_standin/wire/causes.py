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


def duplicate(path: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {show(value)}", path)


def not_found(path: str, value: Any) -> Cause:
    return Cause("FieldValueNotFound", f"Not found: {show(value)}", path)


def too_long(path: str, limit: int) -> Cause:
    return Cause("FieldValueTooLong", f"Too long: may not be more than {limit} bytes", path)


def not_negative(given: Any, path: str) -> Iterator[Cause]:
    if isinstance(given, int) and given < 0:
        yield invalid(path, str(given), "must be greater than or equal to 0")


def show(value: Any) -> str:
    """A value as messages write it."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def check_port(given: int, path: str, *, needed: bool) -> Iterator[Cause]:
    if not given and needed:
        yield required(path)
    elif not 0 < given <= LAST_PORT:
        yield invalid(path, str(given), PORT_RANGE)


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
