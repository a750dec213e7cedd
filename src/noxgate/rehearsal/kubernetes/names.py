"""What names, labels and annotations may look like, in the real server's words."""

import re
from collections.abc import Iterator
from typing import Any

from noxgate.rehearsal.kubernetes.answers import Json
from noxgate.rehearsal.kubernetes.builtin import RBAC
from noxgate.rehearsal.kubernetes.causes import Cause, invalid, required
from noxgate.rehearsal.kubernetes.kinds import Kind

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"


SERVICE = r"[a-z]([-a-z0-9]*[a-z0-9])?"


LABEL_LENGTH = 63


SUBDOMAIN_LENGTH = 253


ANNOTATIONS_LIMIT = 256 * 1024


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


QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


def object_meta(kind: Kind, obj: Json) -> Iterator[Cause]:
    """What is wrong with an object's name, labels and annotations."""
    meta = obj["metadata"]
    name = meta.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from object_name(kind, name)
    yield from labels(meta.get("labels", {}), "metadata.labels")
    annotations = meta.get("annotations", {})
    for key in annotations:
        yield from _qualified(key.lower(), "metadata.annotations")
    if sum(len(key) + len(value) for key, value in annotations.items()) > ANNOTATIONS_LIMIT:
        yield Cause(
            "FieldValueTooLong",
            f"Too long: may not be more than {ANNOTATIONS_LIMIT} bytes",
            "metadata.annotations",
        )


def object_name(kind: Kind, name: str) -> Iterator[Cause]:
    if kind.group == RBAC:
        if name in {".", ".."} or "/" in name or "%" in name:
            yield invalid("metadata.name", f'"{name}"', "may not contain '/' or '%'")
        return
    if kind.name == "Namespace":
        yield from dns_label(name, "metadata.name")
    elif kind.name == "Service":
        if len(name) > LABEL_LENGTH or not re.fullmatch(SERVICE, name):
            yield invalid("metadata.name", f'"{name}"', SERVICE_RULE)
    else:
        yield from dns_subdomain(name, "metadata.name")


def dns_label(value: str, path: str) -> Iterator[Cause]:
    if len(value) > LABEL_LENGTH:
        yield invalid(path, f'"{value}"', f"must be no more than {LABEL_LENGTH} characters")
    if not re.fullmatch(LABEL, value):
        yield invalid(path, f'"{value}"', LABEL_RULE)


def dns_subdomain(value: str, path: str) -> Iterator[Cause]:
    if len(value) > SUBDOMAIN_LENGTH:
        yield invalid(path, f'"{value}"', f"must be no more than {SUBDOMAIN_LENGTH} characters")
    if not re.fullmatch(SUBDOMAIN, value):
        yield invalid(path, f'"{value}"', SUBDOMAIN_RULE)


def labels(given: dict[str, Any], path: str) -> Iterator[Cause]:
    for key, value in given.items():
        yield from _qualified(key, path)
        if len(value) > LABEL_LENGTH:
            yield invalid(path, f'"{value}"', f"must be no more than {LABEL_LENGTH} bytes")
        if value and not QUALIFIED.fullmatch(value):
            yield invalid(path, f'"{value}"', LABEL_VALUE_RULE)


def _qualified(key: str, path: str) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(SUBDOMAIN, prefix):
        yield invalid(path, f'"{key}"', f"prefix part {SUBDOMAIN_RULE}")
    if not QUALIFIED.fullmatch(name):
        yield invalid(path, f'"{key}"', NAME_PART_RULE)
    elif len(name) > LABEL_LENGTH:
        yield invalid(path, f'"{key}"', f"name part must be no more than {LABEL_LENGTH} bytes")
