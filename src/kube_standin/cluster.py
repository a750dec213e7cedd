"""What the server holds: the objects, the kinds that it serves now, what it knows of users and pods."""

from collections.abc import Iterator
from datetime import UTC, datetime

from kube_standin.objects.builtin import BUILT_IN
from kube_standin.objects.custom import kinds_of
from kube_standin.objects.kinds import Kind
from kube_standin.objects.schema import Schemas
from kube_standin.objects.store import Store
from kube_standin.settings import Places, Settings, User
from kube_standin.wire.access import STARTING, Access, Tokens
from kube_standin.wire.answers import Json

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_BY_NAME = {kind.name: kind for kind in BUILT_IN}
DEFINITIONS = _BY_NAME["CustomResourceDefinition"]


class Cluster:
    """One cluster's state."""

    def __init__(self, settings: Settings) -> None:
        self.store = Store()
        self.schemas = Schemas()
        self.access = Access(self.store)
        self.tokens = Tokens(settings.tokens, self._has_account)
        self.places = Places(settings.path)
        self.controllers = settings.controllers

    def kinds(self) -> Iterator[Kind]:
        """Everything that is served, custom kinds included."""
        yield from BUILT_IN
        for definition in self.store.all(DEFINITIONS):
            yield from kinds_of(definition)

    def _has_account(self, user: User) -> bool:
        *_, namespace, name = user.name.split(":")
        found = self.store.get(built_in("ServiceAccount"), namespace, name)
        return found is not None and found["metadata"]["uid"] == user.uid

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        wanted = (group, version, plural)
        return next(
            (kind for kind in self.kinds() if (kind.group, kind.version, kind.plural) == wanted), None
        )

    def serves(self, group: str, version: str) -> bool:
        return any((kind.group, kind.version) == (group, version) for kind in self.kinds())

    def kind_of(self, obj: Json) -> Kind | None:
        """The kind of an object by what it says it is."""
        return next(
            (
                kind
                for kind in self.kinds()
                if (kind.api_version, kind.name) == (obj["apiVersion"], obj["kind"])
            ),
            None,
        )


def built_in(name: str) -> Kind:
    """A built-in kind by its name."""
    return _BY_NAME[name]


def starting_objects() -> Iterator[Json]:
    """What every cluster starts with."""
    for name in NAMESPACES:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    yield from STARTING


def now() -> str:
    """This moment as objects write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
