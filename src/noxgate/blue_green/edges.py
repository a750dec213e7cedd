"""What may lead users to the service beside its Ingress, or in its place, and what is not known then."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from noxgate.blue_green.edge_kinds.annotated import EMISSARY, annotated
from noxgate.blue_green.edge_kinds.doors import meet, narrowed
from noxgate.blue_green.edge_kinds.kinds import (
    ANY,
    BETWEEN,
    KINDS,
    SEVERAL,
    EdgeKind,
    is_for_users,
    is_part,
    values,
)
from noxgate.blue_green.routing import backends
from noxgate.errors import UnreachableError
from noxgate.project.service.names import Service
from noxgate.systems.kubernetes.api_server.answers import RightError
from noxgate.systems.kubernetes.kube import EVERYWHERE, Kube
from noxgate.systems.kubernetes.workload import name

Json = Mapping[str, Any]
# By which external-dns gives a Service with an address of its own a name.
_DNS = "external-dns.alpha.kubernetes.io/hostname"


@dataclass(frozen=True)
class Edge:
    """An object that leads users to blue or green, and of which hosts; ANY if it leaves them open."""

    kind: str
    name: str
    hosts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def whose(self) -> str:
        return "every host" if ANY in self.hosts else ", ".join(self.hosts)

    def takes_of(self, hosts: Sequence[str]) -> bool:
        return any(meet(ours, its) for ours in hosts for its in self.hosts)


def the_ingress(kube: Kube, service: Service, namespace: str, namespaces: Sequence[str]) -> Json:
    """The service's Ingress. Raises AssertionError if it is not there.

    Raises UnreachableError if users come, or may come, by something else, which a switch of it does not move.
    """
    found = kube.get("Ingress", service.ingress, namespace)
    hosts = [ANY]
    if found is not None:
        hosts = [rule.get("host", ANY) for rule in found["spec"].get("rules") or []] or [ANY]
    around = tuple(dict.fromkeys([namespace, *namespaces]))
    other = next(_Edges(kube, service, around, found).taking(hosts), None)
    if found is None:
        assert other is not None, f"Ingress {service.ingress} is not there in {namespace}"
        raise UnreachableError(
            f"Ingress {service.ingress} is not there in {namespace}, and {other} leads to its Services: "
            "the gate can read and switch an Ingress alone"
        )
    services = [backend.get("service") or {} for _, backend in backends(found)]
    actions = [each["name"] for each in services if _is_action(each)]
    if actions:
        raise UnreachableError(
            f"{actions[0]} in Ingress {service.ingress} is an action of the AWS load balancer, which an "
            "annotation describes: the gate reads and switches backends that are Services alone"
        )
    if other is not None:
        raise UnreachableError(
            f"{other} leads users of {other.whose} to the Services of Ingress"
            f" {service.ingress}, too: by which they come is not known, and the gate can switch it alone"
        )
    return found


def _is_action(backend: Json) -> bool:
    """Whether what has a Service's name stands for an annotation, which says where the requests go."""
    return (backend.get("port") or {}).get("name") == "use-annotation"


class _Edges:
    """Those of every kind that the cluster serves, in all namespaces that the credential sees."""

    def __init__(
        self, kube: Kube, service: Service, namespaces: tuple[str, ...], ingress: Json | None
    ) -> None:
        self._kube = kube
        self._namespaces = namespaces
        self._ingress = ingress
        self._services = [each for inside in namespaces for each in kube.list("Service", inside)]
        self._colours = service.colours

    @cached_property
    def _names(self) -> frozenset[str]:
        """Of the Services, and of others with the same pods."""
        several = self._listed(SEVERAL.kind, SEVERAL.group, SEVERAL.plural)
        inner = [
            {**each, "spec": spec} for each in several for spec in values(each.get("spec"), SEVERAL.inner)
        ]
        return self._colours | _other_names([*self._services, *inner], self._colours)

    def taking(self, hosts: Sequence[str]) -> Iterator[Edge]:
        """Those that lead users of one of these hosts to blue or green."""
        for thing in self._services:
            edge = _of_dns(thing) if name(thing) in self._names else None
            if edge is not None and edge.takes_of(hosts):
                yield edge
        for kind in KINDS:
            for thing in self._listed(kind.kind, kind.group, kind.plural):
                if is_for_users(kind, thing):
                    for entry in kind.entries_of(thing):
                        yield from self._taking(kind, entry, hosts)
        if self._kube.serves_group(EMISSARY):
            for kind, thing in annotated(self._services):
                yield from self._taking(kind, thing, hosts)

    def _taking(self, kind: EdgeKind, thing: Json, hosts: Sequence[str]) -> Iterator[Edge]:
        own = Edge(kind.kind, name(thing), kind.hosts_of(thing["spec"]))
        if own.takes_of(hosts) and self._leads(kind, thing):
            narrow = narrowed(kind, thing, own.hosts, self._seen, self._whole, self._ingress)
            edge = Edge(kind.kind, name(thing), narrow)
            if edge.takes_of(hosts):
                yield edge

    def _listed(self, kind: str, group: str, plural: str) -> list[Json]:
        try:
            return self._kube.list_where_served(kind, group, plural, EVERYWHERE)
        except RightError:  # which was noted
            return [
                each
                for namespace in self._namespaces
                for each in self._kube.list_where_served(kind, group, plural, namespace)
            ]

    def _seen(self, kind: str, group: str, plural: str) -> list[Json]:
        """Those that the credential may see: what is not seen leaves every host open."""
        try:
            return self._listed(kind, group, plural)
        except RightError:
            return []

    def _whole(self, kind: str, group: str, plural: str) -> list[Json]:
        """All that there are; empty if the credential sees those of its namespaces alone."""
        try:
            return self._kube.list_where_served(kind, group, plural, EVERYWHERE)
        except RightError:
            return []

    def _leads(self, kind: EdgeKind, thing: Json) -> bool:
        """Whether it, or what holds more of its routes, says the name of one of the Services."""
        if self._says(thing):
            return True
        wanted = kind.parts_of(thing)
        parts = [
            (between, each)
            for between in (BETWEEN.get(kind.part, (kind,)) if wanted else ())
            for each in self._listed(between.kind, between.group or kind.group, between.plural)
        ]
        while wanted:
            found = [(between, each) for between, each in parts if is_part(each, wanted)]
            if any(self._says(each) for _, each in found):
                return True
            # each once: they may form a ring
            parts = [(between, each) for between, each in parts if not is_part(each, wanted)]
            wanted = {each for between, part in found for each in between.parts_of(part)}
        return False

    def _says(self, thing: Json) -> bool:
        """Whether it says the name of one of these Services anywhere, alone or with its namespace behind it.

        From another namespace, such as a gateway's own, it has to say one of these namespaces, too; Gloo says
        both in one word, and the port.
        """
        if any(self._is_upstream(text) for text in _texts(thing.get("spec"))):
            return True
        texts = [_words(text) for text in _texts(thing.get("spec"))]
        is_near = thing["metadata"].get("namespace") in self._namespaces or any(
            namespace in words for words in texts for namespace in self._namespaces
        )
        return is_near and any(words[0] in self._names for words in texts)

    def _is_upstream(self, text: str) -> bool:
        """Whether it is the name that Gloo gives to what it finds: NAMESPACE-SERVICE-PORT."""
        found, _, port = text.rpartition("-")
        return port.isdecimal() and any(
            found == f"{namespace}-{each}" for namespace in self._namespaces for each in self._names
        )


def _other_names(services: Sequence[Json], colours: frozenset[str]) -> set[str]:
    """Services that lead to the same pods: by the address of one of these, or by a selector of its pods."""
    chosen = [(_namespace(each), _selected(each)) for each in services if name(each) in colours]
    return {
        name(each)
        for each in services
        if _words(str(each["spec"].get("externalName") or ""))[0] in colours
        or any(_are_of_both(_selected(each), one) for at, one in chosen if at == _namespace(each))
    }


def _are_of_both(one: set[tuple[str, str]], other: set[tuple[str, str]]) -> bool:
    """Whether one selector is the narrower form of the other; an empty one selects no pod."""
    return bool(one and other) and (one <= other or other <= one)


def _namespace(thing: Json) -> object:
    return thing["metadata"].get("namespace")


def _selected(service: Json) -> set[tuple[str, str]]:
    return set((service["spec"].get("selector") or {}).items())


def _of_dns(service: Json) -> Edge | None:
    """A Service that has an address of its own under a name of DNS."""
    said = (service["metadata"].get("annotations") or {}).get(_DNS)
    if not said or service["spec"].get("type", "ClusterIP") not in {"LoadBalancer", "NodePort"}:
        return None
    return Edge("Service", name(service), tuple(each.strip().rstrip(".").lower() for each in said.split(",")))


def _words(text: str) -> list[str]:
    """The parts of an address: the Service, its namespace, a port; without its scheme."""
    return re.split(r"[.:/]", re.sub(r"^[a-z0-9]+://", "", text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
