"""What the server checks of a pod's spec, alone or in a template, in the order in which it does."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from kube_standin.objects import names
from kube_standin.validation import metadata
from kube_standin.validation.pods import containers, security
from kube_standin.validation.pods.affinity import affinity, selector
from kube_standin.validation.pods.volumes import volumes
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, duplicate, forbidden, invalid, required, show, unsupported

RESTARTS = ("Always", "OnFailure", "Never")
DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
ADDRESS_RULE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
MOST_NAMESERVERS = 3


def template(given: Json, path: str) -> Iterator[Cause]:
    """A pod template."""
    meta = given.get("metadata") or {}
    yield from names.labels(meta.get("labels") or {}, f"{path}.labels")
    yield from metadata.annotations(meta.get("annotations") or {}, f"{path}.annotations")
    yield from spec(given.get("spec") or {}, f"{path}.spec", in_pod=False)
    if (given.get("spec") or {}).get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        yield forbidden(f"{path}.spec.ephemeralContainers", why)


def spec(given: Json, path: str, *, in_pod: bool) -> Iterator[Cause]:
    """A pod's spec."""
    yield from volumes(given.get("volumes") or [], f"{path}.volumes")
    yield from containers.containers(given, path)
    if given.get("hostNetwork"):
        yield from _host_network(given, path, in_pod=in_pod)
    yield from _choice(given, "restartPolicy", RESTARTS, path)
    yield from _choice(given, "dnsPolicy", DNS, path)
    yield from names.labels(given.get("nodeSelector") or {}, f"{path}.nodeSelector")
    yield from _security(given.get("securityContext") or {}, f"{path}.securityContext")
    yield from affinity(given.get("affinity") or {}, f"{path}.affinity")
    yield from _dns(given, f"{path}.dnsConfig")
    for index, gate in enumerate(given.get("readinessGates") or []):
        yield from names.qualified(
            gate.get("conditionType", ""), f"{path}.readinessGates[{index}].conditionType"
        )
    yield from _spreading(given.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    yield from _names(given, path)
    yield from _tolerations(given.get("tolerations") or [], f"{path}.tolerations")
    for index, alias in enumerate(given.get("hostAliases") or []):
        here = f"{path}.hostAliases[{index}]"
        yield from address(alias.get("ip", ""), f"{here}.ip")
        for at, host in enumerate(alias.get("hostnames") or []):
            yield from names.dns_subdomain(host, f"{here}.hostnames[{at}]")
    for name in ("priorityClassName", "runtimeClassName"):
        if given.get(name):
            yield from names.dns_subdomain(given[name], f"{path}.{name}")
    yield from _choice(given, "preemptionPolicy", ("PreemptLowerPriority", "Never"), path)


def _choice(given: Json, name: str, choices: tuple[str, ...], path: str) -> Iterator[Cause]:
    if given.get(name) and given[name] not in choices:
        yield unsupported(f"{path}.{name}", given[name], choices)


def _host_network(given: Json, path: str, *, in_pod: bool) -> Iterator[Cause]:
    for index, container in enumerate(given.get("containers") or []):
        for at, port in enumerate(container.get("ports") or []):
            host, own = port.get("hostPort") or 0, port.get("containerPort") or 0
            if (in_pod or host) and host != own:
                where = f"{path}.containers[{index}].ports[{at}].hostPort"
                yield invalid(where, str(host), "must match `containerPort` when `hostNetwork` is true")


def _security(given: Json, path: str) -> Iterator[Cause]:
    if "fsGroup" in given and not 0 <= given["fsGroup"] <= security.MAX_ID:
        why = f"must be between 0 and {security.MAX_ID}, inclusive"
        yield invalid(f"{path}.fsGroup", str(given["fsGroup"]), why)
    yield from security.security(given, path)
    if given.get("fsGroupChangePolicy") not in {None, "OnRootMismatch", "Always"}:
        yield unsupported(
            f"{path}.fsGroupChangePolicy", given["fsGroupChangePolicy"], ("Always", "OnRootMismatch")
        )


def _dns(given: Json, path: str) -> Iterator[Cause]:
    config: Any = given.get("dnsConfig")
    if given.get("dnsPolicy") == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        elif not config.get("nameservers"):
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{path}.nameservers", why)
            return
    servers = (config or {}).get("nameservers") or []
    if len(servers) > MOST_NAMESERVERS:
        why = f"must not have more than {MOST_NAMESERVERS} nameservers"
        yield invalid(f"{path}.nameservers", show(servers), why)
    for index, server in enumerate(servers):
        yield from address(server, f"{path}.nameservers[{index}]")
    for index, option in enumerate((config or {}).get("options") or []):
        if not option.get("name"):
            yield required(f"{path}.options[{index}]", "must not be empty")


def address(given: str, path: str) -> Iterator[Cause]:
    try:
        ipaddress.ip_address(given)
    except ValueError:
        yield invalid(path, show(given), ADDRESS_RULE)


def _spreading(given: list[Json], path: str) -> Iterator[Cause]:
    choices = ("DoNotSchedule", "ScheduleAnyway")
    for index, each in enumerate(given):
        here, skew, action = f"{path}[{index}]", each.get("maxSkew") or 0, each.get("whenUnsatisfiable", "")
        if skew <= 0:
            yield invalid(f"{here}.maxSkew", str(skew), "must be greater than zero")
        if not each.get("topologyKey"):
            yield required(f"{here}.topologyKey", "can not be empty")
        if action not in choices:
            yield unsupported(f"{here}.whenUnsatisfiable", action, choices)
        pair = (each.get("topologyKey", ""), action)
        if any(
            (other.get("topologyKey", ""), other.get("whenUnsatisfiable", "")) == pair
            for other in given[index + 1 :]
        ):
            where = f"{here}.{{topologyKey, whenUnsatisfiable}}"
            yield duplicate(where, f"{{{pair[0]}, {pair[1]}}}")
        least = each.get("minDomains")
        if least is not None and least <= 0:
            yield invalid(f"{here}.minDomains", str(least), "must be greater than zero")
        if least is not None and action != "DoNotSchedule":
            why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield invalid(f"{here}.minDomains", str(least), why)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from _choice(each, name, ("Honor", "Ignore"), here)
        yield from selector(each.get("labelSelector"), f"{here}.labelSelector")


def _names(given: Json, path: str) -> Iterator[Cause]:
    for name in ("serviceAccountName", "nodeName"):
        if given.get(name):
            yield from names.dns_subdomain(given[name], f"{path}.{name}")
    seconds = given.get("activeDeadlineSeconds")
    if seconds is not None and not 1 <= seconds < 2**31:
        yield invalid(
            f"{path}.activeDeadlineSeconds", str(seconds), "must be between 1 and 2147483647, inclusive"
        )
    for name in ("hostname", "subdomain"):
        if given.get(name):
            yield from names.dns_label(given[name], f"{path}.{name}")


def _tolerations(given: list[Json], path: str) -> Iterator[Cause]:
    for index, each in enumerate(given):
        here = f"{path}[{index}]"
        key, operator, value = each.get("key", ""), each.get("operator", ""), each.get("value", "")
        if key:
            yield from names.qualified(key, f"{here}.key")
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(f"{here}.operator", show(operator), why)
        if each.get("tolerationSeconds") is not None and each.get("effect") != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid(f"{here}.effect", show(each.get("effect", "")), why)
        if operator in {"", "Equal"}:
            wrong = [cause.message for cause in names.label_value(value, "")]
            if wrong:
                yield Cause("FieldValueInvalid", ";".join(wrong), f"{here}.operator")
        elif operator == "Exists":
            if value:
                why = "value must be empty when `operator` is 'Exists'"
                yield invalid(f"{here}.operator", show(value), why)
        else:
            yield unsupported(f"{here}.operator", operator, ("Equal", "Exists"))
        yield from _choice(each, "effect", EFFECTS, here)
