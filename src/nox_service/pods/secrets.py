"""What a pod spec refers to: its Secrets and ConfigMaps, and the values in them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from noxgate.blue_green.running import deployment_of, shipped_deployment
from noxgate.blue_green.side import Side
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import Reference, references, wholes
from noxgate.systems.kubernetes.secret_values import SecretValue, Where, nowhere

OAUTH = {
    f"{provider}_CLIENT_{part}" for provider in ("GOOGLE", "GITHUB", "MICROSOFT") for part in ("ID", "SECRET")
}
NEEDED = OAUTH | {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
Values = dict[str, dict[str, SecretValue] | None]


def both(green: Side, namespace: str) -> list[Side]:
    """Where the Secrets have to be: in green's namespace, and in the runbook's."""
    return [replace(green, namespace=each) for each in dict.fromkeys((namespace, green.namespace))]


def live_references(side: Side) -> list[Reference]:
    """What the pod spec of the running release refers to; a Secret that it takes whole, key by key."""
    spec = deployment_of(side)["spec"]["template"]["spec"]
    keys = [
        Reference("Secret", whole.name, key, prefix + key)
        for prefix, whole in wholes(spec, side.container)
        if whole.kind == "Secret" and not whole.optional
        for key in side.kube.secret(whole.name, side.namespace) or {}
    ]
    return [*references(spec), *taken(side, spec), *keys]


def shipped_references(manifests: tuple[Document, ...], side: Side) -> list[Reference]:
    """What the pod spec refers to that green will be deployed with; of envFrom all keys, as variables."""
    spec = shipped_deployment(manifests, side)["spec"]["template"]["spec"]
    whole = wholes(spec, side.container)
    return [
        *references(spec),
        *taken(side, spec),
        *(Reference(each.kind, each.name, None, prefix + "*") for prefix, each in whole if not each.optional),
    ]


def taken(side: Side, spec: Mapping[str, Any]) -> list[Reference]:
    """What a pod would start without, and finds: of the variables that the service needs all the same."""
    own = [each for each in references(spec, optional=True) if each.variable in NEEDED]
    keys = [
        Reference("Secret", whole.name, key, prefix + key)
        for prefix, whole in wholes(spec, side.container)
        if whole.kind == "Secret" and whole.optional
        for key in side.kube.secret(whole.name, side.namespace) or {}
        if prefix + key in NEEDED
    ]
    return [each for each in own if not missing_references(side, [each])] + keys


def values(side: Side, wanted: list[Reference], stands: Where = nowhere) -> Values:
    """Each Secret that is referred to, once."""
    names = dict.fromkeys(each.name for each in wanted if each.kind == "Secret")
    return {name: side.kube.secret(name, side.namespace, stands) for name in names}


def referred_values(secrets: Values, wanted: list[Reference]) -> dict[tuple[str, str | None], SecretValue]:
    """The values that are referred to, by Secret and key; of a Secret that is taken whole, all."""
    found: dict[tuple[str, str | None], SecretValue] = {}
    for each in wanted:
        for key, value in (secrets.get(each.name) or {}).items():
            if each.kind == "Secret" and each.key in {None, key}:
                found[each.name, key] = value
    return found


def wrong(found: dict[tuple[str, str | None], SecretValue], wanted: list[Reference]) -> list[str]:
    """The values with which something is wrong: as variables, or where they are mounted alone, as files."""
    variables = {(each.name, each.key) for each in wanted if each.variable is not None}
    return [
        str(value)
        for (name, key), value in found.items()
        if value.wrong(in_a_file=variables.isdisjoint({(name, key), (name, None)}))
    ]


def missing_references(side: Side, wanted: list[Reference]) -> list[str]:
    """The references that lead nowhere."""
    return [str(each) for each in absent(side, wanted)]


def absent(side: Side, wanted: list[Reference]) -> list[Reference]:
    """The same, to be asked further."""
    found = []
    keys: dict[tuple[str, str], set[str] | None] = {}
    for each in wanted:
        at = each.kind, each.name
        if at not in keys:
            if each.kind == "Secret":
                secret = side.kube.secret(each.name, side.namespace)
                keys[at] = None if secret is None else set(secret)
            else:
                there = side.kube.get("ConfigMap", each.name, side.namespace)
                keys[at] = (
                    None if there is None else {*(there.get("data") or {}), *(there.get("binaryData") or {})}
                )
        has = keys[at]
        if has is None or (each.key is not None and each.key not in has):
            found.append(each)
    return found
