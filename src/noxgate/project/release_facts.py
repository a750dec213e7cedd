"""The release record, `release.toml`: who ships what, when, and whom to call.

A record that cannot be read as one is a FactsError. A field that is missing, blank or still a template's
filler is a gap: the record is there, and somebody has not filled it in.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from noxgate.errors import NoxgateError, UnreachableError
from noxgate.look.documents import of_toml
from noxgate.project.keys import record
from noxgate.project.keys.key import Key, names
from noxgate.project.keys.reading import refuse_others
from noxgate.project.placeholder import is_placeholder

ROLES, REACHED_BY, LINKS = map(names, (record.CONTACTS, record.REACHED_BY, record.LINKS))
_TELEPHONE = re.compile(r"[+(]?[0-9][0-9 ()/.-]{4,}[0-9]")
_SLACK = re.compile(r"@[\w.-]+")
# Reserved by RFC 2606, and those that templates are written with.
_NOBODYS = re.compile(r"(.*\.)?(example\.(com|net|org)|(your|my)-?(domain|company|org|host)\.[a-z]+)")
_CHANNEL = re.compile(r"#[a-z0-9_-]{1,80}")


class FactsError(NoxgateError, AssertionError):
    """The release record is not one: a line that says what was expected and what was seen."""


@dataclass(frozen=True)
class MeasuredBefore:
    """The last version before this one that was under load, and the folder of its results."""

    version: str
    load_results: Path


@dataclass(frozen=True)
class ReleaseFacts:
    """What the record says; what it does not say is empty or None, and named by the methods about gaps.

    `contacts` are name, telephone and Slack handle by role; no report needs to show them.
    """

    path: Path
    version: str = ""
    date: dt.date | None = None
    on_call: str = ""
    planned_minutes: int | None = None
    checklist: str = ""
    channels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()  # who else may attest, apart from those to call
    contacts: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    links: Mapping[str, str] = field(default_factory=dict, repr=False)  # all that somebody pasted
    before: MeasuredBefore | None = None  # nothing is compared with it if it is missing

    def names(self) -> list[str]:
        """Everybody whom the record names, each once."""
        contacts = [contact.get("name", "") for contact in self.contacts.values()]
        found = [" ".join(name.split()) for name in (self.on_call, *contacts, *self.people)]
        return list(dict.fromkeys(name for name in found if not _is_blank(name)))

    def key_of(self, name: str) -> str | None:
        """The name of the public key's file that the record gives for a person; None if it does not."""
        keys = [one.get("key", "") for one in self.contacts.values() if one.get("name", "") == name]
        return next((Path(key).name for key in keys if key), None)

    def gaps(self) -> list[str]:
        """The fields of the release itself that are not filled in."""
        texts = {"version": self.version, "on_call": self.on_call}
        found = [key for key, value in texts.items() if _is_blank(value)]
        return found + [key for key in ("date", "planned_minutes") if getattr(self, key) is None]

    def contact_gaps(self) -> list[str]:
        """Each field of a contact that is blank or of another form, as `devops_lead.telephone: is blank`."""
        return [
            f"{role}.{key}: {problem}"
            for role in ROLES
            for key in REACHED_BY
            if (problem := _contact_problem(key, self.contacts.get(role, {}).get(key, ""))) is not None
        ]

    def channel_gaps(self) -> list[str]:
        """The channels that are not valid."""
        return [name for name in self.channels if not _CHANNEL.fullmatch(name) or _is_blank(name[1:])]

    def link_gaps(self) -> list[str]:
        """The links that are missing, blank, or lead nowhere by their form, as `wiki: is blank`."""
        return [
            f"{name}: {problem}"
            for name in LINKS
            if (problem := link_problem(self.links.get(name, ""))) is not None
        ]


def read_release_facts(path: Path) -> ReleaseFacts:
    """Read a release record.

    Raises UnreachableError if the file is missing, FactsError if it is not a valid record.
    """
    try:
        document = of_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreachableError(f"the release record {path}: {error.strerror}") from None
    except ValueError as error:
        raise FactsError(f"{path.name}: {error}") from None
    _check(path, document)
    return ReleaseFacts(
        path=path,
        version=document.get("version", ""),
        date=document.get("date"),
        on_call=document.get("on_call", ""),
        planned_minutes=document.get("planned_minutes"),
        checklist=document.get("checklist", ""),
        channels=tuple(document.get("channels", ())),
        people=tuple(document.get("people", ())),
        contacts=document.get("contacts", {}),
        links=document.get("links", {}),
        before=_before(path, document),
    )


def _before(path: Path, document: Mapping[str, Any]) -> MeasuredBefore | None:
    if "measured_before" not in document:
        return None
    table = document["measured_before"]
    blank = [key for key in names(record.BEFORE) if _is_blank(table.get(key, ""))]
    if blank:
        raise FactsError(
            f"{path.name}: measured_before.{blank[0]} is blank: fill it in, or remove [measured_before]"
        )
    if table["version"] == document.get("version"):
        raise FactsError(
            f"{path.name}: measured_before.version: expected a release before {table['version']}, saw itself"
        )
    return MeasuredBefore(table["version"], path.parent / Path(table["load_results"]).expanduser())


def _check(path: Path, document: Mapping[str, Any]) -> None:
    """No value of it is shown: people's names and numbers are in it."""

    def check(table: Mapping[str, Any], keys: tuple[Key, ...], inside: str = "", noun: str = "key") -> None:
        refuse_others(path.name, table, keys, FactsError, inside=inside, shown=False, noun=noun)

    check(document, record.RECORD_KEYS)
    for key, example in (("channels", "#ops-alerts"), ("people", "Ada Lindqvist")):
        if not all(isinstance(name, str) for name in document.get(key, ())):
            raise FactsError(f'{path.name}: {key}: expected texts such as "{example}"')
    contacts = document.get("contacts", {})
    check(contacts, record.CONTACTS, "contacts", "role")
    for role, contact in contacts.items():
        check(contact, record.CONTACT, f"contacts.{role}")
    check(document.get("links", {}), record.LINKS, "links")
    check(document.get("measured_before", {}), record.BEFORE, "measured_before")


def _contact_problem(key: str, value: str) -> str | None:
    if _is_blank(value):
        return "is blank"
    if key == "telephone":
        return _telephone_problem(value)
    if key == "slack" and (not _SLACK.fullmatch(value) or _is_blank(value[1:])):
        return "is not a Slack handle, as @name"
    return None


def _telephone_problem(value: str) -> str | None:
    digits = re.sub(r"\D", "", value)
    # 555-0100 to 555-0199 are reserved for examples
    if (
        not _TELEPHONE.fullmatch(value)
        or len(set(digits)) == 1
        or re.search(r"5550[01]\d\d$|1234567", digits)
    ):
        return "is not a usable telephone number"
    return None


def link_problem(value: str) -> str | None:
    """Why a link leads nowhere by its form, in words that follow it; None if it may lead somewhere."""
    if _is_blank(value):
        return "is blank"
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return "is not a URL"
    problems = {
        "is not a URL of http or https": parts.scheme not in {"http", "https"} or not host,
        "has a user name or password in it: links are for everybody": "@" in parts.netloc,
        f"is at {host}, which is an example": _NOBODYS.fullmatch(host) is not None,
        "has a blank in it": any(_is_blank(part) for part in _pieces(value)),
    }
    return next((problem for problem, is_so in problems.items() if is_so), None)


def _pieces(url: str) -> Iterator[str]:
    """The parts of an address that somebody may have left as they were."""
    parts = urlsplit(url)
    yield parts.hostname or ""
    yield from (part for part in parts.path.split("/") if part)


def _is_blank(value: str) -> bool:
    return not value.strip() or is_placeholder(value)
