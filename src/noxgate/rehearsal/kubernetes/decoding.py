"""From a request's bytes to an object of the kind that it must be."""

from typing import Any

from noxgate.rehearsal.kubernetes.answers import Json, RefusedError, bad_request
from noxgate.rehearsal.kubernetes.conforming import Reading
from noxgate.rehearsal.kubernetes.kinds import Kind
from noxgate.rehearsal.kubernetes.syntax import parse

SHOWN = 30  # bytes of a bad body in the message


DEFAULT_DIRECTIVE = "Warn"


def parse_object(body: bytes, kind: Kind, *, is_yaml: bool = False) -> Json:
    """The object in a body that must be of this kind; apiVersion and kind are filled in."""
    try:
        value = parse(body, is_yaml=is_yaml)
    except ValueError as error:
        why = f"couldn't get version/kind; json parse error: {error}"
        raise _unrecognized(kind, why, body) from None
    if not isinstance(value, dict):
        kind_of = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
        why = (
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {kind_of} into Go "
            f"value of type "
            "struct { APIVersion string; Kind string }"
        )
        raise _unrecognized(kind, why, body)
    name, version = value.get("kind") or kind.name, value.get("apiVersion") or kind.api_version
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match "
            f"the expected API version ({kind.api_version})"
        )
    if name != kind.name:
        raise bad_request(
            f'{name} in version "{kind.version}" cannot be handled as a {kind.name}: '
            f'no kind "{name}" is registered for the internal version of group "{kind.group}"'
        )
    value["kind"], value["apiVersion"] = name, version
    return value


def refuse_unknown(kind: Kind, reading: Reading, directive: str) -> list[str]:
    """The warnings to send, or the refusal, for what `fieldValidation` says about unknown fields."""
    errors = reading.errors()
    if not errors or directive == "Ignore":
        return []
    if directive == "Strict":
        raise cannot_be_handled(kind, f"strict decoding error: {', '.join(errors)}")
    return errors


def cannot_be_handled(kind: Kind, why: str) -> RefusedError:
    return bad_request(f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {why}')


def as_go_prints(value: Any) -> str:
    """A value as Go's %+v prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{as_go_prints(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(as_go_prints(each) for each in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unrecognized(kind: Kind, why: str, body: bytes) -> RefusedError:
    if not body:
        shown = "<empty>"
    else:
        start, more = body[:SHOWN], " ..." if len(body) > SHOWN else ""
        shown = (start.decode("utf-8", errors="replace") if body[:1] == b"{" else start.hex()) + more
    return bad_request(f"the object provided is unrecognized (must be of type {kind.name}): {why} ({shown})")
