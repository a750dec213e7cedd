"""What a Service asks of the whole cluster: a dry run allocates nothing, so it says nothing of these."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def asked(service: Json) -> list[str]:
    """The addresses and node ports that an object names, of a Service."""
    spec = (service.get("spec") or {}) if service.get("kind", "Service") == "Service" else {}
    addresses = [spec.get("clusterIP"), *(spec.get("clusterIPs") or [])]
    ports = [port.get("nodePort") for port in spec.get("ports") or [] if isinstance(port, Mapping)]
    found = [f"clusterIP {each}" for each in addresses if each and each != "None"]
    found += [f"nodePort {each}" for each in ports if each]
    return list(dict.fromkeys(found))


def held(what: Sequence[str], others: Iterable[tuple[str, Json]]) -> str | None:
    """Which of them another Service has already."""
    for who, other in others:
        both = [each for each in asked(other) if each in what]
        if both:
            return f"{', '.join(both)}: Service {who} has it already"
    return None
