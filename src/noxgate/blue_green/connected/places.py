"""Where the configuration of pods leads.

The same words may lead to different places: `redis://cache` is of the pod's own namespace. And a variable is
read at a pod's start, so what is configured now may be what it will have after the next one.
"""

import ipaddress
import re
import socket
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from noxgate.blue_green.routing import endpoints, service_behind
from noxgate.blue_green.side import Side
from noxgate.errors import UnreachableError
from noxgate.look.places import place
from noxgate.project.service.names import Container
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.pod_spec import Reference, variables, wholes
from noxgate.systems.kubernetes.workload import name

Json = Mapping[str, Any]
_IN_CLUSTER = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\..+)?")
_USED = re.compile(r"\$\((\w+)\)")  # another variable in the value of one


def configured(kube: Kube, pod: Json, variable: str, container: Container) -> str:
    """Where a variable of a pod leads. Raises AssertionError if the pod does not have it.

    Raises UnreachableError if that cannot be determined.
    """
    namespace, spec = pod["metadata"]["namespace"], pod["spec"]
    found = _place(kube, namespace, spec, variable, container)
    if not found:
        raise UnreachableError(f"{name(pod)}: {variable}: expected an address, saw another form")
    hosts, _, rest = found.partition("/")
    return ",".join(sorted(_host(kube, each, namespace) for each in hosts.split(","))) + f"/{rest}"


def leading_elsewhere(
    side: Side, target: Target, blue: Sequence[Json], green: Sequence[Json], role: str
) -> dict[str, str]:
    """The pods of green whose variable leads neither where blue's does nor where the gate's own does."""
    variable = role.upper()
    right = {configured(side.kube, pod, variable, side.container) for pod in blue}
    if role in target.credentials:
        right.add(place(target.credential(role).reveal()))
    found = {name(pod): configured(side.kube, pod, variable, side.container) for pod in green}
    return elsewhere(found, right)


def elsewhere(green: Mapping[str, str], right: Collection[str]) -> dict[str, str]:
    """The pods that are configured for another place than these; two names of one address are one place."""
    return {
        pod: place
        for pod, place in green.items()
        if place not in right and not any(_are_one(place, each) for each in right)
    }


def _are_one(one: str, other: str) -> bool:
    (hosts, _, rest), (others, _, rest_of_it) = one.partition("/"), other.partition("/")
    if rest != rest_of_it:
        return False
    found, theirs = ([_resolved(each) for each in several.split(",")] for several in (hosts, others))
    return all(found) and all(theirs) and set().union(*found) == set().union(*theirs)


def _resolved(at: str) -> set[tuple[str, str]]:
    """The addresses of HOST:PORT, as this machine knows them."""
    host, _, port = at.rpartition(":")
    try:
        return {(str(place[0]), port) for *_, place in socket.getaddrinfo(host.strip("[]"), None)}
    except (OSError, UnicodeError):
        return set()


def _place(kube: Kube, namespace: str, spec: Json, variable: str, container: Container) -> str:
    own = variables(spec, container)
    source = own.get(variable)
    if source is None:
        for prefix, whole in reversed(wholes(spec, container)):
            key = variable.removeprefix(prefix) if variable.startswith(prefix) else None
            if key and (given := _of(kube, namespace, Reference(whole.kind, whole.name, key))) is not None:
                return given
        raise AssertionError(f"no variable {variable} in the pod spec")
    if isinstance(source, Reference):
        given = _of(kube, namespace, source)
        if given is None:
            raise AssertionError(f"{variable}: {source} in {namespace} is not there")
        return given
    known = {key: value for key, value in own.items() if isinstance(value, str)}
    text = _USED.sub(lambda match: known.get(match[1], match[0]), source)
    found = place(_USED.sub("x", text) if "@" in text and "$(" not in text.rpartition("@")[2] else text)
    return "" if "$(" in found else found


def _of(kube: Kube, namespace: str, source: Reference) -> str | None:
    """The place that a Secret's or ConfigMap's key names, "" if it does not say; None without the key."""
    if source.kind == "Secret":
        value = (kube.secret(source.name, namespace) or {}).get(str(source.key))
        return None if value is None else value.place
    found = ((kube.get("ConfigMap", source.name, namespace) or {}).get("data") or {}).get(str(source.key))
    return None if found is None else place(found)


def _host(kube: Kube, at: str, namespace: str) -> str:
    """A host as seen from a namespace: a Service of the cluster as one of its own, any other by its name."""
    host, _, port = at.rpartition(":")
    found = _IN_CLUSTER.fullmatch(host)
    service, where = (found[1], found[2]) if found else (host, namespace)
    if not found and ("." in host or not host or _is_address(host)):
        return at
    try:
        behind = service_behind(kube, service, where)
        if behind is None:
            outside = kube.get("Service", service, where)
            named = ((outside or {}).get("spec") or {}).get("externalName")
            return f"{named}:{port}" if named else at
        called = f"{name(behind.service)}.{behind.namespace}.svc"
        if not behind.service["spec"].get("selector"):  # of a server outside of the cluster: by its address
            called = "+".join(sorted({each.address for each in endpoints(kube, behind)})) or called
    except UnreachableError:  # another team's namespace, into which this account may not look
        called = f"{service}.{where}.svc"
    return f"{called}:{port}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
