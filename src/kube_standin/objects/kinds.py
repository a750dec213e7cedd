"""What the server serves: one table of built-in kinds, their subresources and what is peculiar to them."""

from dataclasses import dataclass
from typing import Any

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


PART_VERBS = ("get", "patch", "update")


@dataclass(frozen=True)
class Part:
    """A subresource: how discovery describes it. Without a kind of its own it shows its parent's."""

    name: str
    verbs: tuple[str, ...] = PART_VERBS
    kind: str = ""
    group: str = ""
    version: str = ""


STATUS = Part("status")


SCALE = Part("scale", kind="Scale", group="autoscaling", version="v1")


@dataclass(frozen=True)
class Kind:
    """One resource of one group and version."""

    group: str
    version: str
    plural: str
    name: str
    model: str = ""  # in the official client's models: the structure of its objects
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    counts_generation: bool = False
    annotations_count: bool = False  # a change of annotations is a new generation too
    created_by_update: bool = False  # an update of one that is not there creates it
    returns_deleted: bool = False  # a deletion is answered with the object, not with a Status
    fields: tuple[str, ...] = ()  # field selectors beside metadata.name and metadata.namespace
    custom: Any = None  # the version of the CustomResourceDefinition that it comes from
    singular_name: str = ""
    list_kind: str = ""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.singular_name or self.name.lower()

    @property
    def list_name(self) -> str:
        return self.list_kind or f"{self.name}List"

    @property
    def has_status(self) -> bool:
        return STATUS in self.parts

    @property
    def stored(self) -> bool:
        return "get" in self.verbs

    def part(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)
