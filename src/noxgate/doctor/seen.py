"""What one look saw: of which setting, where that comes from, and the cause for which lines wait."""

import os
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from noxgate.doctor.needs import Need
from noxgate.look.documents import of_toml
from noxgate.project.keys.every import KEYS
from noxgate.project.overrides import OVERRIDES
from noxgate.project.target import Target


@dataclass(frozen=True)
class Group:
    """Causes of one kind, which one command mends: `read` would take the next of several for an answer."""

    title: str
    command: str  # with {items} where their names stand

    def mended(self, items: Iterable[str]) -> str:
        """The command for these."""
        return self.command.replace("{items}", " ".join(items))


UNSET = Group(
    "for variables that are not set",
    """for n in {items}; do read -rsp "$n? " "$n" && echo && export "$n"; done""",
)


@dataclass(frozen=True)
class Cause:
    """Why lines wait, in one line, and commands to paste. Two of the same `key` are one.

    Of a group `item` is the name of the variable or the key, and `what` says what it is. `of_many`: what a
    whole system has, and not a setting alone, is said before all settings.
    """

    what: str
    remedy: tuple[str, ...] = ()
    key: str = ""
    group: Group | None = None
    item: str = ""
    of_many: bool = False


@dataclass(frozen=True)
class Seen:
    """`needs`: what waits where there is a cause; `fails`: what fails where there is one.

    `is_set`: whether there was anything to look at.
    """

    setting: str
    origin: str
    said: str
    cause: Cause | None = None
    needs: Collection[Need] = ()
    is_set: bool = True
    fails: Collection[Need] = ()


@dataclass(frozen=True)
class Place:
    """A target to look at, or its peer, and where its profile says what."""

    target: Target
    lines: Mapping[str, int]  # key, or table.key -> line of the profile
    peer: str = ""

    def need(self, system: str, what: str = "") -> Need:
        return Need(system, what, self.peer)

    @property
    def file(self) -> str:
        """The profile, as one types it here."""
        return os.path.relpath(self.target.path)

    @property
    def top(self) -> int:
        """The line of its first key: below the comment that names the schema, above all tables."""
        return min(self.lines.values(), default=1)

    def label(self, key: str) -> str:
        return f"{self.peer}: {key}" if self.peer else key

    def origin(self, key: str) -> str:
        """Where a setting comes from: a variable, a line of the profile, or the default."""
        said = self.target.origins.get(key, "")
        if said in OVERRIDES:
            return f"${said}"
        return f"{self.target.path.name}:{self.lines[key]}" if key in self.lines else said or "default"

    def variable(self, role: str) -> str:
        """Where a credential comes from: the variable that the profile names, and where it is named."""
        name = self.target.credentials.get(role)
        if name is None:
            return "not named"
        line = self.lines.get(f"credentials.{role}")  # None if the profile has it by a misspelt name
        return f"${name} ({self.target.path.name}{f':{line}' if line else ''})"

    def seen(
        self,
        key: str,
        said: str,
        *needs: Need,
        cause: Cause | None = None,
        origin: str = "",
        is_set: bool = True,
    ) -> Seen:
        """A look at what a key of the profile says."""
        return Seen(self.label(key), origin or self.origin(key), said, cause, needs, is_set)

    def unnamed(self, key: str, what: str, *needs: Need) -> Seen:
        """A key that the profile does not have."""
        file = shlex.quote(self.file)
        edit = f"""sed -i "{self.top}i $k = \\"$v\\"" {file}"""
        command = f"""for k in {{items}}; do read -rp "$k? " v && [ "$v" ] && {edit}; done"""
        group = Group(f"for what {self.target.path.name} does not name", command)
        said = f"{what}, such as {KEYS[key].example}"
        cause = Cause(said, key=unnamed_key(self, key), group=group, item=key)
        return self.seen(key, "not named", *needs, cause=cause, is_set=False)

    def name_it(self, key: str, example: str, value: str = "$v") -> str:
        """The command that asks for a text and says it in the profile: tables come after it."""
        said = f'{key} = \\"{value}\\"'
        script = f"s|^{key} *=.*|{said}|" if key in self.lines else f"{self.top}i {said}"
        return f"""read -rp '{key}, such as {example}? ' v && sed -i "{script}" {shlex.quote(self.file)}"""

    def edit(self, key: str) -> str:
        """The command that opens the profile where a key is, or could be."""
        return f"${{EDITOR:-vi}} +{self.lines.get(key, 1)} {shlex.quote(self.file)}"

    def unset(self, name: str) -> Cause:
        return Cause(f"{name} is not set", key=name, group=UNSET, item=name)


def unnamed_key(at: Place, key: str) -> str:
    """Of the cause that a profile does not name a key."""
    return f"unnamed {at.target.path} {key}"


def authority_key(at: Place) -> str:
    """Of the cause that an authority is not known: the profile says whom all its systems believe."""
    return f"authority {at.target.path}"


def export(name: str) -> str:
    """The command that asks for a value, so that it stands in no shell's history."""
    return UNSET.mended([name])


def place(target: Target, peer: str = "") -> Place:
    return Place(target, lines_of(target.path.read_text(encoding="utf-8")), peer)


def unnamed_source(at: Place, *needs: Need) -> Seen:
    """The checkout that files and manifests are seen from."""
    return at.unnamed("source", "a checkout of NOX, seen from the profile", *needs)


def lines_of(text: str) -> Mapping[str, int]:
    """The line of each key of a TOML text; of those in a table `table.key`, of the table itself `table`."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if opened := re.match(r"\[\[?([\w.-]+)\]\]?\s*(#|$)", line.strip()):
            table = f"{opened[1]}."
            found.setdefault(opened[1], number)
        elif said := re.match(r"([A-Za-z0-9_-]+)\s*=", line):
            found.setdefault(f"{table}{said[1]}", number)
    return found


def named_keys(target: Target) -> list[str]:
    """The keys that the profile has itself, in its order."""
    return list(of_toml(target.path.read_text(encoding="utf-8")))
