"""One request, taken apart: who asks for what of which object, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kube_standin.objects.kinds import Kind
from kube_standin.settings import User
from kube_standin.wire import answers
from kube_standin.wire.access import Action

APPLY = "application/apply-patch+yaml"
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Target:
    """What a path names: a resource, maybe one object, maybe a part of it and a path below that."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    part: str = ""
    rest: str = ""

    def verb(self, method: str, query: Mapping[str, str]) -> str:
        if method in {"GET", "HEAD"}:
            if self.name:
                return "get"
            return "watch" if is_true(query.get("watch", "")) else "list"
        if method == "DELETE" and not self.name:
            return "deletecollection"
        return VERBS.get(method, "")

    def action(self, verb: str) -> Action:
        return Action(verb, self.group, self.plural, self.part, self.namespace, self.name)


@dataclass(frozen=True)
class Call:
    """A request for a resource that is served."""

    user: User
    verb: str
    kind: Kind
    target: Target
    query: Mapping[str, str]
    content_type: str = ""
    agent: str = ""
    body: bytes = b""
    warnings: list[str] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        return self.target.namespace

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def part(self) -> str:
        return self.target.part

    @property
    def dry_run(self) -> bool:
        return self.query.get("dryRun", "") == "All"

    @property
    def directive(self) -> str:
        """What to do about unknown fields."""
        return self.query.get("fieldValidation", "") or "Warn"

    @property
    def manager(self) -> str:
        """Who owns what this request writes."""
        return self.query.get("fieldManager", "") or self.agent.partition("/")[0] or "unknown"

    @property
    def is_yaml(self) -> bool:
        return "yaml" in self.content_type


def parse_path(path: str) -> Target | None:
    """What a path below /api or /apis names; None for the discovery documents and for everything else."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:  # noqa: PLR2004 (api, version, resource)
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:  # noqa: PLR2004 (apis, group, version, resource)
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    parts_of_namespaces = {"status", "finalize"}
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in parts_of_namespaces:  # noqa: PLR2004
        namespace, rest = rest[1], rest[2:]
    elif rest[0] == "namespaces" and len(rest) > 1 and not group:
        namespace = rest[1]  # a namespace is asked for in itself, as far as rights go
    plural, name, part = ([*rest, "", ""])[:3]
    return Target(group, version, plural, namespace, name, part, "/".join(rest[3:]))


def is_true(text: str) -> bool:
    return text.lower() in {"true", "1"}


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number in the query. Raises RefusedError if it is not valid."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise answers.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
