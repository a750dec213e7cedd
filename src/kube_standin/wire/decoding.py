"""From a request's bytes to an object of the kind that it must be."""

from typing import Any

from kube_standin.objects.builtin import BUILT_IN
from kube_standin.objects.kinds import Kind
from kube_standin.validation.conforming import Reading
from kube_standin.wire.answers import Json, RefusedError, bad_request
from kube_standin.wire.syntax import parse

SHOWN = 30  # bytes of a bad body in the message


SCHEME = "pkg/runtime/scheme.go:111"  # a place in the real server's own source


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
            'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
            'Kind string "json:\\"kind,omitempty\\"" }'
        )
        raise _unrecognized(kind, why, body)
    name, version = value.get("kind") or kind.name, value.get("apiVersion") or kind.api_version
    if (version, name) != (kind.api_version, kind.name):
        raise _of_another_kind(kind, str(name), str(version))
    value["kind"], value["apiVersion"] = name, version
    return value


def _of_another_kind(kind: Kind, name: str, version: str) -> RefusedError:
    """An object that says to be something else: known to the server or not."""
    short = version.rpartition("/")[2]
    known = {(each.api_version, each.name) for each in BUILT_IN}
    if (version, name) not in known:
        why = f'no kind "{name}" is registered for version "{version}" in scheme "{SCHEME}"'
    elif name != kind.name:
        inside = kind.group.partition(".")[0] or "core"
        why = f"converting ({short}.{name}) to ({inside}.{kind.name}): unknown conversion"
    else:
        return bad_request(
            f"the API version in the data ({version}) does not match "
            f"the expected API version ({kind.api_version})"
        )
    return bad_request(f'{name} in version "{short}" cannot be handled as a {kind.name}: {why}')


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
