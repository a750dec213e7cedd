"""What a Service asks of the whole cluster: a dry run allocates nothing, so it says nothing of these."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.api_server.answers import TakenError

Json = Mapping[str, Any]

EVERYWHERE = ""  # as a namespace
NODE_PORTS = "30000-32767"  # where the server is told nothing else; it does not say which it has


def asked(service: Json) -> list[str]:
    """The addresses and node ports that an object names, of a Service."""
    spec = (service.get("spec") or {}) if service.get("kind", "Service") == "Service" else {}
    addresses = [spec.get("clusterIP"), *(spec.get("clusterIPs") or [])]
    ports = [port.get("nodePort") for port in spec.get("ports") or [] if isinstance(port, Mapping)]
    found = [f"clusterIP {each}" for each in addresses if each and each != "None"]
    found += [f"nodePort {each}" for each in ports if each]
    return list(dict.fromkeys(found))


def out_of_range(service: Json, node_ports: str) -> list[int]:
    """The node ports that an object names, of a Service, and that a server of this range would not give."""
    first, last = map(int, node_ports.split("-"))
    found = [int(each.partition(" ")[2]) for each in asked(service) if each.startswith("nodePort ")]
    return [port for port in found if not first <= port <= last]


def held(what: Sequence[str], others: Iterable[tuple[str, Json]]) -> str | None:
    """Which of them another Service has already."""
    for who, other in others:
        both = [each for each in asked(other) if each in what]
        if both:
            return f"{', '.join(both)}: Service {who} has it already"
    return None


class Looks(Protocol):
    """What a look at the cluster is asked for here."""

    def list(self, kind: str, namespace: str) -> Sequence[Json]:
        """The objects of a kind."""

    def say(self, said: str, manifest: Json) -> None:
        """Note what is known of the object of a manifest."""


class Services:
    """The Services of some manifests, in their order, beside those that are there.

    `node_ports` is the range that the profile names, where it names one.
    """

    def __init__(self, looks: Looks, node_ports: str | None) -> None:
        self._looks = looks
        self._node_ports = node_ports
        self._claimed: dict[str, Json] = {}

    def check_free(self, manifest: Json, namespace: str) -> None:
        """Compare what a Service asks of the cluster with the others here; the rest of it is not seen."""
        wanted = asked(manifest)
        if not wanted or manifest["kind"] != "Service":
            return
        own = f"{namespace}/{(manifest.get('metadata') or {}).get('name')}"
        live, said = self._there(namespace)
        self._claimed |= {own: manifest}
        others = {**live, **self._claimed}
        mine = asked(live[own]) if own in live else []
        taken = held(wanted, [(name, each) for name, each in others.items() if name != own])
        if taken is not None:
            raise TakenError(f"a real apply would be refused, a dry run allocates nothing: {taken}")
        if not set(wanted) <= set(mine):
            self._check_range(manifest, live)
            words = f"not tried, since a dry run allocates nothing: {', '.join(wanted)}"
            self._looks.say(f"{words}; no other Service of {said} has it", manifest)

    def _check_range(self, manifest: Json, live: Mapping[str, Json]) -> None:
        """A dry run takes any node port; only the profile says which of them the server gives."""
        out = ", ".join(map(str, out_of_range(manifest, self._node_ports or NODE_PORTS)))
        if out and self._node_ports is not None:
            why = f"nodePort {out} is out of node_ports, {self._node_ports}"
            raise TakenError(f"a real apply would be refused: {why}")
        if out and not any(out_of_range(each, NODE_PORTS) for each in live.values()):
            why = f"nodePort {out} is out of {NODE_PORTS}, which API servers have by default"
            self._looks.say(f"could not look: {why}", manifest)
            raise UnreachableError(f"{why}; a dry run does not heed it: name the server's own in node_ports")

    def _there(self, namespace: str) -> tuple[dict[str, Json], str]:
        """Those of the cluster, or of one namespace where the credential sees no more; of which they are."""
        try:
            found, said = self._looks.list("Service", EVERYWHERE), "the cluster"
        except UnreachableError:
            found = self._looks.list("Service", namespace)
            said = f"{namespace}, the only namespace looked at,"
        names = [f"{each['metadata'].get('namespace')}/{each['metadata']['name']}" for each in found]
        return dict(zip(names, found, strict=True)), said
