"""What names, keys and labels may look like, in the real server's words."""

import re
from collections.abc import Iterator
from typing import Any

from kube_standin.objects.builtin import RBAC
from kube_standin.objects.kinds import Kind
from kube_standin.wire.causes import LAST_PORT, PORT_RANGE, Cause, invalid, show

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"


SERVICE = r"[a-z]([-a-z0-9]*[a-z0-9])?"


LABEL_LENGTH = 63


SUBDOMAIN_LENGTH = 253


LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end "
    f"with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
)


SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start "
    f"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN}')"
)


SERVICE_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, "
    f"and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    f"validation is '{SERVICE}')"
)


LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


NAME_PART_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


WILDCARD = rf"\*\.{SUBDOMAIN}"


WILDCARD_RULE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
    "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character "
    f"(e.g. '*.example.com', regex used for validation is '{WILDCARD}')"
)


PORT_NAME_LENGTH = 15


VARIABLE_RULE = (
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
)


KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


def object_name(kind: Kind, name: str) -> Iterator[Cause]:
    if kind.group == RBAC:
        if name in {".", ".."} or "/" in name or "%" in name:
            yield invalid("metadata.name", f'"{name}"', "may not contain '/' or '%'")
        return
    if kind.name == "Namespace":
        yield from dns_label(name, "metadata.name")
    elif kind.name == "Service":
        yield from service_name(name, "metadata.name")
    else:
        yield from dns_subdomain(name, "metadata.name")


def service_name(value: str, path: str) -> Iterator[Cause]:
    if len(value) > LABEL_LENGTH:
        yield invalid(path, show(value), f"must be no more than {LABEL_LENGTH} characters")
    if not re.fullmatch(SERVICE, value):
        yield invalid(path, show(value), SERVICE_RULE)


def dns_label(value: str, path: str) -> Iterator[Cause]:
    if len(value) > LABEL_LENGTH:
        yield invalid(path, show(value), f"must be no more than {LABEL_LENGTH} characters")
    if re.fullmatch(LABEL, value):
        return
    yield invalid(
        path, show(value), "must not contain dots" if re.fullmatch(SUBDOMAIN, value) else LABEL_RULE
    )


def dns_subdomain(value: str, path: str) -> Iterator[Cause]:
    if len(value) > SUBDOMAIN_LENGTH:
        yield invalid(path, show(value), f"must be no more than {SUBDOMAIN_LENGTH} characters")
    if not re.fullmatch(SUBDOMAIN, value):
        yield invalid(path, show(value), SUBDOMAIN_RULE)


def host(value: str, path: str) -> Iterator[Cause]:
    """A host that may begin with a wildcard."""
    if "*" not in value:
        yield from dns_subdomain(value, path)
    elif not re.fullmatch(WILDCARD, value):
        yield invalid(path, show(value), WILDCARD_RULE)


def port_name(value: str, path: str) -> Iterator[Cause]:
    if len(value) > PORT_NAME_LENGTH:
        yield invalid(path, show(value), f"must be no more than {PORT_NAME_LENGTH} characters")
    if not re.fullmatch("[-a-z0-9]+", value):
        yield invalid(
            path, show(value), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        )
    if not re.search("[a-z]", value):
        yield invalid(path, show(value), "must contain at least one letter (a-z)")
    if "--" in value:
        yield invalid(path, show(value), "must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        yield invalid(path, show(value), "must not begin or end with a hyphen")


def port(given: Any, path: str) -> Iterator[Cause]:
    """A port by its number or its name."""
    if isinstance(given, str):
        yield from port_name(given, path)
    elif not 0 < (given or 0) <= LAST_PORT:
        yield invalid(path, str(given or 0), PORT_RANGE)


def variable(value: str, path: str) -> Iterator[Cause]:
    """The name of an environment variable."""
    if not value.isascii() or not value.isprintable() or "=" in value:
        yield invalid(path, show(value), VARIABLE_RULE)


def key(value: str, path: str) -> Iterator[Cause]:
    """A key of a ConfigMap or a Secret."""
    if len(value) > SUBDOMAIN_LENGTH:
        yield invalid(path, show(value), f"must be no more than {SUBDOMAIN_LENGTH} characters")
    if not re.fullmatch("[-._a-zA-Z0-9]+", value):
        yield invalid(path, show(value), KEY_RULE)
    elif value in {".", ".."}:
        yield invalid(path, show(value), f"must not be '{value}'")
    elif value.startswith(".."):
        yield invalid(path, show(value), "must not start with '..'")


def label_value(value: str, path: str) -> Iterator[Cause]:
    if len(value) > LABEL_LENGTH:
        yield invalid(path, show(value), f"must be no more than {LABEL_LENGTH} bytes")
    if value and not QUALIFIED.fullmatch(value):
        yield invalid(path, show(value), LABEL_VALUE_RULE)


def labels(given: dict[str, Any], path: str) -> Iterator[Cause]:
    for key, value in given.items():
        yield from qualified(key, path)
        yield from label_value(value, path)


def qualified(key: str, path: str, shown: str | None = None) -> Iterator[Cause]:
    prefix, slash, name = key.partition("/")
    text = show(key if shown is None else shown)
    if "/" in name:
        rule = NAME_PART_RULE.removeprefix("name part")
        more = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        why = f"a valid label key{rule} {more}"
        yield invalid(path, text, why)
        return
    if not slash:
        prefix, name = "", key
    elif not prefix:
        yield invalid(path, text, "prefix part must be non-empty")
    else:
        if len(prefix) > SUBDOMAIN_LENGTH:
            yield invalid(path, text, f"prefix part must be no more than {SUBDOMAIN_LENGTH} bytes")
        if not re.fullmatch(SUBDOMAIN, prefix):
            yield invalid(path, text, f"prefix part {SUBDOMAIN_RULE}")
    if not name:
        yield invalid(path, text, "name part must be non-empty")
    elif len(name) > LABEL_LENGTH:
        yield invalid(path, text, f"name part must be no more than {LABEL_LENGTH} bytes")
    if not QUALIFIED.fullmatch(name):
        yield invalid(path, text, NAME_PART_RULE)
